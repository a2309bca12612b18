# SPDX-License-Identifier: Apache-2.0
"""What breaks the protocol, message by message, and the code that the document gives it."""

from messages import (
    REMOVED, add_prime, changed, compact, error, flip_member, negotiation_response, octets, request_1, request_ext, seal)
from wire import frame
from world import DEFAULT, PARAMS, REQUEST_1

# What a hostile proxy sends in place of frame 2, and the guest's code.
BAD_NEGOTIATIONS = {
    "end of the stream": (b"", "closed"),
    "half a length": (b"\x10\0\0", "truncated"),
    "half a body": (b"\x10" + bytes(7) + b"{", "truncated"),
    "zero length": (bytes(8), "frame_empty"),
    "65537 octets": (frame(b" " * 65537)[:8], "frame_too_large"),
    "2^64-1 octets": (b"\xff" * 8, "frame_too_large"),
    "no JSON": (frame(b"{"), "bad_json"),
    "byte order mark": (frame(b"\xef\xbb\xbf" + compact(negotiation_response({}))), "bad_json"),
    "trailing octets": (frame(compact(negotiation_response({})) + b"{}"), "trailing_bytes"),
    "repeated member": (frame(compact(negotiation_response({}))[:-1] + b',"params":[]}'), "json_duplicate"),
    "repeated in an unknown member": (frame(compact(negotiation_response({}))[:-1] + b',"z":{"a":1,"a":1}}'),
                                      "json_duplicate"),
    "depth 9": (frame(compact(negotiation_response({}))[:-1] + b',"z":[[[[[[[[]]]]]]]]}'), "json_depth"),
    "lone surrogate": (frame(compact(negotiation_response({}))[:-1] + b',"z":"\\udc00"}'), "bad_json"),
    "array for the structure": (["challenge", "params"], "json_type"),
    "challenge missing": ({"params": PARAMS}, "json_missing"),
    "challenge null": ({"challenge": None, "params": PARAMS}, "json_type"),
    "challenge of 15": ({"challenge": octets(15), "params": PARAMS}, "host_chosen_challenge"),
    "challenge of 65": ({"challenge": octets(65), "params": PARAMS}, "host_chosen_challenge"),
    "challenge base64url": ({"challenge": "-" * 24, "params": PARAMS}, "bad_base64"),
    "challenge with loose bits": ({"challenge": "A" * 21 + "B==", "params": PARAMS}, "bad_base64"),
    "params missing": ({"challenge": octets(32)}, "json_missing"),
    "params with Challenge:null": ({"challenge": octets(32), "params": ["EcPublicKeyBytes", {"Challenge": None}]},
                                   "json_type"),
    "params in another order": ({"challenge": octets(32), "params": PARAMS[::-1]}, "host_chosen_params"),
    "params without key": ({"challenge": octets(32), "params": ["Challenge"]}, "host_chosen_params"),
    "params empty": ({"challenge": octets(32), "params": []}, "host_chosen_params"),
    "ext null": ({"challenge": octets(32), "params": PARAMS, "ext": None}, "json_type"),
    "a code that is no code of the wire": (error("tag_failed"), "refused"),
    "a code of the wire": (error("proxy_busy"), "proxy_busy"),
    "error beside challenge": (error("proxy_busy", challenge=octets(32)), "contradiction"),
    "error beside accepted": ({"ext": {"accepted": None, **error("refused")["ext"]}}, "contradiction"),
    "error beside a challenge of null": (error("refused", challenge=None), "json_type"),
    "error without detail": ({"ext": {"error": {"code": "refused", "phase": "negotiation"}}}, "json_missing"),
    "error in a phase unknown": (error("refused", "later"), "bad_value"),
    "stock refusal": ({}, "json_missing"),
}

# The same for a guest that states a resource.
BAD_ACCEPTANCES = {
    "no ext": (lambda request: changed(negotiation_response(request), "ext", REMOVED), "ext_not_honoured"),
    "another resource": (lambda request: changed(negotiation_response(request), "ext.accepted.resource", DEFAULT),
                         "ext_not_honoured"),
    "resource missing": (lambda request: changed(negotiation_response(request), "ext.accepted.resource", REMOVED),
                         "json_missing"),
    "binding unknown": (lambda request: changed(negotiation_response(request), "ext.accepted.binding", "x"),
                        "bad_value"),
    "error beside accepted": (lambda request: {"ext": {"accepted": request["ext"], **error("refused")["ext"]}},
                              "contradiction"),
    "W1 behind a stated resource": (lambda request: changed(negotiation_response(request), "params", ["Challenge"]),
                                    "host_chosen_params"),
}

# What it makes of a good frame 4.
BAD_ANSWERS = {
    "end of the stream": (lambda request: b"", "closed"),
    "zero length": (lambda request: bytes(8), "frame_empty"),
    "2^63 octets": (lambda request: (2**63).to_bytes(8, "little"), "frame_too_large"),
    "half a body": (lambda request: frame(compact(seal(request)))[:-1], "truncated"),
    "trailing octets": (lambda request: frame(compact(seal(request)) + b"\n\0"), "trailing_bytes"),
    "repeated member": (lambda request: frame(compact(seal(request))[:-1] + b',"success":true}'), "json_duplicate"),
    "success missing": (lambda request: changed(seal(request), "success", REMOVED), "json_missing"),
    "success 1": (lambda request: changed(seal(request), "success", 1), "json_type"),
    "secret null": (lambda request: changed(seal(request), "secret", None), "json_type"),
    "secret missing": (lambda request: changed(seal(request), "secret", REMOVED), "contradiction"),
    "secret too large": (lambda request: changed(seal(request), "secret", octets(32769)), "too_large"),
    "decryption null": (lambda request: changed(seal(request), "decryption", None), "contradiction"),
    "success false": (lambda request: changed(seal(request), "success", False), "contradiction"),
    "success beside an error": (lambda request: {**seal(request), **error("refused", "attestation")}, "contradiction"),
    "wrapped key of 39": (lambda request: changed(seal(request), "decryption.wrapped_cek", octets(39)), "bad_length"),
    "epk x of 65": (lambda request: changed(seal(request), "decryption.epk.x", octets(65)), "bad_length"),
    "iv of 16": (lambda request: changed(seal(request), "decryption.iv", octets(16)), "bad_length"),
    "tag of 12": (lambda request: changed(seal(request), "decryption.tag", octets(12)), "bad_length"),
    "aad of 1367": (lambda request: changed(seal(request), "decryption.aad", octets(1367)), "too_large"),
    "token of two members": (lambda request: changed(seal(request), "token.Cwt", "x"), "bad_value"),
    "apu": (lambda request: seal(request, change_header=lambda header: header.update(apu="")), "jwe_header"),
    "zip": (lambda request: seal(request, change_header=lambda header: header.update(zip="DEF")), "jwe_header"),
    "another alg": (lambda request: seal(request, change_header=lambda header: header.update(alg="dir")), "jwe_header"),
    "enc is a number": (lambda request: seal(request, change_header=lambda header: header.update(enc=1)), "json_type"),
    "alg missing": (lambda request: seal(request, change_header=lambda header: header.pop("alg")), "jwe_header"),
    "another epk in the header": (lambda request: changed(seal(request), "decryption.epk.x", octets(66)),
                                  "jwe_epk_mismatch"),
    "no point": (lambda request: seal(request, change_point=lambda epk: epk.update(y=bytes(66))), "bad_point"),
    "x plus the prime": (lambda request: seal(request, change_point=add_prime), "bad_point"),
    "flipped wrapped key": (lambda request: flip_member(seal(request), "wrapped_cek"), "unwrap_failed"),
    "flipped tag": (lambda request: flip_member(seal(request), "tag"), "tag_failed"),
    "empty secret": (lambda request: seal(request, b""), "empty_secret"),
    "stock refusal": (lambda request: {"success": False, "decryption": None, "token": None}, "refused"),
    "refusal": (lambda request: error("secret_refused", "attestation", success=False), "secret_refused"),
}


def json_examples():
    """The table of section 3."""
    tail = '"tee":"snp"'
    return {
        '{"version":[0,1,0],%s,}' % tail: "bad_json", '{"version":[00,1,0],%s}' % tail: "bad_json",
        '{"version":[0,1,0],%s,"x":"\\ud800"}' % tail: "bad_json", '{"version":[0,1,0],%s}{}' % tail: "trailing_bytes",
        '{"version":[0,1,0],%s,%s}' % (tail, tail): "json_duplicate",
        '{"version":[0,1,0],%s,"\\u0074ee":"snp"}' % tail: "json_duplicate",
        '{"version":[0,1,0],%s,"x":{"y":1,"y":1}}' % tail: "json_duplicate",
        '{"version":[0,1,0],%s,"x":[[[[[[[[]]]]]]]]}' % tail: "json_depth",
        '["version",[0,1,0],"tee","snp"]': "json_type", '{"version":{"0":0,"1":1,"2":0},%s}' % tail: "json_type",
        '{"version":[0,1,0.0],%s}' % tail: "json_type", '{"version":[0,1,0],"tee":null}': "json_type",
        '{"version":[0,1,0]}': "json_missing",
    }


# What a hostile guest sends as frame 1: the code of the wire, what `detail` names, and whether the line is closed.
BAD_REQUESTS = {
    **{text: (request_1(text), "malformed_request", code, False) for text, code in json_examples().items()},
    "zero length": (bytes(8), "malformed_request", "frame_empty", True),
    "65537 octets": ((65537).to_bytes(8, "little"), "malformed_request", "frame_too_large", True),
    "2^64-1 octets": (b"\xff" * 8, "malformed_request", "frame_too_large", True),
    "another version": (request_1('{"version":[0,2,0],"tee":"snp"}'), "version_unsupported", "", False),
    "another version, and no tee": (request_1('{"version":[1,0,0],"hardware":7}'), "version_unsupported", "", False),
    "another version behind": (request_1('{"tee":"x","ext":[],"version":[1,0,0]}'), "version_unsupported", "", False),
    "a version above u32": (request_1('{"version":[4294967296,1,0],"tee":"snp"}'), "malformed_request", "bad_value",
                            False),
    "two numbers": (request_1('{"version":[0,1],"tee":"snp"}'), "malformed_request", "bad_length", False),
    "a tee not served": (request_1('{"version":[0,1,0],"tee":"tdx"}'), "tee_unsupported", "", False),
    "a tee unknown": (request_1('{"version":[0,1,0],"tee":"SNP"}'), "malformed_request", "bad_value", False),
    "ext null": (request_1('{"version":[0,1,0],"tee":"snp","ext":null}'), "malformed_request", "json_type", False),
    "ext without members": (request_1('{"version":[0,1,0],"tee":"snp","ext":{}}'), "malformed_request", "json_missing",
                            False),
    "RSA, no pair": (request_ext(key="RSA-3072"), "terms_refused", "", False),
    "P-256, no pair": (request_ext(key="P-256"), "terms_refused", "", False),
    "a binding unknown": (request_ext(binding="x"), "malformed_request", "bad_value", False),
    "a resource not allowed": (request_ext(resource="a/b/c"), "resource_refused", "", False),
    "a resource of dots": (request_ext(resource="a/../c"), "malformed_request", "bad_value", False),
    "a resource of 193": (request_ext(resource="a/b/" + "c" * 189), "malformed_request", "too_large", False),
}

# What it makes of a good frame 3.
BAD_EVIDENCE = {
    "frame 1 again": (lambda message: frame(REQUEST_1), "malformed_request", "json_missing", False),
    "zero length": (lambda message: bytes(8), "malformed_request", "frame_empty", True),
    "2^64-1 octets": (lambda message: b"\xff" * 8, "malformed_request", "frame_too_large", True),
    "trailing octets": (lambda message: frame(compact(message) + b"x"), "malformed_request", "trailing_bytes", False),
    "report of 1183": (lambda message: changed(message, "evidence.Snp.report", octets(1183)), "malformed_request",
                       "bad_length", False),
    "certs_buf null": (lambda message: changed(message, "evidence.Snp.certs_buf", None), "malformed_request",
                       "json_type", False),
    "certs_buf too large": (lambda message: changed(message, "evidence.Snp.certs_buf", octets(16385)),
                            "malformed_request", "too_large", False),
    "two kinds of evidence": (lambda message: changed(message, "evidence.Tdx", {}), "malformed_request", "bad_value",
                              False),
    "another kind of evidence": (lambda message: changed(message, "evidence", {"Tdx": {}}), "malformed_request",
                                 "bad_value", False),
    "challenge of 15": (lambda message: changed(message, "challenge", octets(15)), "malformed_request", "bad_length",
                        False),
    "key missing": (lambda message: changed(message, "key", REMOVED), "malformed_request", "json_missing", False),
    "y of 65": (lambda message: changed(message, "key.y", octets(65)), "malformed_request", "bad_length", False),
    "tee changed": (lambda message: changed(message, "tee", "tdx"), "tee_unsupported", "", False),
    "another challenge": (lambda message: changed(message, "challenge", octets(32)), "attestation_refused", "challenge",
                          False),
    "REPORT_DATA of nothing": (lambda message: message, "attestation_refused", "REPORT_DATA", False),
}
