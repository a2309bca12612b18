// SPDX-License-Identifier: Apache-2.0
// What a configuration file says of policies, nonces, appraisal, shared resources and the demands of an entry.
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "mock-kbs/config.h"

namespace attestbed::kbs {
namespace {

namespace fs = std::filesystem;

class ConfigPolicyTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / ("mock-kbs-policy-" + std::to_string(getpid()));
    fs::create_directories(folder_);
    std::ofstream(folder_ / "secret.bin") << "hello";
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string path() const { return (folder_ / "kbs.toml").string(); }
  Checked<Config> config_of(const std::string& text) {
    std::ofstream(path()) << text;
    const Options options = TRY(read_config_file(path()));
    return make_config(options);
  }

  fs::path folder_;
};

// AMD's roots, so that no certificate has to be made.
const std::string kGuest = "[[guest]]\nmeasurement = \"" + std::string(96, 'a') + "\"\nroots = \"amd\"\n";

TEST_F(ConfigPolicyTest, ReadsEveryKey) {
  const auto config = config_of(
      "nonce_mode = \"trustee\"\nnonce_octets = 16\nnonce_seed = \"recording\"\nappraisal = \"trustee\"\n"
      "[resources]\n\"default/shared/all\" = \"secret.bin\"\n"
      "[policy]\nbase = \"affirming\"\n"
      "[[policy.rule]]\nname = \"disk\"\nallow = true\nresource = \"default/disk/*\"\ntee = \"snp\"\n"
      "status = \"warning\"\nentry = \"guest-1\"\n"
      "[[policy.rule]]\nallow = false\ntee = \"sample\"\n" +
      kGuest +
      "binding = \"kbs-sha384\"\nallow_smt = false\nrequire_single_socket = true\n"
      "minimum_tcb = { bootloader = 3, tee = 0, snp = 8, microcode = 115 }\nhost_data = \"" +
      std::string(64, '1') + "\"\n");
  ASSERT_TRUE(config) << config.error().text();
  EXPECT_EQ(config->sessions.nonce_mode, NonceMode::trustee);
  EXPECT_EQ(config->sessions.nonce_octets, 16U);
  EXPECT_EQ(config->sessions.nonce_seed, "recording");
  EXPECT_EQ(config->appraisal, AppraisalMode::trustee);
  EXPECT_EQ(config->values.resources.at("default/shared/all")->size(), 5U);
  const ResourcePolicy& policy = config->values.policy;
  EXPECT_EQ(policy.base(), ResourcePolicy::Base::affirming);
  ASSERT_EQ(policy.rules().size(), 2U);
  EXPECT_EQ(policy.rules()[0].name, "disk");
  EXPECT_TRUE(policy.rules()[0].allow);
  EXPECT_EQ(policy.rules()[0].resource, "default/disk/*");
  EXPECT_EQ(policy.rules()[0].tee, Tee::snp);
  EXPECT_EQ(policy.rules()[0].status, TrustTier::warning);
  EXPECT_EQ(policy.rules()[0].entry, "guest-1");
  EXPECT_EQ(policy.rules()[1].name, "rule-2");
  EXPECT_EQ(policy.rules()[1].tee, Tee::sample);
  const ReferenceEntry& entry = *config->values.reference.entries().front();
  EXPECT_EQ(entry.binding, protocol::Binding::kbs_sha384);
  const verify::Policy demands = entry.demands();
  EXPECT_EQ(demands.allow_smt, false);
  EXPECT_TRUE(demands.require_single_socket);
  EXPECT_EQ(demands.minimum_tcb, (snp::Tcb{.fmc = 0, .boot_loader = 3, .tee = 0, .snp = 8, .microcode = 115}));
  EXPECT_EQ((*demands.host_data)[31], 0x11);
  EXPECT_EQ(demands.max_vmpl, 0U);
}

TEST_F(ConfigPolicyTest, IsStrictAndTrusteesDefaultPolicyWhereNothingIsSaid) {
  const auto config = config_of("");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->sessions.nonce_mode, NonceMode::strict);
  EXPECT_EQ(config->sessions.nonce_octets, 32U);
  EXPECT_FALSE(config->sessions.nonce_seed);
  EXPECT_EQ(config->appraisal, AppraisalMode::strict);
  EXPECT_EQ(config->values.policy.base(), ResourcePolicy::Base::default_);
  // The server that it then takes the form of has another.
  EXPECT_EQ(config_of("parity = \"kbs-test\"\n")->sessions.nonce_octets, 16U);
  EXPECT_EQ(config_of("parity = \"kbs-test\"\nnonce_octets = 32\n")->sessions.nonce_octets, 32U);
}

struct BadFile {
  const char* name;
  const char* text;
  const char* where;  // what the field begins with, after the file's path
};

TEST_F(ConfigPolicyTest, NamesFileLineAndKey) {
  const BadFile cases[] = {
      {"NonceMode", "nonce_mode = \"loose\"\n", ":1: nonce_mode"},
      {"NonceOctets", "nonce_octets = 24\n", ":1: nonce_octets"},
      {"NonceSeedNumber", "nonce_seed = 7\n", ":1: nonce_seed"},
      {"Appraisal", "appraisal = \"none\"\n", ":1: appraisal"},
      {"SharedPath", "[resources]\n\"a/../c\" = \"secret.bin\"\n", ":2: resources.\"a/../c\""},
      {"PolicyText", "policy = \"allow_all\"\n", ":1: policy"},
      {"PolicyBase", "[policy]\nbase = \"allow\"\n", ":2: policy.base"},
      {"PolicyKey", "[policy]\nbasis = \"allow_all\"\n", ":2: policy.basis"},
      {"RuleTable", "[policy.rule]\nallow = true\n", ":1: policy.rule"},
      {"RuleWithoutAllow", "[[policy.rule]]\nname = \"x\"\n", ":1: policy.rule.allow"},
      {"RuleTee", "[[policy.rule]]\nallow = true\ntee = \"tdx\"\n", ":3: policy.rule.tee"},
      {"RuleStatus", "[[policy.rule]]\nallow = true\nstatus = \"good\"\n", ":3: policy.rule.status"},
      {"RuleKey", "[[policy.rule]]\nallow = true\npath = \"a/b/c\"\n", ":3: policy.rule.path"},
      {"RuleOfNoEntry", "[policy]\n[[policy.rule]]\nallow = false\nentry = \"gest-1\"\n", ":1: policy.rule[0].entry"},
      {"RulePattern", "[policy]\n[[policy.rule]]\nallow = true\nresource = \"a/b\"\n", ":1: policy.rule[0].resource"},
  };
  for (const BadFile& bad : cases) {
    SCOPED_TRACE(bad.name);
    const auto config = config_of(bad.text);
    ASSERT_FALSE(config);
    EXPECT_EQ(config.error().code, Errc::bad_config);
    EXPECT_TRUE(config.error().field.starts_with(path() + bad.where)) << config.error().field;
    EXPECT_NE(config.error().expected, "");
    EXPECT_NE(config.error().found, "");
  }
  for (const char* key : {"minimum_tcb = 7", "minimum_tcb = { snp = 256 }", "minimum_tcb = { ucode = 1 }",
                          "host_data = \"00\"", "host_data = \"zz\"", "binding = \"kbs-sha512\""}) {
    EXPECT_FALSE(config_of(kGuest + key + "\n")) << key;
  }
}

TEST_F(ConfigPolicyTest, KeepsOnLoopbackWhatNobodyElseShouldReach) {
  EXPECT_TRUE(config_of("[policy]\nbase = \"allow_all\"\n"));
  for (const char* key : {"nonce_seed = \"x\"\n", "[policy]\nbase = \"allow_all\"\n"}) {
    const auto config = config_of(std::string("listen = \"0.0.0.0:8080\"\n") + key);
    ASSERT_FALSE(config) << key;
    EXPECT_EQ(config.error().code, Errc::bad_config);
  }
}

}  // namespace
}  // namespace attestbed::kbs
