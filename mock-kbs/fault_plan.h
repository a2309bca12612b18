// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/verify/refusal.h"

// What a broker can be told to do wrong, as data: a run is repeated from its printed plan and seed. This is a library
// of its own, so that programs that start a broker can judge a plan before they do. Names are a public interface.
namespace attestbed::kbs {

using verify::Checked;
using verify::Refusal;

/// FaultEndpoint is where a fault waits. `connection` counts connections instead of requests.
enum class FaultEndpoint : std::uint8_t { auth, attest, resource, any, connection };

/// FaultKind is what happens; what each kind does stands beside its name in the list of fault_names().
enum class FaultKind : std::uint8_t {
  // the connection
  delay,
  stall,
  trickle,
  close,
  reset,
  refuse,
  short_body,
  long_body,
  chunked,
  // the answer as a whole
  status,
  redirect_host,
  redirect_file,
  empty,
  html,
  truncate,
  trailing,
  garbage,
  oversize,
  replay,
  // its members
  member_missing,
  member_duplicate,
  member_null,
  member_unknown,
  // the challenge
  version,
  nonce_empty,
  nonce_short,
  nonce_huge,
  nonce_url,
  nonce_unpadded,
  nonce_repeated,
  // the session
  cookie_missing,
  cookie_changed,
  cookie_expired,
  cookie_path,
  cookie_domain,
  session_expired,
  // the token
  token_text,
  token_huge,
  token_expired,
  token_alg_none,
  // the secret
  jwe_tag,
  jwe_ciphertext,
  jwe_header_order,
  jwe_header_spaces,
  jwe_epk_off_curve,
  jwe_epk_p256,
  jwe_epk_short,
  jwe_key_short,
  jwe_key_long,
  jwe_cek_16,
  jwe_iv_11,
  jwe_iv_16,
  jwe_aad,
  jwe_apu,
  jwe_apv,
  jwe_alg_rsa,
  jwe_other_key,
  secret,
  secret_other_guest,
};

/// FaultArgument says what may follow the name of a kind.
///   none      nothing
///   optional  a number up to `most`; `usual` without one
///   needed    such a number
///   word      a name out of [A-Za-z0-9_.-], up to 64 characters, or none
enum class FaultArgument : std::uint8_t { none, optional, needed, word };

/// FaultName is one row of the list of kinds.
///   endpoints  a bit for each endpoint where the kind may wait: 1 << endpoint
///   status     of kind `status`, whose name is the number
///   does       one clause for people
struct FaultName {
  const char* name;
  FaultKind kind;
  int status;
  unsigned endpoints;
  FaultArgument argument;
  std::uint32_t usual;
  std::uint32_t most;
  const char* does;
};
std::span<const FaultName> fault_names();

/// Fault is one kind at one place in a broker's life. What is counted are the requests to its endpoint by those whom
/// the fault concerns, from the moment the plan is set.
///   session  only of the n-th session that was opened; 0: of any
///   guest    only of guests of the reference entry of this name; empty: of any. An entry is known once a guest
///   attested
///            or was refused under it, so `auth` has none
///   nth      from this request on, counted from 1 ...
///   onwards  ... to the last, not this one alone
///   one_in   not 0: instead one request in so many, chosen by the plan's seed
///   number   of the kind's argument, or its usual value
///   word     of the kind's argument
struct Fault {
  FaultEndpoint endpoint = FaultEndpoint::any;
  std::uint32_t session = 0;
  std::string guest{};
  std::uint32_t nth = 1;
  bool onwards = false;
  std::uint32_t one_in = 0;
  FaultKind kind = FaultKind::status;
  int status = 0;
  std::uint32_t number = 0;
  std::string word{};
  friend bool operator==(const Fault&, const Fault&) = default;
};

/// fault_text prints ENDPOINT[@session=K|@guest=NAME]:N:KIND[:ARGUMENT], such as "resource:1:truncate",
/// "auth:2+:503:5" or "attest@guest=demo:1/10:delay:500"; parse_fault reads it.
///   errors  bad_config: which part, what it may be, what it is
std::string fault_text(const Fault& fault);
Checked<Fault> parse_fault(std::string_view text);

/// FaultPlan is everything that goes wrong at one broker. Of the faults that fit a request the first is taken.
struct FaultPlan {
  std::uint64_t seed = 0;
  std::vector<Fault> faults;
};
inline constexpr std::size_t kMaxFaults = 64;

/// fault_fits says whether a fault happens at the `count`-th request that it concerns. The choice of `one_in` depends
/// on seed, place in the plan and count alone.
bool fault_fits(const FaultPlan& plan, std::size_t index, std::uint64_t count);

/// fault_help is the list of kinds as text, one line each, for --help and for people who mistyped.
std::string fault_help();

const char* fault_endpoint_name(FaultEndpoint endpoint);

}  // namespace attestbed::kbs
