// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/fault_body.h"

#include <nlohmann/json.hpp>

#include "mock-kbs/base64_text.h"

namespace attestbed::kbs {
namespace {

using nlohmann::ordered_json;
using How = Delivery::How;
using K = FaultKind;

constexpr std::size_t kHugeNonceOctets = 1024 * 1024;
constexpr std::size_t kHugeTokenOctets = 200 * 1024;
constexpr char kPage[] =
    "<!DOCTYPE html>\n<html><head><title>Sign in</title></head>\n<body><h1>Welcome to the guest "
    "network</h1></body></html>\n";

void replace(Response& response, int status, std::string body, const char* content_type) {
  response.status = status;
  response.body = std::move(body);
  response.content_type = content_type;
  response.set_cookie.clear();
}

const char* usual_variant(FaultEndpoint at) {
  return at == FaultEndpoint::resource ? "TokenNotFound" : "AttestationError";
}

void answer_status(const Fault& fault, FaultEndpoint at, Response& response) {
  const std::string variant = fault.word.empty() ? usual_variant(at) : fault.word;
  const bool problem = fault.status == 401 || fault.status == 404;
  const char* unknown = "PluginNotFound";
  replace(response, fault.status,
          problem ? encode_problem(fault.status == 404 ? unknown : variant, "a scripted fault") : "", "");
  if (fault.number != 0) response.headers.emplace_back("Retry-After", std::to_string(fault.number));
}

void redirect(Response& response, const char* to) {
  replace(response, 307, "", "");
  response.headers.emplace_back("Location", to);
}

// An answer of ours as an object, if it is one with members.
ordered_json object_of(const Response& response) {
  ordered_json object = ordered_json::parse(response.body, nullptr, /*allow_exceptions=*/false);
  return object.is_object() && !object.empty() ? object : ordered_json();
}

std::string member_text(const std::string& name, const std::string& value) {
  return ordered_json(name).dump() + ":" + value;
}

// Puts one more member at the head of the object, whether or not it has it already.
void put_first(Response& response, const std::string& name, const std::string& value) {
  response.body = "{" + member_text(name, value) + "," + response.body.substr(response.body.find('{') + 1);
}

bool break_member(const Fault& fault, Response& response) {
  ordered_json object = object_of(response);
  if (object.is_null()) return false;
  if (fault.kind == K::member_unknown) {
    put_first(response, "attestbed-unknown", R"({"a":[1,2,3],"b":null})");
    return true;
  }
  if (fault.kind == K::oversize) {
    put_first(response, "attestbed-unknown", '"' + std::string(fault.number, 'x') + '"');
    return true;
  }
  const std::string name = fault.word.empty() ? object.begin().key() : fault.word;
  if (!object.contains(name)) return false;
  if (fault.kind == K::member_duplicate) {
    put_first(response, name, object[name].dump());
    return true;
  }
  if (fault.kind == K::member_null) {
    object[name] = nullptr;
  } else {
    object.erase(name);
  }
  response.body = object.dump();
  return true;
}

bool put_text(Response& response, const char* member, std::string text) {
  ordered_json object = object_of(response);
  if (!object.contains(member)) return false;
  object[member] = std::move(text);
  response.body = object.dump();
  return true;
}

std::string text_of_member(const Response& response, const char* member) {
  const ordered_json object = object_of(response);
  return object.contains(member) && object[member].is_string() ? object[member].get<std::string>() : std::string();
}

bool break_nonce(const Fault& fault, FaultNoise& noise, Response& response) {
  const auto standard = [](std::string_view octets) { return base64_text(Base64::standard, bytes_of(octets)); };
  std::string nonce = text_of_member(response, "nonce");
  switch (fault.kind) {
    case K::nonce_empty:
      return put_text(response, "nonce", "");
    case K::nonce_short:
      return put_text(response, "nonce", standard(noise.octets(1)));
    case K::nonce_huge:
      return put_text(response, "nonce", standard(noise.octets(kHugeNonceOctets)));
    case K::nonce_url: {
      // These three octets are the characters that the two alphabets differ in.
      std::string text = base64_text(Base64::url, bytes_of("\xfb\xef\xff" + noise.octets(29)));
      return put_text(response, "nonce", text + "=");
    }
    default:
      while (nonce.ends_with('=')) nonce.pop_back();
      return put_text(response, "nonce", nonce);
  }
}

bool break_cookie(const Fault& fault, Response& response) {
  std::string& cookie = response.set_cookie;
  const std::size_t value = cookie.find('=');
  if (value == std::string::npos) return false;
  const std::string pair = cookie.substr(0, cookie.find(';'));
  switch (fault.kind) {
    case K::cookie_missing:
      cookie.clear();
      return true;
    case K::cookie_changed:
      cookie[value + 1] = cookie[value + 1] == '0' ? '1' : '0';
      return true;
    case K::cookie_expired:
      cookie = pair + "; Expires=Thu, 01 Jan 1970 00:00:00 GMT";
      return true;
    case K::cookie_path:
      cookie += "; Path=/elsewhere";
      return true;
    default:
      cookie += "; Domain=broker.invalid";
      return true;
  }
}

bool break_token(const Fault& fault, FaultNoise& noise, Response& response) {
  const std::string token = text_of_member(response, "token");
  if (fault.kind == K::token_text) return put_text(response, "token", "not a token");
  if (fault.kind == K::token_huge) {
    const std::string filling = base64url(noise.octets(kHugeTokenOctets));
    return put_text(response, "token",
                    token + filling.substr(0, kHugeTokenOctets - std::min(token.size(), kHugeTokenOctets)));
  }
  const std::size_t first = token.find('.');
  const std::size_t last = token.rfind('.');
  if (first == std::string::npos || first == last) return false;
  const std::string header = base64url(std::string_view(R"({"typ":"JWT","alg":"none"})"));
  return put_text(response, "token", header + token.substr(first, last - first) + ".");
}

bool deliver(How how, const Fault& fault, Response& response) {
  response.delivery = {.how = how, .time = std::chrono::milliseconds(fault.number)};
  return true;
}

bool truncate(const Fault& fault, Response& response) {
  if (response.body.empty()) return false;
  const std::size_t size = response.body.size();
  response.body.resize(std::min<std::size_t>(size, fault.number == 0 ? size / 2 : fault.number));
  return true;
}

}  // namespace

bool break_body(const Fault& fault, FaultEndpoint at, FaultNoise noise, Response& response) {
  switch (fault.kind) {
    case K::delay:
      return deliver(How::delayed, fault, response);
    case K::stall:
      return deliver(How::stalled, fault, response);
    case K::trickle:
      return deliver(How::trickled, fault, response);
    case K::close:
      return deliver(How::closed, fault, response);
    case K::reset:
      return deliver(How::reset, fault, response);
    case K::refuse:
      return deliver(How::refusing, fault, response);
    case K::short_body:
      return deliver(How::short_body, fault, response);
    case K::long_body:
      return deliver(How::long_body, fault, response);
    case K::chunked:
      return deliver(How::chunked, fault, response);
    case K::status:
      answer_status(fault, at, response);
      return true;
    case K::redirect_host:
      redirect(response, "http://broker.invalid/kbs/v0/auth");
      return true;
    case K::redirect_file:
      redirect(response, "file:///etc/hostname");
      return true;
    case K::empty:
      replace(response, 200, "", "");
      return true;
    case K::html:
      replace(response, 200, kPage, "text/html");
      return true;
    case K::garbage:
      replace(response, 200, noise.octets(1000), "application/octet-stream");
      return true;
    case K::version: {
      const std::string other = fault.word.empty() ? "0.3.0" : fault.word;
      replace(response, 401, encode_problem("AttestationError", "version: expected " + other + ", found 0.4.0"), "");
      return true;
    }
    case K::truncate:
      return truncate(fault, response);
    case K::trailing:
      response.body += "{}\n";
      return true;
    case K::oversize:
    case K::member_missing:
    case K::member_duplicate:
    case K::member_null:
    case K::member_unknown:
      return break_member(fault, response);
    case K::nonce_empty:
    case K::nonce_short:
    case K::nonce_huge:
    case K::nonce_url:
    case K::nonce_unpadded:
      return break_nonce(fault, noise, response);
    case K::cookie_missing:
    case K::cookie_changed:
    case K::cookie_expired:
    case K::cookie_path:
    case K::cookie_domain:
      return break_cookie(fault, response);
    case K::token_text:
    case K::token_huge:
    case K::token_alg_none:
      return break_token(fault, noise, response);
    default:
      return false;
  }
}

}  // namespace attestbed::kbs
