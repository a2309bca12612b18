// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/fault_plan.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "mock-kbs/fault_noise.h"

namespace attestbed::kbs {
namespace {

constexpr std::array kEndpoints{"auth", "attest", "resource", "any", "connection"};
constexpr std::size_t kMaxWord = 64;
constexpr std::uint32_t kMaxCount = 1'000'000;
constexpr char kForm[] = "ENDPOINT[@session=K|@guest=NAME]:N:KIND[:ARGUMENT]";

// The error variants that a KBS of protocol 0.4.0 knows.
constexpr std::array<std::string_view, 12> kVariants{
    "AttestationError", "TokenNotFound",           "TokenVerifierError", "PolicyDeny",       "PluginInternalError",
    "JweError",         "AdminAuthInitialization", "AdminAuthAccess",    "ParsePolicyError", "PolicyEngineError",
    "RvpsError",        "PluginNotFound"};

Refusal wrong(const char* part, std::string expected, std::string_view found) {
  return {Errc::bad_config, std::string("fault: ") + part, std::move(expected),
          found.empty() ? "nothing" : verify::printable(found, 64)};
}

std::string_view next_part(std::string_view& text) {
  const std::size_t colon = text.find(':');
  const std::string_view part = text.substr(0, colon);
  text = colon == std::string_view::npos ? std::string_view{} : text.substr(colon + 1);
  return part;
}

bool read_number(std::string_view text, std::uint32_t most, std::uint32_t& into) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  return !text.empty() && error == std::errc() && end == text.data() + text.size() && into <= most;
}

bool is_word(std::string_view text) {
  return !text.empty() && text.size() <= kMaxWord && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '-';
  });
}

template <class List>
std::string joined(const List& list) {
  std::string text;
  for (const auto& item : list) text += (text.empty() ? "" : ", ") + std::string(item);
  return text;
}

std::string counted(std::uint32_t from, std::uint32_t most) {
  return "a number from " + std::to_string(from) + " to " + std::to_string(most);
}

Checked<void> read_endpoint(std::string_view part, Fault& fault) {
  const std::size_t at = part.find('@');
  const std::string_view name = part.substr(0, at);
  const auto* endpoint = std::ranges::find(kEndpoints, name);
  if (endpoint == kEndpoints.end()) return wrong("endpoint", joined(kEndpoints), name);
  fault.endpoint = static_cast<FaultEndpoint>(endpoint - kEndpoints.begin());
  if (at == std::string_view::npos) return {};
  constexpr std::string_view kSession = "session=";
  constexpr std::string_view kGuest = "guest=";
  const std::string_view who = part.substr(at + 1);
  if (fault.endpoint == FaultEndpoint::connection) return wrong("endpoint", "connection, of whomever", part);
  if (who.starts_with(kSession)) {
    const std::string_view number = who.substr(kSession.size());
    if (read_number(number, kMaxCount, fault.session) && fault.session != 0) return {};
    return wrong("session", counted(1, kMaxCount), number);
  }
  if (!who.starts_with(kGuest)) return wrong("endpoint", "@session=K or @guest=NAME after its name", who);
  if (fault.endpoint == FaultEndpoint::auth) {
    return wrong("guest", "attest, resource or any: who asks at auth is not known", part);
  }
  const std::string_view guest = who.substr(kGuest.size());
  if (!is_word(guest)) return wrong("guest", "letters, digits, '_', '.' and '-'", guest);
  fault.guest = guest;
  return {};
}

Checked<void> read_when(std::string_view part, Fault& fault) {
  constexpr std::string_view kOneIn = "1/";
  std::string_view number = part;
  if (part.starts_with(kOneIn)) {
    number.remove_prefix(kOneIn.size());
    if (read_number(number, kMaxCount, fault.one_in) && fault.one_in != 0) return {};
  } else {
    if (number.ends_with('+')) {
      fault.onwards = true;
      number.remove_suffix(1);
    }
    if (read_number(number, kMaxCount, fault.nth) && fault.nth != 0) return {};
  }
  return wrong("request", "N, N+ or 1/N, N being " + counted(1, kMaxCount), part);
}

Checked<void> read_argument(const FaultName& row, bool given, std::string_view text, Fault& fault) {
  fault.number = row.usual;
  const std::string part = "argument of " + std::string(row.name);
  switch (row.argument) {
    case FaultArgument::none:
      return given ? Checked<void>(wrong(part.c_str(), "none", ":" + std::string(text))) : Checked<void>();
    case FaultArgument::optional:
      if (!given) return {};
      [[fallthrough]];
    case FaultArgument::needed:
      if (given && read_number(text, row.most, fault.number)) return {};
      return wrong(part.c_str(), counted(0, row.most), text);
    case FaultArgument::word:
      if (!given) return {};
      if (!is_word(text)) return wrong(part.c_str(), "letters, digits, '_', '.' and '-'", text);
      if (row.kind == FaultKind::status && std::ranges::find(kVariants, text) == kVariants.end()) {
        return wrong(part.c_str(), joined(kVariants), text);
      }
      fault.word = text;
      return {};
  }
  return {};
}

const FaultName* row_of(const Fault& fault) {
  const auto names = fault_names();
  const auto row = std::ranges::find_if(
      names, [&](const FaultName& name) { return name.kind == fault.kind && name.status == fault.status; });
  return row == names.end() ? nullptr : &*row;
}

std::string places(const FaultName& row) {
  std::string text;
  for (std::size_t i = 0; i < kEndpoints.size(); ++i) {
    if ((row.endpoints >> i & 1U) != 0) text += (text.empty() ? "" : ", ") + std::string(kEndpoints[i]);
  }
  return text;
}

}  // namespace

std::string fault_text(const Fault& fault) {
  std::string text = fault_endpoint_name(fault.endpoint);
  if (fault.session != 0) text += "@session=" + std::to_string(fault.session);
  if (!fault.guest.empty()) text += "@guest=" + fault.guest;
  text += fault.one_in != 0 ? ":1/" + std::to_string(fault.one_in)
                            : ":" + std::to_string(fault.nth) + (fault.onwards ? "+" : "");
  const FaultName* row = row_of(fault);
  if (row == nullptr) return text + ":?";
  text += ":" + std::string(row->name);
  const bool numbered = row->argument == FaultArgument::needed ||
                        (row->argument == FaultArgument::optional && fault.number != row->usual);
  if (numbered) text += ":" + std::to_string(fault.number);
  if (!fault.word.empty()) text += ":" + fault.word;
  return text;
}

Checked<Fault> parse_fault(std::string_view text) {
  const auto colons = std::ranges::count(text, ':');
  if (colons < 2 || colons > 3) return wrong("form", kForm, text);
  Fault fault;
  TRY(read_endpoint(next_part(text), fault));
  TRY(read_when(next_part(text), fault));
  const std::string_view name = next_part(text);
  const auto names = fault_names();
  const auto row = std::ranges::find_if(names, [name](const FaultName& one) { return name == one.name; });
  if (row == names.end()) return wrong("kind", "a name of the list of faults", name);
  if ((row->endpoints >> static_cast<unsigned>(fault.endpoint) & 1U) == 0) {
    return wrong("kind", std::string(name) + " at " + places(*row), fault_endpoint_name(fault.endpoint));
  }
  fault.kind = row->kind;
  fault.status = row->status;
  TRY(read_argument(*row, colons == 3, text, fault));
  return fault;
}

bool fault_fits(const FaultPlan& plan, std::size_t index, std::uint64_t count) {
  const Fault& fault = plan.faults[index];
  if (fault.one_in != 0) return FaultNoise::of(plan.seed, index, count).next() % fault.one_in == 0;
  return fault.onwards ? count >= fault.nth : count == fault.nth;
}

std::string fault_help() {
  std::string text;
  for (const FaultName& row : fault_names()) {
    std::string name = row.name;
    if (row.argument == FaultArgument::optional) name += "[:NUMBER]";
    if (row.argument == FaultArgument::needed) name += ":NUMBER";
    if (row.argument == FaultArgument::word) name += "[:NAME]";
    name.resize(std::max<std::size_t>(name.size() + 1, 26), ' ');
    text += name + row.does + " (" + places(row) + ")\n";
  }
  return text;
}

const char* fault_endpoint_name(FaultEndpoint endpoint) {
  return kEndpoints[static_cast<std::size_t>(endpoint)];
}

}  // namespace attestbed::kbs
