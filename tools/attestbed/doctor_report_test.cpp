// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/doctor_report.h"

#include <gtest/gtest.h>

namespace attestbed::tools {
namespace {

using vm::CheckState;
using vm::HostCheck;

std::vector<Purpose> purposes() {
  return {{"simulation",
           "Simulated guests in a VM",
           {HostCheck{"qemu", true, CheckState::ok, "version 7.2", {}},
            HostCheck{"accel", false, CheckState::missing, "no /dev/kvm", "nothing"}}},
          {"snp",
           "SEV-SNP guests",
           {HostCheck{"processor", true, CheckState::missing, "no SNP", "buy one"},
            HostCheck{"firmware", true, CheckState::unknown, "not told", "as root"}}}};
}

TEST(DoctorReport, TextHasALineForEachCheckAndItsRemedyBelow) {
  EXPECT_EQ(doctor_text(purposes()),
            "Simulated guests in a VM: ready\n"
            "  ok       qemu          version 7.2\n"
            "  missing  accel         no /dev/kvm (optional)\n"
            "                         -> nothing\n"
            "\n"
            "SEV-SNP guests: no, 1 missing\n"
            "  missing  processor     no SNP\n"
            "                         -> buy one\n"
            "  unknown  firmware      not told\n"
            "                         -> as root\n");
}

TEST(DoctorReport, WhatIsOnlyUnknownIsPerhaps) {
  std::vector<Purpose> all = purposes();
  all[1].checks.erase(all[1].checks.begin());
  EXPECT_NE(doctor_text(all).find("SEV-SNP guests: perhaps, 1 unknown\n"), std::string::npos);
  EXPECT_EQ(doctor_json(all)["snp"]["ready"], true);
}

TEST(DoctorReport, JsonNamesWhatIsRequiredAndNotThere) {
  EXPECT_EQ(doctor_json(purposes()).dump(),
            R"({"simulation":{"ready":true,"missing":[],"unknown":[],"checks":[)"
            R"({"name":"qemu","required":true,"state":"ok","found":"version 7.2"},)"
            R"({"name":"accel","required":false,"state":"missing","found":"no /dev/kvm","next":"nothing"}]},)"
            R"("snp":{"ready":false,"missing":["processor"],"unknown":["firmware"],"checks":[)"
            R"({"name":"processor","required":true,"state":"missing","found":"no SNP","next":"buy one"},)"
            R"({"name":"firmware","required":true,"state":"unknown","found":"not told","next":"as root"}]}})");
}

}  // namespace
}  // namespace attestbed::tools
