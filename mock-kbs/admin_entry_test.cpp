// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/admin_entry.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace attestbed::kbs {
namespace {

using nlohmann::json;

json least() {
  return {{"measurements", json::array({std::string(96, 'a')})}, {"roots", "amd"}};
}

json whole() {
  json entry = least();
  entry["binding"] = "kbs-sha384";
  entry["w1_exposed"] = true;
  entry["allow_debug"] = true;
  entry["allow_migration_agent"] = true;
  entry["require_single_socket"] = true;
  entry["allow_smt"] = false;
  entry["minimum_tcb"] = {{"bootloader", 3}, {"tee", 0}, {"snp", 8}, {"microcode", 255}, {"fmc", 1}};
  entry["host_data"] = "11" + std::string(62, '2');
  entry["resources"] = {{"default/sample/test", "aHVzaA=="}};
  return entry;
}

TEST(AdminEntry, DemandsWhatItSays) {
  const Checked<ReferenceEntry> entry = decode_entry("guest", whole().dump());
  ASSERT_TRUE(entry) << entry.error().expected;
  EXPECT_EQ(entry->name, "guest");
  EXPECT_EQ(entry->binding, protocol::Binding::kbs_sha384);
  EXPECT_TRUE(entry->w1_exposed);
  EXPECT_TRUE(entry->allow_debug);
  EXPECT_TRUE(entry->allow_migration_agent);
  EXPECT_TRUE(entry->require_single_socket);
  EXPECT_EQ(entry->allow_smt, false);
  EXPECT_EQ(entry->minimum_tcb, (snp::Tcb{.fmc = 1, .boot_loader = 3, .tee = 0, .snp = 8, .microcode = 255}));
  EXPECT_EQ((*entry->host_data)[0], 0x11);
  EXPECT_EQ((*entry->host_data)[31], 0x22);
  EXPECT_EQ(text_of(entry->resources.at("default/sample/test")->expose()), "hush");
}

TEST(AdminEntry, DemandsNothingThatItDoesNotSay) {
  const Checked<ReferenceEntry> entry = decode_entry("guest", least().dump());
  ASSERT_TRUE(entry) << entry.error().expected;
  EXPECT_EQ(entry->binding, protocol::Binding::svsm_sha512);
  EXPECT_FALSE(entry->w1_exposed || entry->allow_debug || entry->allow_migration_agent || entry->require_single_socket);
  EXPECT_FALSE(entry->allow_smt || entry->minimum_tcb || entry->host_data);
  EXPECT_TRUE(entry->resources.empty());
}

// The owner who replaces an entry starts from what the broker says of it: nothing may be missing there.
TEST(AdminEntry, IsDescribedWithEveryDemandAndNoSecret) {
  json described = json::parse(describe_entry(*decode_entry("guest", whole().dump())).dump());
  EXPECT_EQ(described["resource_octets"], json({{"default/sample/test", 4}}));
  EXPECT_EQ(described["name"], "guest");
  EXPECT_EQ(described["roots"].size(), 3U);
  json expected = whole();
  for (const char* member : {"name", "roots", "resource_octets"}) described.erase(member);
  for (const char* member : {"roots", "resources"}) expected.erase(member);
  EXPECT_EQ(described, expected);
}

TEST(AdminEntry, RefusesWhatIsNoDemand) {
  const struct {
    const char* member;
    json value;
    const char* field;
  } kBad[] = {
      {"allow_smt", "yes", "allow_smt"},
      {"require_single_socket", 1, "require_single_socket"},
      {"minimum_tcb", 7, "minimum_tcb"},
      {"minimum_tcb", {{"snp", 256}}, "minimum_tcb.snp"},
      {"minimum_tcb", {{"snp", -1}}, "minimum_tcb.snp"},
      {"minimum_tcb", {{"snp", 1.5}}, "minimum_tcb.snp"},
      {"minimum_tcb", {{"tee", "3"}}, "minimum_tcb.tee"},
      {"minimum_tcb", {{"ucode", 1}}, "minimum_tcb"},
      {"host_data", 0, "host_data"},
      {"host_data", "00", "host_data"},
      {"host_data", std::string(64, 'z'), "host_data"},
      {"host_data", std::string(66, '0'), "host_data"},
      {"minimum_tcp", {{"snp", 1}}, "body"},
  };
  for (const auto& [member, value, field] : kBad) {
    SCOPED_TRACE(std::string(member) + " " + value.dump());
    json body = least();
    body[member] = value;
    const Checked<ReferenceEntry> entry = decode_entry("guest", body.dump());
    ASSERT_FALSE(entry);
    EXPECT_EQ(entry.error().field, field);
  }
}

}  // namespace
}  // namespace attestbed::kbs
