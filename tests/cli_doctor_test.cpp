// SPDX-License-Identifier: Apache-2.0
// `attestbed doctor` as people and scripts call it, on whatever machine this is.
#include <nlohmann/json.hpp>

#include "tests/command_line.h"

namespace attestbed::tests {
namespace {

using nlohmann::json;

std::vector<std::string> names_of(const json& purpose) {
  std::vector<std::string> names;
  for (const json& check : purpose.at("checks")) names.push_back(check.at("name"));
  return names;
}

json check_of(const json& purpose, const std::string& name) {
  for (const json& check : purpose.at("checks")) {
    if (check.at("name") == name) return check;
  }
  return {};
}

TEST(CliDoctor, JsonHasStableNames) {
  const Ran ran = attestbed("doctor --json");
  EXPECT_EQ(ran.err, "");
  const json said = json::parse(ran.out);
  ASSERT_EQ(said.size(), 2U);
  EXPECT_EQ(names_of(said.at("simulation")), (std::vector<std::string>{"qemu", "kernel", "accel"}));
  EXPECT_EQ(names_of(said.at("snp")),
            (std::vector<std::string>{"processor", "host-kernel", "kvm-switch", "dev-kvm", "dev-sev", "qemu", "ovmf",
                                      "igvm", "memory", "firmware", "guest-kernel", "certificates"}));
  for (const char* purpose : {"simulation", "snp"}) {
    EXPECT_EQ(said.at(purpose).at("ready"), said.at(purpose).at("missing").empty());
    for (const json& check : said.at(purpose).at("checks")) {
      const std::string state = check.at("state");
      EXPECT_TRUE(state == "ok" || state == "missing" || state == "unknown") << state;
      EXPECT_FALSE(check.at("found").get<std::string>().empty()) << check;
      EXPECT_EQ(check.contains("next"), state != "ok") << check;
    }
  }
}

TEST(CliDoctor, ExitCodeSaysWhetherThePurposeCanBeServed) {
  for (const std::string purpose : {"simulation", "snp"}) {
    const Ran ran = attestbed("doctor --json --for " + purpose);
    const json said = json::parse(ran.out);
    ASSERT_EQ(said.size(), 1U);
    EXPECT_EQ(ran.exit_code, said.at(purpose).at("ready").get<bool>() ? 0 : 1);
  }
  EXPECT_EQ(attestbed("doctor").exit_code, attestbed("doctor --for simulation").exit_code);
}

/// A program that answers as QEMU 9.1 does, and one that never answers.
struct FakeQemus {
  Scratch scratch;
  std::string answers = program("answers",
                                "case \"$1\" in --version) echo 'QEMU emulator version 9.1.0';;\n"
                                "-object) printf 'List of user creatable objects:\\n  sev-snp-guest\\n';; esac\n");
  std::string hangs = program("hangs", "exec sleep 60\n");

  std::string program(const std::string& name, const std::string& script) const {
    const std::string text = "#!/bin/sh\n" + script;
    const std::string path = scratch.put(name, Octets(text.begin(), text.end()));
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path;
  }
};

TEST(CliDoctor, SimulationIsReadyWithAQemuAndAKernel) {
  const FakeQemus qemus;
  std::filesystem::create_directories(qemus.scratch / "kernels/boot");
  const std::string kernel = qemus.scratch.put("kernels/boot/vmlinuz-6.1", {});
  std::filesystem::create_directories(qemus.scratch / "kernels/lib/modules/6.1");
  qemus.scratch.put("kernels/lib/modules/6.1/modules.builtin", {});
  const Ran ran =
      attestbed("doctor --json --for simulation --qemu " + qemus.answers + " --kernels " + qemus.scratch / "kernels");
  EXPECT_EQ(ran.exit_code, 0) << ran.out;
  const json said = json::parse(ran.out).at("simulation");
  EXPECT_EQ(check_of(said, "qemu").at("found"), qemus.answers + ", version 9.1");
  EXPECT_EQ(check_of(said, "kernel").at("found"), kernel);
}

TEST(CliDoctor, AQemuThatIsNotThereIsMissing) {
  const Ran ran = attestbed("doctor --for simulation --qemu /no/such/qemu");
  EXPECT_EQ(ran.exit_code, 1);
  EXPECT_TRUE(contains(ran.out, "  missing  qemu          /no/such/qemu: no such file\n")) << ran.out;
  EXPECT_TRUE(contains(ran.out, "-> ./run deps")) << ran.out;
}

TEST(CliDoctor, AQemuThatNeverAnswersIsUnknownAndHoldsNobodyUp) {
  const FakeQemus qemus;
  const Ran ran = attestbed("doctor --json --for snp --qemu " + qemus.hangs);
  EXPECT_EQ(check_of(json::parse(ran.out).at("snp"), "qemu").at("state"), "unknown") << ran.out;
}

TEST(CliDoctor, TheQemuThatKnowsSnpGuestsIsOkWithoutIgvm) {
  const FakeQemus qemus;
  const json said = json::parse(attestbed("doctor --json --for snp --qemu " + qemus.answers).out).at("snp");
  EXPECT_EQ(check_of(said, "qemu").at("state"), "ok");
  EXPECT_EQ(check_of(said, "igvm").at("state"), "missing");
  EXPECT_EQ(check_of(said, "igvm").at("required"), false);
}

TEST(CliDoctor, UnknownPurposesAreUsageErrors) {
  const Ran ran = attestbed("doctor --for moon");
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_EQ(ran.out, "");
}

}  // namespace
}  // namespace attestbed::tests
