// SPDX-License-Identifier: Apache-2.0
#include "core/protocol/attestation.h"

#include <algorithm>

#include "core/protocol/frame.h"

namespace attestbed::protocol {
namespace {

void write_point(JsonWriter& json, const crypto::EcPoint& point) {
  json.begin_object();
  json.name("x");
  json.base64(Base64::standard, point.x());
  json.name("y");
  json.base64(Base64::standard, point.y());
  json.end_object();
}

Result<crypto::EcPoint> read_point(JsonReader& json, KeyType key, const char* where) {
  std::optional<MutBytes> x, y;
  JsonReader::Object object = TRY(json.object(where));
  while (const auto name = TRY(object.next())) {
    if (*name == "x") {
      x = TRY(json.base64(Base64::standard, kMaxFrameBytes, where));
    } else if (*name == "y") {
      y = TRY(json.base64(Base64::standard, kMaxFrameBytes, where));
    } else {
      TRY(json.skip());
    }
  }
  if (!x || !y) return Error{Errc::json_missing, where};
  return crypto::EcPoint::make(curve_of(key), *x, *y, where);
}

void write_rsa_key(JsonWriter& json, const crypto::RsaPublicKey& key) {
  json.begin_object();
  json.name("n");
  json.base64(Base64::standard, key.n);
  json.name("e");
  json.base64(Base64::standard, crypto::kRsaExponent);
  json.end_object();
}

Result<crypto::RsaPublicKey> read_rsa_key(JsonReader& json, const char* where) {
  std::optional<MutBytes> n, e;
  JsonReader::Object object = TRY(json.object(where));
  while (const auto name = TRY(object.next())) {
    if (*name == "n") {
      n = TRY(json.base64(Base64::standard, kMaxFrameBytes, where));
    } else if (*name == "e") {
      e = TRY(json.base64(Base64::standard, kMaxFrameBytes, where));
    } else {
      TRY(json.skip());
    }
  }
  if (!n || !e) return Error{Errc::json_missing, where};
  return crypto::RsaPublicKey::make(*n, *e, where);
}

Result<GuestPublicKey> read_key(JsonReader& json, KeyType key, const char* where) {
  if (is_ec(key)) {
    const crypto::EcPoint point = TRY(read_point(json, key, where));
    return GuestPublicKey::of(point);
  }
  const crypto::RsaPublicKey rsa = TRY(read_rsa_key(json, where));
  return GuestPublicKey::of(rsa);
}

// A field of one legal length, out of octets that were decoded whatever their length.
template <std::size_t N>
Result<ByteArray<N>> exactly(const std::optional<MutBytes>& octets, const char* where) {
  if (!octets) return Error{Errc::json_missing, where};
  if (octets->size() != N) return Error{Errc::bad_length, where, octets->size(), N};
  ByteArray<N> value;
  std::copy(octets->begin(), octets->end(), value.begin());
  return value;
}

struct SnpEvidence {
  std::optional<MutBytes> report, certs;
};

// Evidence is externally tagged: one member, named after the kind.
Result<SnpEvidence> read_evidence(JsonReader& json) {
  static constexpr const char* kWhere = "AttestationRequest.evidence";
  SnpEvidence evidence;
  bool seen = false;
  JsonReader::Object kinds = TRY(json.object(kWhere));
  while (const auto kind = TRY(kinds.next())) {
    if (seen || *kind != "Snp") return Error{Errc::bad_value, kWhere};
    seen = true;
    JsonReader::Object snp = TRY(json.object("evidence.Snp"));
    while (const auto name = TRY(snp.next())) {
      if (*name == "report") {
        evidence.report = TRY(json.base64(Base64::standard, kMaxFrameBytes, "evidence.Snp.report"));
      } else if (*name == "certs_buf") {
        evidence.certs = TRY(json.base64(Base64::standard, kMaxCertsBytes, "evidence.Snp.certs_buf"));
      } else {
        TRY(json.skip());
      }
    }
  }
  if (!seen) return Error{Errc::json_missing, "evidence.Snp"};
  return evidence;
}

void write_decryption(JsonWriter& json, const Decryption& decryption) {
  json.begin_object();
  if (decryption.epk) {
    json.name("epk");
    write_point(json, *decryption.epk);
  }
  json.name("wrapped_cek");
  json.base64(Base64::standard, decryption.wrapped_cek.octets());
  json.name("aad");
  json.base64(Base64::standard, decryption.aad);
  json.name("iv");
  json.base64(Base64::standard, decryption.iv);
  json.name("tag");
  json.base64(Base64::standard, decryption.tag);
  json.end_object();
}

// Read in place: with an RSA key it is half a kilobyte, and the guest's stack is small.
Status read_decryption(JsonReader& json, KeyType key, Decryption& into) {
  std::optional<MutBytes> wrapped_cek, aad, iv, tag;
  JsonReader::Object object = TRY(json.object("AttestationResponse.decryption"));
  while (const auto name = TRY(object.next())) {
    if (*name == "epk") {
      if (!is_ec(key)) return Error{Errc::bad_value, "decryption.epk: RSA-3072 has none"};
      into.epk = TRY(read_point(json, key, "decryption.epk"));
    } else if (*name == "wrapped_cek") {
      wrapped_cek = TRY(json.base64(Base64::standard, kMaxFrameBytes, "decryption.wrapped_cek"));
    } else if (*name == "aad") {
      aad = TRY(json.base64(Base64::standard, kMaxAadBytes, "decryption.aad"));
    } else if (*name == "iv") {
      iv = TRY(json.base64(Base64::standard, kMaxFrameBytes, "decryption.iv"));
    } else if (*name == "tag") {
      tag = TRY(json.base64(Base64::standard, kMaxFrameBytes, "decryption.tag"));
    } else {
      TRY(json.skip());
    }
  }
  if (is_ec(key) && !into.epk) return Error{Errc::json_missing, "decryption.epk"};
  if (!aad) return Error{Errc::json_missing, "decryption.aad"};
  if (!wrapped_cek) return Error{Errc::json_missing, "decryption.wrapped_cek"};
  into.aad = *aad;
  TRY(into.wrapped_cek.set(key, *wrapped_cek, "decryption.wrapped_cek"));
  into.iv = TRY(exactly<12>(iv, "decryption.iv"));
  into.tag = TRY(exactly<16>(tag, "decryption.tag"));
  return ok();
}

Result<Token> read_token(JsonReader& json) {
  std::optional<Token> token;
  JsonReader::Object object = TRY(json.object("AttestationResponse.token"));
  while (const auto name = TRY(object.next())) {
    if (token || (*name != "Jwt" && *name != "Cwt")) return Error{Errc::bad_value, "AttestationResponse.token"};
    const MutBytes text = TRY(json.string("AttestationResponse.token"));
    token = Token{*name, text_of(text)};
  }
  if (!token) return Error{Errc::json_missing, "AttestationResponse.token"};
  return *token;
}

Result<std::optional<HostError>> read_error_ext(JsonReader& json) {
  std::optional<HostError> error;
  JsonReader::Object object = TRY(json.object("AttestationResponse.ext"));
  while (const auto name = TRY(object.next())) {
    if (*name == "error") {
      error = TRY(read_host_error(json));
    } else {
      TRY(json.skip());
    }
  }
  return error;
}

Result<Bytes> encode_response(const AttestationResponse& response, bool with_token, MutBytes into) {
  Writer out(into.first(std::min(into.size(), kMaxFrameBytes)));
  JsonWriter json(out);
  json.begin_object();
  json.name("success");
  json.boolean(response.success);
  if (response.secret) {
    json.name("secret");
    json.base64(Base64::standard, *response.secret);
  }
  json.name("decryption");
  if (response.decryption) {
    write_decryption(json, *response.decryption);
  } else {
    json.null();
  }
  json.name("token");
  if (response.token && with_token) {
    json.begin_object();
    json.name(response.token->kind);
    json.string(response.token->text);
    json.end_object();
  } else {
    json.null();
  }
  if (response.error) {
    json.name("ext");
    json.begin_object();
    json.name("error");
    write_host_error(json, *response.error);
    json.end_object();
  }
  json.end_object();
  return out.finish("AttestationResponse");
}

Status check_consistent(const AttestationResponse& response) {
  const bool carries = response.secret.has_value() || response.decryption.has_value();
  if (response.success && response.error) return Error{Errc::contradiction, "AttestationResponse.ext.error"};
  if (response.success && !response.decryption) return Error{Errc::contradiction, "AttestationResponse.decryption"};
  if (response.success && !response.secret) return Error{Errc::contradiction, "AttestationResponse.secret"};
  if (!response.success && carries) return Error{Errc::contradiction, "AttestationResponse.success"};
  return ok();
}

}  // namespace

Result<Bytes> encode_attestation_request(const AttestationRequest& request, MutBytes into) {
  Writer out(into.first(std::min(into.size(), kMaxFrameBytes)));
  JsonWriter json(out);
  json.begin_object();
  json.name("tee");
  json.string(text_of(tee_name(request.tee)));
  json.name("evidence");
  json.begin_object();
  json.name("Snp");
  json.begin_object();
  json.name("report");
  json.base64(Base64::standard, request.report);
  if (!request.certs.empty()) {
    json.name("certs_buf");
    json.base64(Base64::standard, request.certs);
  }
  json.end_object();
  json.end_object();
  json.name("challenge");
  json.base64(Base64::standard, request.challenge);
  json.name("key");
  if (is_ec(request.key.type)) {
    write_point(json, request.key.ec);
  } else {
    write_rsa_key(json, request.key.rsa);
  }
  json.end_object();
  return out.finish("AttestationRequest");
}

Result<AttestationRequest> decode_attestation_request(MutBytes text, KeyType key_type) {
  JsonReader json(text);
  std::optional<Tee> tee;
  std::optional<SnpEvidence> evidence;
  std::optional<MutBytes> challenge;
  std::optional<GuestPublicKey> key;
  JsonReader::Object object = TRY(json.object("AttestationRequest"));
  while (const auto name = TRY(object.next())) {
    if (*name == "tee") {
      const MutBytes tee_text = TRY(json.string("AttestationRequest.tee"));
      tee = TRY(tee_named(text_of(tee_text), "AttestationRequest.tee"));
    } else if (*name == "evidence") {
      evidence = TRY(read_evidence(json));
    } else if (*name == "challenge") {
      challenge = TRY(json.base64(Base64::standard, kMaxFrameBytes, "AttestationRequest.challenge"));
    } else if (*name == "key") {
      key = TRY(read_key(json, key_type, "AttestationRequest.key"));
    } else {
      TRY(json.skip());
    }
  }
  TRY(json.done());
  if (!tee) return Error{Errc::json_missing, "AttestationRequest.tee"};
  if (!evidence) return Error{Errc::json_missing, "AttestationRequest.evidence"};
  if (!evidence->report) return Error{Errc::json_missing, "evidence.Snp.report"};
  if (!challenge) return Error{Errc::json_missing, "AttestationRequest.challenge"};
  if (!key) return Error{Errc::json_missing, "AttestationRequest.key"};
  if (evidence->report->size() != snp::kReportBytes) {
    return Error{Errc::bad_length, "evidence.Snp.report", evidence->report->size(), snp::kReportBytes};
  }
  if (challenge->size() < kMinChallengeBytes || challenge->size() > kMaxChallengeBytes) {
    return Error{Errc::bad_length, "AttestationRequest.challenge", challenge->size(), kMaxChallengeBytes};
  }
  return AttestationRequest{.tee = *tee,
                            .report = *evidence->report,
                            .certs = evidence->certs ? Bytes(*evidence->certs) : Bytes(),
                            .challenge = *challenge,
                            .key = *key};
}

Result<Bytes> encode_attestation_response(const AttestationResponse& response, MutBytes into) {
  TRY(check_consistent(response));
  Result<Bytes> whole = encode_response(response, true, into);
  if (whole || !response.token) return whole;
  return encode_response(response, false, into);
}

Result<AttestationResponse> decode_attestation_response(MutBytes text, KeyType key) {
  JsonReader json(text);
  std::optional<bool> success;
  Result<AttestationResponse> decoded{AttestationResponse()};
  AttestationResponse& response = *decoded;
  JsonReader::Object object = TRY(json.object("AttestationResponse"));
  while (const auto name = TRY(object.next())) {
    if (*name == "success") {
      success = TRY(json.boolean("AttestationResponse.success"));
    } else if (*name == "secret") {
      response.secret = TRY(json.base64(Base64::standard, kMaxCiphertextBytes, "AttestationResponse.secret"));
    } else if (*name == "decryption") {
      if (TRY(json.kind()) == JsonKind::null) {
        TRY(json.null("AttestationResponse.decryption"));
      } else {
        TRY(read_decryption(json, key, response.decryption.emplace()));
      }
    } else if (*name == "token") {
      if (TRY(json.kind()) == JsonKind::null) {
        TRY(json.null("AttestationResponse.token"));
      } else {
        response.token = TRY(read_token(json));
      }
    } else if (*name == "ext") {
      response.error = TRY(read_error_ext(json));
    } else {
      TRY(json.skip());
    }
  }
  TRY(json.done());
  if (!success) return Error{Errc::json_missing, "AttestationResponse.success"};
  response.success = *success;
  TRY(check_consistent(response));
  return decoded;
}

}  // namespace attestbed::protocol
