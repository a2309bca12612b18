// SPDX-License-Identifier: Apache-2.0
#include "sim/ca_description.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/posix/describe.h"
#include "sim/utc_time.h"

namespace attestbed::sim {
namespace {

using Json = nlohmann::ordered_json;

struct TcbPart {
  const char* name;
  std::uint8_t snp::Tcb::*level;
};
constexpr TcbPart kTcbParts[] = {{"fmc", &snp::Tcb::fmc},
                                 {"boot_loader", &snp::Tcb::boot_loader},
                                 {"tee", &snp::Tcb::tee},
                                 {"snp", &snp::Tcb::snp},
                                 {"microcode", &snp::Tcb::microcode}};

std::string text_member(const Json& json, const char* name) {
  const auto it = json.find(name);
  return it != json.end() && it->is_string() ? it->get<std::string>() : std::string();
}

// Empty if all is well, else what is wrong.
std::string read_tcb(const Json& json, snp::Tcb& tcb) {
  const auto parts = json.find("reported_tcb");
  if (parts == json.end() || !parts->is_object()) return "\"reported_tcb\" must be an object";
  for (const auto& [name, level] : kTcbParts) {
    const auto found = parts->find(name);
    if (found == parts->end() || !found->is_number_unsigned() || found->get<std::uint64_t>() > 255) {
      return std::string("\"reported_tcb\".\"") + name + "\" must be 0 to 255";
    }
    tcb.*level = found->get<std::uint8_t>();
  }
  return {};
}

}  // namespace

bool csp_id_ok(std::string_view csp_id) {
  return !csp_id.empty() && csp_id.size() <= 64 &&
         std::ranges::all_of(csp_id, [](char letter) { return letter >= ' ' && letter <= '~'; });
}

Status tcb_ok(snp::Product product, const snp::Tcb& tcb) {
  if (product != snp::Product::turin && tcb.fmc != 0) return Error{Errc::bad_config, "TCB fmc (Turin alone has one)"};
  if (tcb.fmc > 127) return Error{Errc::bad_config, "TCB fmc (0 to 127)"};
  if (tcb.boot_loader > 127) return Error{Errc::bad_config, "TCB boot_loader (0 to 127)"};
  if (tcb.tee > 127) return Error{Errc::bad_config, "TCB tee (0 to 127)"};
  if (tcb.snp > 127) return Error{Errc::bad_config, "TCB snp (0 to 127)"};
  return ok();
}

std::string describe(const Description& it) {
  Json tcb;
  for (const auto& [name, level] : kTcbParts) tcb[name] = it.tcb.*level;
  const Json json = {
      {"about", "attestbed: SIMULATED certificate authority and chip; keys and secret are for tests, no security"},
      {"product", snp::product_name(it.product)},
      {"chip_id", posix::to_hex(it.hardware_id())},
      {"reported_tcb", tcb},
      {"not_before", utc_text(it.not_before)},
      {"csp_id", it.csp_id},
  };
  return json.dump(2) + "\n";
}

Outcome<Description> read_description(const std::string& path, std::string_view content) {
  const auto bad = [&](const std::string& why) { return Failure{Errc::bad_config, path + ": " + why}; };
  const Json json = Json::parse(content, nullptr, false);
  if (!json.is_object()) return bad("not a JSON object");
  Description out;
  const auto product = product_named(text_member(json, "product"));
  if (!product) return bad("\"product\" must be Milan, Genoa or Turin");
  out.product = *product;
  std::string chip_id;
  if (!posix::from_hex(text_member(json, "chip_id"), chip_id) || chip_id.size() != out.hardware_id().size()) {
    return bad("\"chip_id\" must be " + std::to_string(2 * out.hardware_id().size()) + " hex digits");
  }
  std::ranges::copy(bytes_of(chip_id), out.chip_id.begin());
  if (const std::string wrong = read_tcb(json, out.tcb); !wrong.empty()) return bad(wrong);
  if (const Status fits = tcb_ok(out.product, out.tcb); !fits) return bad(fits.error().where);
  const auto not_before = utc_time(text_member(json, "not_before"));
  if (!not_before) return bad("\"not_before\" must be a time like 2025-01-01T00:00:00Z");
  out.not_before = *not_before;
  out.csp_id = text_member(json, "csp_id");
  if (!csp_id_ok(out.csp_id)) return bad("\"csp_id\" must be 1 to 64 printable ASCII characters");
  return out;
}

}  // namespace attestbed::sim
