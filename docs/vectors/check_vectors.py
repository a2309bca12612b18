#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Judges guest-keys.json with the Python package `cryptography` (its own OpenSSL): keys, binding texts, sealed secrets.

Shares no code with make_vectors.py. Ends with 0 and one line, or with what is wrong.
"""
import base64
import hashlib
import json
import pathlib

from cryptography.hazmat.primitives import hashes, keywrap
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash

CURVES = {'P-256': (ec.SECP256R1(), 32), 'P-521': (ec.SECP521R1(), 66)}


def from_url(text):
    assert '=' not in text
    return base64.urlsafe_b64decode(text + '=' * (-len(text) % 4))


def standard(text):
    return base64.b64decode(text, validate=True)


def ec_cek(case, curve, width):
    key, epk = case['guest_key'], case['epk']
    own = ec.derive_private_key(int(key['d'], 16), curve)
    for pair, made in ((key, own), (epk, ec.derive_private_key(int(epk['d'], 16), curve))):
        numbers = made.public_key().public_numbers()
        assert (numbers.x, numbers.y) == (int(pair['x'], 16), int(pair['y'], 16))
        assert len(pair['x']) == len(pair['y']) == 2 * width
    peer = ec.EllipticCurvePublicNumbers(int(epk['x'], 16), int(epk['y'], 16), curve).public_key()
    z = own.exchange(ec.ECDH(), peer)
    assert z.hex() == case['z']
    algorithm = b'ECDH-ES+A256KW'
    info = len(algorithm).to_bytes(4, 'big') + algorithm + bytes(8) + (256).to_bytes(4, 'big')
    kek = ConcatKDFHash(hashes.SHA256(), 32, info).derive(z)
    assert kek.hex() == case['kek']
    return keywrap.aes_key_unwrap(kek, bytes.fromhex(case['wrapped_cek']))


def rsa_cek(case):
    number = {name: int(value, 16) for name, value in case['guest_key'].items() if name != 'entropy_label'}
    public = rsa.RSAPublicNumbers(number['e'], number['n'])
    own = rsa.RSAPrivateNumbers(number['p'], number['q'], number['d'], number['dp'], number['dq'], number['qinv'],
                                public).private_key()  # checks the key's consistency
    assert own.key_size == 3072 and number['e'] == 65537
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    for why, wrapped in case['refused_wrapped_cek'].items():
        try:
            opened = own.decrypt(bytes.fromhex(wrapped), oaep)
        except ValueError:
            continue
        assert why.startswith('cek of ') and len(opened) == int(why.split()[2]) != 32, why
    return own.decrypt(bytes.fromhex(case['wrapped_cek']), oaep)


def check(case):
    name, challenge = case['name'], bytes.fromhex(case['challenge'])
    key = case['guest_key']
    if name in CURVES:
        expected = {'alg': 'ECDH-ES+A256KW', 'crv': name, 'kty': 'EC', **{
            at: base64.urlsafe_b64encode(bytes.fromhex(key[at])).decode().rstrip('=') for at in 'xy'}}
        cek = ec_cek(case, *CURVES[name])
    else:
        expected = {'alg': 'RSA-OAEP-256', 'e': 'AQAB', 'kty': 'RSA',
                    'n': base64.urlsafe_b64encode(bytes.fromhex(key['n'])).decode().rstrip('=')}
        cek = rsa_cek(case)
    # RFC 8785 of an object of ASCII strings: names sorted, no white space.
    canonical = json.dumps({'tee-pubkey': expected, 'nonce': base64.b64encode(challenge).decode(),
                            'additional-evidence': ''}, sort_keys=True, separators=(',', ':'))
    assert canonical == case['binding_text']
    assert json.dumps(expected, sort_keys=True, separators=(',', ':')) == case['jwk']
    digest = hashlib.sha384(canonical.encode()).hexdigest()
    assert digest == case['sha384'] and digest + '00' * 16 == case['report_data']
    assert case['report'][0xa0:0x120] == case['report_data']

    assert cek.hex() == case['cek']
    header = json.loads(from_url(case['protected']))
    assert header['alg'] == expected['alg'] and header['enc'] == 'A256GCM' and ('epk' in header) == (name in CURVES)
    sealed = bytes.fromhex(case['ciphertext'] + case['tag'])
    assert AESGCM(cek).decrypt(bytes.fromhex(case['iv']), sealed, case['protected'].encode()).hex() == case['plaintext']

    answer = json.loads(case['frames']['attestation_response'])
    assert standard(answer['decryption']['aad']).decode() == case['protected']
    assert standard(answer['decryption']['wrapped_cek']).hex() == case['wrapped_cek']
    assert standard(answer['secret']).hex() == case['ciphertext'] and ('epk' in answer['decryption']) == ('epk' in header)
    request = json.loads(case['frames']['attestation_request'])
    assert {at: standard(text).hex() for at, text in request['key'].items()} == {at: key[at] for at in request['key']}
    assert set(request['key']) == ({'x', 'y'} if name in CURVES else {'n', 'e'})
    jwe = json.loads(case['kbs_http']['resource_response'])
    assert from_url(jwe['encrypted_key']).hex() == case['wrapped_cek'] and jwe['protected'] == case['protected']


def main():
    made = json.loads((pathlib.Path(__file__).resolve().parent / 'guest-keys.json').read_text())
    for case in made['cases']:
        check(case)
    assert [case['name'] for case in made['cases']] == ['P-521', 'P-256', 'RSA-3072']
    print('guest-keys.json: 3 cases, each as `cryptography` has it')


main()
