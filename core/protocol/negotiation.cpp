// SPDX-License-Identifier: Apache-2.0
#include "core/protocol/negotiation.h"

#include <algorithm>
#include <iterator>
#include <limits>

#include "core/protocol/frame.h"

namespace attestbed::protocol {
namespace {

constexpr const char* kTeeNames[] = {"az-snp-vtpm", "az-tdx-vtpm", "nvidia", "sev",         "sgx",
                                     "snp",         "tdx",         "cca",    "csv",         "se",
                                     "hygondcu",    "tpm",         "sample", "sampledevice"};

// The one list that this guest hashes, in this order. There is nothing to negotiate: with any other the host would
// choose what the report binds.
constexpr std::string_view kParams[] = {"EcPublicKeyBytes", "Challenge"};

Result<Version> read_version(JsonReader& json) {
  static constexpr const char* kWhere = "NegotiationRequest.version";
  std::uint32_t numbers[3] = {};
  std::size_t count = 0;
  JsonReader::Array array = TRY(json.array(kWhere));
  while (TRY(array.next())) {
    const std::uint64_t number = TRY(json.unsigned_integer(std::numeric_limits<std::uint32_t>::max(), kWhere));
    if (count < 3) numbers[count] = static_cast<std::uint32_t>(number);
    ++count;
  }
  if (count != 3) return Error{Errc::bad_length, kWhere, count, 3};
  return Version{numbers[0], numbers[1], numbers[2]};
}

// True if the array is exactly kParams; an array of anything else is read to its end all the same.
Result<bool> read_params(JsonReader& json) {
  static constexpr const char* kWhere = "NegotiationResponse.params";
  std::size_t count = 0;
  bool equal = true;
  JsonReader::Array array = TRY(json.array(kWhere));
  while (TRY(array.next())) {
    const MutBytes param = TRY(json.string(kWhere));
    equal = equal && count < std::size(kParams) && text_of(param) == kParams[count];
    ++count;
  }
  return equal && count == std::size(kParams);
}

struct ResponseExt {
  bool has_accepted = false;  // whether or not it was looked at
  std::optional<Terms> accepted;
  std::optional<HostError> error;
};

Result<ResponseExt> read_response_ext(JsonReader& json, bool terms_stated) {
  ResponseExt ext;
  JsonReader::Object object = TRY(json.object("NegotiationResponse.ext"));
  while (const auto name = TRY(object.next())) {
    if (*name == "accepted") {
      ext.has_accepted = true;
      if (terms_stated) {
        ext.accepted = TRY(read_terms(json, "ext.accepted"));
      } else {
        TRY(json.skip());
      }
    } else if (*name == "error") {
      ext.error = TRY(read_host_error(json));
    } else {
      TRY(json.skip());
    }
  }
  return ext;
}

}  // namespace

const char* tee_name(Tee tee) {
  return kTeeNames[static_cast<std::size_t>(tee)];
}

Result<Tee> tee_named(std::string_view name, const char* where) {
  for (std::size_t i = 0; i < std::size(kTeeNames); ++i) {
    if (name == text_of(kTeeNames[i])) return static_cast<Tee>(i);
  }
  return Error{Errc::bad_value, where, name.size(), 0};
}

Result<Bytes> encode_negotiation_request(const NegotiationRequest& request, MutBytes into) {
  Writer out(into.first(std::min(into.size(), kMaxFrameBytes)));
  JsonWriter json(out);
  json.begin_object();
  json.name("version");
  json.begin_array();
  json.number(request.version.major);
  json.number(request.version.minor);
  json.number(request.version.patch);
  json.end_array();
  json.name("tee");
  json.string(text_of(tee_name(request.tee)));
  if (request.terms && !request.terms->is_default()) {
    json.name("ext");
    write_terms(json, *request.terms);
  }
  json.end_object();
  return out.finish("NegotiationRequest");
}

Result<NegotiationRequest> decode_negotiation_request(MutBytes text) {
  JsonReader json(text);
  std::optional<Version> version;
  std::optional<Tee> tee;
  NegotiationRequest request;
  JsonReader::Object object = TRY(json.object("NegotiationRequest"));
  while (const auto name = TRY(object.next())) {
    if (*name == "version") {
      version = TRY(read_version(json));
    } else if (*name == "tee") {
      const MutBytes tee_text = TRY(json.string("NegotiationRequest.tee"));
      tee = TRY(tee_named(text_of(tee_text), "NegotiationRequest.tee"));
    } else if (*name == "ext") {
      request.terms = TRY(read_terms(json, "NegotiationRequest.ext"));
    } else {
      TRY(json.skip());
    }
  }
  TRY(json.done());
  if (!version) return Error{Errc::json_missing, "NegotiationRequest.version"};
  if (!tee) return Error{Errc::json_missing, "NegotiationRequest.tee"};
  request.version = *version;
  request.tee = *tee;
  return request;
}

Result<Version> decode_version(MutBytes text) {
  JsonReader json(text);
  std::optional<Version> version;
  JsonReader::Object object = TRY(json.object("NegotiationRequest"));
  while (const auto name = TRY(object.next())) {
    if (*name == "version") {
      version = TRY(read_version(json));
    } else {
      TRY(json.skip());
    }
  }
  TRY(json.done());
  if (!version) return Error{Errc::json_missing, "NegotiationRequest.version"};
  return *version;
}

Result<Bytes> encode_negotiation_response(const NegotiationResponse& response, MutBytes into) {
  Writer out(into.first(std::min(into.size(), kMaxFrameBytes)));
  JsonWriter json(out);
  json.begin_object();
  if (response.error) {
    json.name("ext");
    json.begin_object();
    json.name("error");
    write_host_error(json, *response.error);
    json.end_object();
  } else if (response.challenge) {
    json.name("challenge");
    json.base64(Base64::standard, response.challenge->octets());
    json.name("params");
    json.begin_array();
    for (const std::string_view param : kParams) json.string(param);
    json.end_array();
    if (response.accepted) {
      json.name("ext");
      json.begin_object();
      json.name("accepted");
      write_terms(json, *response.accepted);
      json.end_object();
    }
  } else {
    return Error{Errc::json_missing, "NegotiationResponse.challenge"};
  }
  json.end_object();
  return out.finish("NegotiationResponse");
}

Result<NegotiationResponse> decode_negotiation_response(MutBytes text, const Terms* stated) {
  JsonReader json(text);
  std::optional<MutBytes> challenge;
  std::optional<bool> params_as_fixed;
  ResponseExt ext;
  JsonReader::Object object = TRY(json.object("NegotiationResponse"));
  while (const auto name = TRY(object.next())) {
    if (*name == "challenge") {
      // Decoded whatever its length: a long one has its own, telling refusal below.
      challenge = TRY(json.base64(Base64::standard, kMaxFrameBytes, "NegotiationResponse.challenge"));
    } else if (*name == "params") {
      params_as_fixed = TRY(read_params(json));
    } else if (*name == "ext") {
      ext = TRY(read_response_ext(json, stated != nullptr));
    } else {
      TRY(json.skip());
    }
  }
  TRY(json.done());

  NegotiationResponse response;
  if (ext.error) {
    if (challenge || params_as_fixed || ext.has_accepted)
      return Error{Errc::contradiction, "NegotiationResponse.ext.error"};
    response.error = ext.error;
    return response;
  }
  if (!challenge) return Error{Errc::json_missing, "NegotiationResponse.challenge"};
  if (!params_as_fixed) return Error{Errc::json_missing, "NegotiationResponse.params"};
  if (!*params_as_fixed) return Error{Errc::host_chosen_params, "NegotiationResponse.params"};
  response.challenge = TRY(Challenge::make(*challenge));
  if (stated != nullptr) {
    if (!ext.accepted || !(*ext.accepted == *stated))
      return Error{Errc::ext_not_honoured, "NegotiationResponse.ext.accepted"};
    response.accepted = ext.accepted;
  }
  return response;
}

}  // namespace attestbed::protocol
