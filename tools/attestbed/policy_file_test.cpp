// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/policy_file.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace attestbed::tools {
namespace {

using verify::Certificate;
using verify::Policy;

verify::Checked<Policy> parse(const std::string& text) {
  return parse_policy(text, "p.toml");
}

const std::string kZeros96(96, '0');

TEST(PolicyFile, ThatIsEmptyAsksNothingAndAllowsNoDebug) {
  const auto policy = parse("");
  ASSERT_TRUE(policy) << policy.error().text();
  EXPECT_FALSE(policy->allow_debug);
  EXPECT_FALSE(policy->allow_migration_agent);
  EXPECT_FALSE(policy->vmpl.has_value());
  EXPECT_TRUE(policy->measurements.empty());
}

TEST(PolicyFile, SetsWhatEachKeyNames) {
  const auto read = parse(R"(
[machine]
products = ["Genoa", "Turin"]
signing_keys = "VLEK"
csp_ids = ["CN=a", "CN=b"]
chip_ids = ["0102030405060708", ")" +
                          std::string(126, '0') + R"(ff"]
allow_masked_chip = true
[platform]
allow_smt = false
allow_tsme = true
allow_sev_tio = false
allow_undocumented_bits = true
require_ecc = true
require_rapl_disabled = true
require_ciphertext_hiding = true
require_alias_check = true
[firmware]
minimum_report_version = 3
minimum_tcb = { boot_loader = 10, snp = 25, microcode = 84 }
minimum_launch_tcb = { fmc = 1, tee = 2 }
minimum_version = "1.55"
minimum_build = 43
allow_provisional = false
launch_mitigations = 0x1
current_mitigations = 0x7fffffffffffffff
[guest_policy]
allow_debug = true
allow_migration_agent = true
allow_smt = true
allow_cxl = false
require_single_socket = true
require_aes_256_xts = true
require_rapl_disabled = true
require_ciphertext_hiding = true
require_page_swap_disabled = true
minimum_abi = "1.51"
[guest]
vmpl = 0
max_vmpl = 3
minimum_svn = 4294967295
measurements = [")" + kZeros96 +
                          R"("]
report_data = ")" + std::string(128, 'A') +
                          R"("
host_data = ")" + std::string(64, 'b') +
                          R"("
family_id = ")" + std::string(32, '1') +
                          R"("
image_id = ")" + std::string(32, '2') +
                          R"("
report_id = ")" + std::string(64, '3') +
                          R"("
report_id_ma = ")" + std::string(64, 'f') +
                          R"("
[keys]
require_id_block = true
require_author_key = true
id_key_digests = [")" + kZeros96 +
                          R"(", ")" + std::string(96, '1') + R"("]
author_key_digests = ")" + std::string(96, '2') +
                          R"("
)");
  ASSERT_TRUE(read) << read.error().text();
  const Policy& p = *read;
  EXPECT_EQ(p.products, (std::vector{snp::Product::genoa, snp::Product::turin}));
  EXPECT_EQ(p.signing_keys, std::vector{Certificate::Kind::vlek});
  EXPECT_EQ(p.csp_ids, (std::vector<std::string>{"CN=a", "CN=b"}));
  ASSERT_EQ(p.chip_ids.size(), 2u);
  EXPECT_EQ(verify::hex_text(p.chip_ids[0]), "0102030405060708" + std::string(112, '0')) << "Turin's, filled up";
  EXPECT_EQ(p.chip_ids[1][63], 0xff);
  EXPECT_EQ(p.allow_masked_chip, true);
  EXPECT_EQ(p.platform.allow_smt, false);
  EXPECT_EQ(p.platform.allow_tsme, true);
  EXPECT_EQ(p.platform.allow_sev_tio, false);
  EXPECT_EQ(p.platform.allow_undocumented_bits, true);
  EXPECT_TRUE(p.platform.require_ecc && p.platform.require_rapl_disabled && p.platform.require_ciphertext_hiding &&
              p.platform.require_alias_check);
  EXPECT_EQ(p.minimum_report_version, 3u);
  EXPECT_EQ(p.minimum_tcb, (snp::Tcb{.fmc = 0, .boot_loader = 10, .tee = 0, .snp = 25, .microcode = 84}));
  EXPECT_EQ(p.minimum_launch_tcb, (snp::Tcb{.fmc = 1, .boot_loader = 0, .tee = 2, .snp = 0, .microcode = 0}));
  EXPECT_EQ(p.minimum_firmware, (verify::VersionBound{1, 55}));
  EXPECT_EQ(p.minimum_firmware_build, 43);
  EXPECT_EQ(p.allow_provisional_firmware, false);
  EXPECT_EQ(p.launch_mitigations, 1u);
  EXPECT_EQ(p.current_mitigations, 0x7fffffffffffffffu);
  EXPECT_TRUE(p.allow_debug && p.allow_migration_agent);
  EXPECT_EQ(p.allow_smt, true);
  EXPECT_EQ(p.allow_cxl, false);
  EXPECT_TRUE(p.require_single_socket && p.require_aes_256_xts && p.require_rapl_disabled &&
              p.require_ciphertext_hiding && p.require_page_swap_disabled);
  EXPECT_EQ(p.minimum_abi, (verify::VersionBound{1, 51}));
  EXPECT_EQ(p.vmpl, 0u);
  EXPECT_EQ(p.max_vmpl, 3u);
  EXPECT_EQ(p.minimum_guest_svn, 4294967295u);
  EXPECT_EQ(p.measurements, std::vector{snp::Measurement{}});
  EXPECT_EQ(p.report_data->at(63), 0xaa) << "capital digits, too";
  EXPECT_EQ(p.host_data->at(0), 0xbb);
  EXPECT_EQ(p.family_id->at(0), 0x11);
  EXPECT_EQ(p.image_id->at(0), 0x22);
  EXPECT_EQ(p.report_id->at(0), 0x33);
  EXPECT_EQ(p.report_id_ma->at(0), 0xff);
  EXPECT_TRUE(p.require_id_block && p.require_author_key);
  EXPECT_EQ(p.id_key_digests.size(), 2u);
  EXPECT_EQ(p.author_key_digests.size(), 1u);
}

TEST(PolicyFile, RefusesWhatItDoesNotKnowAndNamesTheLine) {
  const struct {
    const char* name;
    std::string text;
    const char* field;
    const char* says;
  } cases[] = {
      {"no TOML", "\n[machine\n", "p.toml:2", "TOML 1.0"},
      {"key twice", "[guest]\nvmpl = 0\nvmpl = 0\n", "p.toml:3", "TOML 1.0"},
      {"unknown table", "\n\n[quest]\nvmpl = 0\n", "p.toml:3: quest", "[guest]"},
      {"key outside a table", "vmpl = 0\n", "p.toml:1: vmpl", "[guest]"},
      {"table that is none", "guest = 1\n", "p.toml:1: guest", "integer"},
      {"unknown key", "[guest]\n# a comment\nvmlp = 0\n", "p.toml:3: guest.vmlp", "max_vmpl"},
      {"key of another table", "[machine]\nvmpl = 0\n", "p.toml:2: machine.vmpl", "products"},
      {"VMPL 4", "[guest]\nvmpl = 4\n", "p.toml:2: guest.vmpl", "from 0 to 3, found 4"},
      {"negative VMPL", "[guest]\nvmpl = -1\n", "p.toml:2: guest.vmpl", "found -1"},
      {"VMPL as text", "[guest]\nvmpl = \"0\"\n", "p.toml:2: guest.vmpl", "found string"},
      {"flag as text", "[platform]\nallow_smt = \"no\"\n", "p.toml:2: platform.allow_smt", "true or false"},
      {"flag as number", "[platform]\nrequire_ecc = 1\n", "p.toml:2: platform.require_ecc", "true or false"},
      {"unknown product", "[machine]\nproducts = [\"Genoa\",\n\"Naples\"]\n", "p.toml:3: machine.products", "Naples"},
      {"no product", "[machine]\nproducts = []\n", "p.toml:2: machine.products", "empty list"},
      {"unknown key kind", "[machine]\nsigning_keys = \"vcek\"\n", "p.toml:2: machine.signing_keys", "VCEK or VLEK"},
      {"short digest", "[guest]\nmeasurements = \"00\"\n", "p.toml:2: guest.measurements", "96 hexadecimal digits"},
      {"long digest", "[guest]\nmeasurements = \"" + kZeros96 + "00\"\n", "p.toml:2: guest.measurements", "98"},
      {"digest with another letter", "[guest]\nmeasurements = \"" + kZeros96.substr(1) + "g\"\n",
       "p.toml:2: guest.measurements", "96 hexadecimal digits"},
      {"chip id of 9 octets", "[machine]\nchip_ids = \"010203040506070809\"\n", "p.toml:2: machine.chip_ids", "128"},
      {"TCB as a number", "[firmware]\nminimum_tcb = 5\n", "p.toml:2: firmware.minimum_tcb", "boot_loader"},
      {"TCB without component", "[firmware]\nminimum_tcb = {}\n", "p.toml:2: firmware.minimum_tcb", "empty table"},
      {"unknown component", "[firmware]\nminimum_tcb = { ucode = 1 }\n", "p.toml:2: firmware.minimum_tcb.ucode",
       "microcode"},
      {"component of 256", "[firmware.minimum_tcb]\nsnp = 256\n", "p.toml:2: firmware.minimum_tcb.snp", "255"},
      {"version as number", "[firmware]\nminimum_version = 1.55\n", "p.toml:2: firmware.minimum_version", "a string"},
      {"version without minor", "[firmware]\nminimum_version = \"1\"\n", "p.toml:2: firmware.minimum_version", "1.55"},
      {"version of three", "[firmware]\nminimum_version = \"1.55.2\"\n", "p.toml:2: firmware.minimum_version", "1.55"},
      {"version with zeros", "[firmware]\nminimum_version = \"1.05\"\n", "p.toml:2: firmware.minimum_version", "1.55"},
      {"build of 256", "[firmware]\nminimum_build = 256\n", "p.toml:2: firmware.minimum_build", "255"},
      {"no mitigation", "[firmware]\nlaunch_mitigations = 0\n", "p.toml:2: firmware.launch_mitigations", "from 1"},
      {"version 6", "[firmware]\nminimum_report_version = 6\n", "p.toml:2: firmware.minimum_report_version", "5"},
  };
  for (const auto& [name, text, field, says] : cases) {
    SCOPED_TRACE(name);
    const auto policy = parse(text);
    ASSERT_FALSE(policy);
    EXPECT_EQ(policy.error().code, Errc::bad_config);
    EXPECT_EQ(policy.error().field, field);
    EXPECT_NE(policy.error().text().find(says), std::string::npos) << policy.error().text();
  }
}

TEST(PolicyFile, IsBounded) {
  EXPECT_EQ(parse(std::string(kMaxPolicyBytes + 1, '\n')).error().code, Errc::too_large);
  EXPECT_TRUE(parse(std::string(kMaxPolicyBytes, '\n')));
}

TEST(PolicyFile, RefusalsShowForeignTextHarmlessly) {
  const auto policy = parse_policy("[guest]\n\"\\u001b[31m\" = 1\n", "p\x1b.toml");
  ASSERT_FALSE(policy);
  EXPECT_EQ(policy.error().text().find('\x1b'), std::string::npos) << policy.error().text();
}

TEST(PolicyFile, IsDocumentedKeyByKey) {
  std::ifstream file(std::string(ATTESTBED_SOURCE_DIR) + "/docs/policy.md");
  const std::string page(std::istreambuf_iterator<char>(file), {});
  for (const std::string table : {"machine", "platform", "firmware", "guest_policy", "guest", "keys"}) {
    const auto unknown = parse("[" + table + "]\nx = 1\n");
    ASSERT_FALSE(unknown);
    std::string keys = unknown.error().expected;  // "one of a, b, c"
    ASSERT_TRUE(keys.starts_with("one of ")) << keys;
    std::istringstream names(keys.substr(7));
    for (std::string name; std::getline(names >> std::ws, name, ',');) {
      const bool first = page.find("`" + table + "." + name + "`") != std::string::npos;
      EXPECT_TRUE(first || page.find(", `" + name + "`") != std::string::npos) << table << "." << name;
    }
  }
}

TEST(PolicyFile, OfTheExamplesAreRead) {
  for (const char* name : {"strict.toml", "policy.toml"}) {
    const auto policy = read_policy(std::string(ATTESTBED_SOURCE_DIR) + "/docs/examples/" + name);
    EXPECT_TRUE(policy) << policy.error().text();
  }
  EXPECT_EQ(read_policy("/nonexistent").error().code, Errc::io_failed);
}

}  // namespace
}  // namespace attestbed::tools
