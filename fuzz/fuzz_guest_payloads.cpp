// SPDX-License-Identifier: Apache-2.0
// The input is a decrypted MSG_KEY_RSP, MSG_TSC_INFO_RSP or MSG_CPUID_RSP (the first octet says which, and for CPUID
// how many functions were asked). Property: only the one legal length passes, with STATUS 0; what comes out is what
// stands there; a refused CPUID reply leaves the functions as they were asked.
#include <algorithm>
#include <cstring>
#include <vector>

#include "core/snp/cpuid_message.h"
#include "core/snp/key_message.h"
#include "core/snp/tsc_info_message.h"
#include "fuzz/must.h"

using namespace attestbed;
using namespace attestbed::snp;

namespace {

bool all_zero(Bytes octets) {
  return std::ranges::all_of(octets, [](std::uint8_t octet) { return octet == 0; });
}

void check_key(Bytes payload) {
  const auto key = parse_key_rsp(payload);
  const bool legal = payload.size() == 64 && all_zero(payload.first(32));
  fuzz::must(key.has_value() == legal, "a key comes out of its one form");
  fuzz::must(!key || std::ranges::equal(key->expose(), payload.subspan(32)), "and is the one in it");
}

void check_tsc_info(Bytes payload) {
  const auto info = parse_tsc_info_rsp(payload);
  fuzz::must(info.has_value() == (payload.size() == 128 && all_zero(payload.first(4))), "of one length, STATUS 0");
  if (!info) return;
  std::uint8_t octets[20];
  for (std::size_t i = 0; i < 8; ++i) octets[i] = static_cast<std::uint8_t>(info->scale >> (8 * i));
  for (std::size_t i = 0; i < 8; ++i) octets[8 + i] = static_cast<std::uint8_t>(info->offset >> (8 * i));
  for (std::size_t i = 0; i < 4; ++i) octets[16 + i] = static_cast<std::uint8_t>(info->factor >> (8 * i));
  fuzz::must(std::ranges::equal(payload.subspan(8, 20), octets), "numbers are little-endian, where they belong");
}

void check_cpuid(std::size_t count, Bytes payload) {
  std::vector<CpuidFunction> asked(count);
  for (std::size_t i = 0; i < count; ++i) asked[i].eax_in = static_cast<std::uint32_t>(i);
  std::vector<CpuidFunction> functions = asked;
  const std::size_t bytes = count * sizeof(CpuidFunction);
  if (!read_cpuid_rsp(payload, functions)) {
    fuzz::must(bytes == 0 || std::memcmp(functions.data(), asked.data(), bytes) == 0, "a refusal changes nothing");
    return;
  }
  fuzz::must(payload.size() == 16 + bytes && all_zero(payload.first(4)), "of one length, STATUS 0");
  fuzz::must(payload[4] == count && all_zero(payload.subspan(5, 3)), "as many as were asked");
  for (std::size_t i = 0; i < count; ++i) {
    const Bytes row = payload.subspan(16 + i * sizeof(CpuidFunction), sizeof(CpuidFunction));
    fuzz::must(std::memcmp(&functions[i], row.data(), row.size()) == 0, "each is what stands there");
    fuzz::must(functions[i].eax_in == i && all_zero(row.subspan(4, 20)), "and answers what was asked");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Bytes payload = Bytes(data, size).subspan(1);
  if (data[0] == 0) check_key(payload);
  if (data[0] == 1) check_tsc_info(payload);
  if (data[0] >= 2) check_cpuid(std::min<std::size_t>(data[0] - 2U, kMaxCpuidFunctions), payload);
  return 0;
}
