#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes guest-keys.json: the binding kbs-sha384 and the sealed secret for each kind of guest key.

Everything that a guest or a broker computes is computed here with integers and hashlib (docs/protocol.md, RFC 8017,
SP 800-56A), and nothing of it by attestbed or OpenSSL; AES alone is a library's. check_vectors.py judges the result with
another implementation. The same file comes out every time: what is random in the protocol is drawn from stream().
"""
import base64
import hashlib
import json
import math
import pathlib
import sys

from cryptography.hazmat.primitives import keywrap
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HERE = pathlib.Path(__file__).resolve().parent
P256 = {'name': 'P-256', 'width': 32,
        'p': 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffff, 'a': -3,
        'n': 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551,
        'g': (0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296,
              0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5)}
P521 = {'name': 'P-521', 'width': 66, 'p': 2**521 - 1, 'a': -3,
        'n': 2**521 - 0x5ae79787c40d069948033feb708f65a2fc44a36477663b851449048e16ec79bf7,
        'g': (0x00c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dbaa14b5e77efe75928fe1dc127a2ffa8de3348b3c1856a429bf97e7e31c2e5bd66,
              0x011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e662c97ee72995ef42640c550b9013fad0761353c7086a272c24088be94769fd16650)}
E = 65537


class Stream:
    """SHA-256(label, 4-octet big-endian counter) from 0 on, one block after another."""

    def __init__(self, label):
        self.label, self.block, self.left = label.encode(), 0, b''

    def take(self, size):
        while len(self.left) < size:
            self.left += hashlib.sha256(self.label + self.block.to_bytes(4, 'big')).digest()
            self.block += 1
        taken, self.left = self.left[:size], self.left[size:]
        return taken


def b64(octets):
    return base64.b64encode(octets).decode()


def b64url(octets):
    return base64.urlsafe_b64encode(octets).decode().rstrip('=')


def compact(value):
    return json.dumps(value, separators=(',', ':'))


# Elliptic curves in affine coordinates: slow and plain.
def add(curve, one, other):
    if one is None or other is None:
        return other if one is None else one
    p = curve['p']
    if one[0] == other[0] and (one[1] + other[1]) % p == 0:
        return None
    if one == other:
        slope = (3 * one[0] * one[0] + curve['a']) * pow(2 * one[1], -1, p) % p
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, p) % p
    x = (slope * slope - one[0] - other[0]) % p
    return x, (slope * (one[0] - x) - one[1]) % p


def multiply(curve, scalar, point):
    total = None
    for bit in bin(scalar)[2:]:
        total = add(curve, total, total)
        if bit == '1':
            total = add(curve, total, point)
    return total


def ec_pair(curve, octets):
    d = int.from_bytes(octets.take(curve['width']), 'big') % (curve['n'] - 1) + 1
    return d, multiply(curve, d, curve['g'])


def hex_point(curve, point):
    return {name: value.to_bytes(curve['width'], 'big').hex() for name, value in zip('xy', point)}


# RSA: candidates are drawn as docs/protocol.md, section 6.2, lets a guest draw them: 192 octets each, top two bits and
# lowest bit set. The first two that are prime are the key.
def is_prime(number):
    if any(number % small == 0 for small in SMALL_PRIMES):
        return False
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for base in SMALL_PRIMES[:40]:
        power = pow(base, odd, number)
        if power in (1, number - 1):
            continue
        for _ in range(twos - 1):
            power = power * power % number
            if power == number - 1:
                break
        else:
            return False
    return True


SMALL_PRIMES = [n for n in range(2, 2000) if all(n % d for d in range(2, int(n**0.5) + 1))]


def rsa_prime(octets):
    while True:
        candidate = bytearray(octets.take(192))
        candidate[0] |= 0xc0
        candidate[-1] |= 1
        number = int.from_bytes(candidate, 'big')
        if number % E != 1 and is_prime(number):
            return number


def mgf1(seed, size):
    blocks = b''.join(hashlib.sha256(seed + i.to_bytes(4, 'big')).digest() for i in range(size // 32 + 1))
    return blocks[:size]


def xor(one, other):
    return bytes(a ^ b for a, b in zip(one, other))


def oaep(n, message, seed, label=b''):  # RFC 8017, 7.1.1, SHA-256
    block = hashlib.sha256(label).digest() + bytes(384 - len(message) - 2 * 32 - 2) + b'\x01' + message
    masked = xor(block, mgf1(seed, len(block)))
    encoded = b'\x00' + xor(seed, mgf1(masked, 32)) + masked
    return pow(int.from_bytes(encoded, 'big'), E, n).to_bytes(384, 'big')


def concat_kdf(z):  # RFC 7518, 4.6.2: one round
    other = b'\0\0\0\x0eECDH-ES+A256KW' + b'\0\0\0\0' * 2 + (256).to_bytes(4, 'big')
    return hashlib.sha256((1).to_bytes(4, 'big') + z + other).digest()


def guest_ec(curve, octets):
    d, point = ec_pair(curve, octets)
    width = curve['width']
    xy = [value.to_bytes(width, 'big') for value in point]
    jwk = {'alg': 'ECDH-ES+A256KW', 'crv': curve['name'], 'kty': 'EC', 'x': b64url(xy[0]), 'y': b64url(xy[1])}
    return {'private': {'d': d.to_bytes(width, 'big').hex()}, 'public': hex_point(curve, point),
            'wire': {'x': b64(xy[0]), 'y': b64(xy[1])}, 'jwk': jwk, 'point': point}


def guest_rsa(label):
    octets = Stream(label)
    p, q = rsa_prime(octets), rsa_prime(octets)
    n, d = p * q, pow(E, -1, math.lcm(p - 1, q - 1))
    modulus = n.to_bytes(384, 'big')
    private = {'p': p.to_bytes(192, 'big').hex(), 'q': q.to_bytes(192, 'big').hex(), 'd': d.to_bytes(384, 'big').hex(),
               'dp': (d % (p - 1)).to_bytes(192, 'big').hex(), 'dq': (d % (q - 1)).to_bytes(192, 'big').hex(),
               'qinv': pow(q, -1, p).to_bytes(192, 'big').hex(), 'entropy_label': label}
    jwk = {'alg': 'RSA-OAEP-256', 'e': 'AQAB', 'kty': 'RSA', 'n': b64url(modulus)}
    return {'private': private, 'public': {'n': modulus.hex(), 'e': '010001'},
            'wire': {'n': b64(modulus), 'e': 'AQAB'}, 'jwk': jwk, 'modulus': n}


def case(name, report):
    octets = Stream('attestbed guest-keys ' + name)
    curve = {'P-256': P256, 'P-521': P521}.get(name)
    guest = guest_ec(curve, octets) if curve else guest_rsa('attestbed RSA key')
    challenge, cek, iv = octets.take(32), octets.take(32), octets.take(12)
    plaintext = octets.take(32)

    text = compact({'additional-evidence': '', 'nonce': b64(challenge), 'tee-pubkey': guest['jwk']})
    digest = hashlib.sha384(text.encode()).digest()
    report_data = digest + bytes(16)
    report = report[:0x50] + report_data + report[0x90:]

    header, sealing, epk_wire = {'alg': guest['jwk']['alg'], 'enc': 'A256GCM'}, {}, {}
    if curve:
        scalar, epk = ec_pair(curve, octets)
        z = multiply(curve, int(guest['private']['d'], 16), epk)[0].to_bytes(curve['width'], 'big')
        xy = [value.to_bytes(curve['width'], 'big') for value in epk]
        header['epk'] = {'crv': name, 'kty': 'EC', 'x': b64url(xy[0]), 'y': b64url(xy[1])}
        epk_wire = {'epk': {'x': b64(xy[0]), 'y': b64(xy[1])}}
        kek = concat_kdf(z)
        wrapped = keywrap.aes_key_wrap(kek, cek)
        sealing = {'epk': {'d': scalar.to_bytes(curve['width'], 'big').hex(), **hex_point(curve, epk)}, 'z': z.hex(),
                   'kek': kek.hex()}
    else:
        seed = octets.take(32)
        wrapped = oaep(guest['modulus'], cek, seed)
        n, first = guest['modulus'], bytearray(wrapped)
        first[0] ^= 1
        pkcs1 = b'\x00\x02' + b'\x5a' * (384 - 3 - 32) + b'\x00' + cek  # RSAES-PKCS1-v1_5, section 7.2.1
        refused = {'cek of 16 octets': oaep(n, cek[:16], seed), 'cek of 33 octets': oaep(n, cek + b'\x00', seed),
                   'a label': oaep(n, cek, seed, b'label'), 'first octet changed': bytes(first),
                   'PKCS1-v1_5': pow(int.from_bytes(pkcs1, 'big'), E, n).to_bytes(384, 'big'),
                   'the modulus itself': n.to_bytes(384, 'big'), 'zero': bytes(384)}
        sealing = {'oaep_seed': seed.hex(), 'refused_wrapped_cek': {why: it.hex() for why, it in refused.items()}}
    protected = b64url(compact(header).encode())
    sealed = AESGCM(cek).encrypt(iv, plaintext, protected.encode())
    ciphertext, tag = sealed[:-16], sealed[-16:]

    terms = {'binding': 'kbs-sha384', 'key': name, 'resource': 'default/sample/test'}
    frames = {
        'negotiation_request': compact({'version': [0, 1, 0], 'tee': 'snp', 'ext': terms}),
        'negotiation_response': compact({'challenge': b64(challenge), 'params': ['EcPublicKeyBytes', 'Challenge'],
                                         'ext': {'accepted': terms}}),
        'attestation_request': compact({'tee': 'snp', 'evidence': {'Snp': {'report': b64(report)}},
                                        'challenge': b64(challenge), 'key': guest['wire']}),
        'attestation_response': compact({'success': True, 'secret': b64(ciphertext), 'decryption': {
            **epk_wire, 'wrapped_cek': b64(wrapped), 'aad': b64(protected.encode()), 'iv': b64(iv), 'tag': b64(tag)},
            'token': {'Jwt': 'a.b.c'}})}
    return {
        'name': name, 'guest_key': {**guest['private'], **guest['public']}, 'challenge': challenge.hex(),
        'jwk': compact(guest['jwk']), 'binding_text': text, 'sha384': digest.hex(), 'report_data': report_data.hex(),
        'report': report.hex(), **sealing, 'cek': cek.hex(), 'wrapped_cek': wrapped.hex(), 'iv': iv.hex(),
        'protected_header_json': compact(header), 'protected': protected, 'plaintext': plaintext.hex(),
        'ciphertext': ciphertext.hex(), 'tag': tag.hex(), 'frames': frames,
        'kbs_http': {'resource_response': compact({
            'protected': protected, 'encrypted_key': b64url(wrapped), 'iv': b64url(iv),
            'ciphertext': b64url(ciphertext), 'tag': b64url(tag)})}}


def main():
    recorded = json.loads((HERE.parent.parent / 'core/testdata/aproxy-vectors.json').read_text())
    report = bytes.fromhex(recorded['cases'][0]['report'])
    made = {'format': 'attestbed guest keys 1', 'binding': 'kbs-sha384',
            'cases': [case(name, report) for name in ('P-521', 'P-256', 'RSA-3072')]}
    text = json.dumps(made, indent=1) + '\n'
    path = HERE / 'guest-keys.json'
    if sys.argv[1:] == ['--check']:
        sys.exit(0 if path.read_text() == text else 'guest-keys.json is not what this script makes')
    path.write_text(text)


main()
