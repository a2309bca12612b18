// SPDX-License-Identifier: Apache-2.0
#include "sim/vmsa.h"

#include <cstring>

#include "core/base/wire.h"

namespace attestbed::sim {
namespace {

struct NamedVmm {
  const char* name;
  Vmm vmm;
};
constexpr NamedVmm kVmms[] = {{"QEMU", Vmm::qemu}, {"ec2", Vmm::ec2}, {"gce", Vmm::gce}};

struct CpuModel {
  const char* name;
  std::uint32_t signature;
};
constexpr CpuModel kModels[] = {
    {"EPYC", 0x800f12},          {"EPYC-v1", 0x800f12},      {"EPYC-v2", 0x800f12},       {"EPYC-IBPB", 0x800f12},
    {"EPYC-v3", 0x800f12},       {"EPYC-v4", 0x800f12},      {"EPYC-Rome", 0x830f10},     {"EPYC-Rome-v1", 0x830f10},
    {"EPYC-Rome-v2", 0x830f10},  {"EPYC-Rome-v3", 0x830f10}, {"EPYC-Milan", 0xa00f11},    {"EPYC-Milan-v1", 0xa00f11},
    {"EPYC-Milan-v2", 0xa00f11}, {"EPYC-Genoa", 0xa10f10},   {"EPYC-Genoa-v1", 0xa10f10}, {"EPYC-Turin", 0xb00f00},
};

template <class Row, std::size_t N>
std::string names_of(const Row (&rows)[N]) {
  std::string names;
  for (const Row& row : rows) names += (names.empty() ? "" : ", ") + std::string(row.name);
  return names;
}

template <class T>
void put(snp::Page& page, std::size_t offset, T value) {
  const LittleEndian<T> octets = value;
  std::memcpy(page.data() + offset, &octets, sizeof octets);
}

struct Segment {
  std::size_t offset;
  std::uint16_t selector, attributes;
  std::uint32_t limit;
};

constexpr std::size_t kCs = 0x10, kSs = 0x20, kTr = 0x90, kAttributes = 2;

constexpr Segment kSegments[] = {
    {0x00, 0, 0x93, 0xffff},      // ES
    {kCs, 0xf000, 0x9b, 0xffff},  // base below
    {kSs, 0, 0x93, 0xffff},       //
    {0x30, 0, 0x93, 0xffff},      // DS
    {0x40, 0, 0x93, 0xffff},      // FS
    {0x50, 0, 0x93, 0xffff},      // GS
    {0x60, 0, 0, 0xffff},         // GDTR
    {0x70, 0, 0x82, 0xffff},      // LDTR
    {0x80, 0, 0, 0xffff},         // IDTR
    {kTr, 0, 0x8b, 0xffff},       //
};

constexpr std::size_t kGPat = 0x268, kRdx = 0x310, kMxcsr = 0x408, kX87Fcw = 0x410;

// What the clouds' own VMMs set otherwise than QEMU.
void adapt(snp::Page& page, const VmsaState& state) {
  if (state.vmm == Vmm::qemu) return;
  put<std::uint64_t>(page, kRdx, 0x600);
  put<std::uint32_t>(page, kMxcsr, 0);
  put<std::uint16_t>(page, kX87Fcw, 0);
  if (state.vmm == Vmm::gce) put<std::uint64_t>(page, kGPat, 0x00070106);
  if (state.vmm != Vmm::ec2) return;
  if (state.eip == kResetVector) put<std::uint16_t>(page, kCs + kAttributes, 0x9a);
  put<std::uint16_t>(page, kSs + kAttributes, 0x92);
  put<std::uint16_t>(page, kTr + kAttributes, 0x83);
}

}  // namespace

Outcome<Vmm> vmm_named(std::string_view name) {
  for (const NamedVmm& row : kVmms) {
    if (name == row.name) return row.vmm;
  }
  return Failure{Errc::bad_config, "virtual machine monitor: expected one of " + names_of(kVmms) + ", found \"" +
                                       std::string(name) + "\""};
}

Outcome<std::uint64_t> cpu_signature_of(std::string_view model) {
  for (const CpuModel& row : kModels) {
    if (model == row.name) return std::uint64_t{row.signature};
  }
  return Failure{Errc::bad_config,
                 "processor model: expected one of " + names_of(kModels) + ", found \"" + std::string(model) + "\""};
}

snp::Page vmsa_page(const VmsaState& state) {
  snp::Page page{};
  for (const Segment& segment : kSegments) {
    put<std::uint16_t>(page, segment.offset, segment.selector);
    put<std::uint16_t>(page, segment.offset + kAttributes, segment.attributes);
    put<std::uint32_t>(page, segment.offset + 4, segment.limit);
  }
  put<std::uint64_t>(page, kCs + 8, state.eip & 0xffff0000U);  // CS base
  put<std::uint64_t>(page, 0xd0, 0x1000);                      // EFER
  put<std::uint64_t>(page, 0x148, 0x40);                       // CR4
  put<std::uint64_t>(page, 0x158, 0x10);                       // CR0
  put<std::uint64_t>(page, 0x160, 0x400);                      // DR7
  put<std::uint64_t>(page, 0x168, 0xffff0ff0);                 // DR6
  put<std::uint64_t>(page, 0x170, 2);                          // RFLAGS
  put<std::uint64_t>(page, 0x178, state.eip & 0xffffU);        // RIP
  put<std::uint64_t>(page, kGPat, 0x0007040600070406);
  put<std::uint64_t>(page, kRdx, state.cpu_signature);
  put<std::uint64_t>(page, 0x3b0, state.sev_features);  // SEV_FEATURES
  put<std::uint64_t>(page, 0x3e8, 1);                   // XCR0
  put<std::uint32_t>(page, kMxcsr, 0x1f80);
  put<std::uint16_t>(page, kX87Fcw, 0x37f);
  adapt(page, state);
  return page;
}

}  // namespace attestbed::sim
