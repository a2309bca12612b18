// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/config.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "mock-kbs/certificate_files.h"
#include "sim/ca.h"

namespace attestbed::kbs {
namespace {

namespace fs = std::filesystem;

// A folder with what a configuration names: a simulated CA, a secret, and files that are none of both.
class ConfigTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = fs::path(testing::TempDir()) / ("mock-kbs-config-" + std::to_string(getpid()));
    fs::remove_all(folder_);
    const auto authority = sim::CertificateAuthority::of_default_seed(snp::Product::milan);
    ASSERT_TRUE(authority);
    ASSERT_TRUE(authority->save((folder_ / "ca").string()));
    fs::create_directories(folder_ / "bad");
    write("secret.bin", "hello, SVSM!");
    write("bad/broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  }
  static void TearDownTestSuite() { fs::remove_all(folder_); }

  static void write(const std::string& name, const std::string& text) { std::ofstream(folder_ / name) << text; }
  static std::string path(const std::string& name) { return (folder_ / name).string(); }
  static Checked<Config> from_file(const std::string& text) {
    write("kbs.toml", text);
    const Checked<Options> options = read_config_file(path("kbs.toml"));
    if (!options) return options.error();
    return make_config(*options);
  }

  static inline fs::path folder_;
};

const std::string kMeasurement(96, 'a');

std::string guest(const std::string& more) {
  return "[[guest]]\nmeasurement = \"" + kMeasurement + "\"\nroots = \"ca/ark.pem\"\n" + more;
}

TEST_F(ConfigTest, ReadsAWholeFileWithPathsFromItsFolder) {
  const auto config = from_file(
      "listen = \"[::1]:0\"\nlog_level = \"debug\"\nsession_lifetime_seconds = 60\n"
      "max_sessions = 7\ncerts = [\"ca\"]\n" +
      guest("name = \"svsm\"\nbinding = \"svsm-sha512\"\nw1_exposed = true\nallow_debug = true\n"
            "[guest.resources]\n\"default/sample/test\" = \"secret.bin\"\n"));
  ASSERT_TRUE(config) << config.error().text();
  EXPECT_EQ(config->listen.host, "::1");
  EXPECT_EQ(config->sessions.lifetime, std::chrono::seconds(60));
  EXPECT_EQ(config->sessions.max_sessions, 7U);
  EXPECT_EQ(config->certificates.size(), 3U);  // ARK, ASK, VCEK: PEM and DER of one count once, keys not at all
  ASSERT_EQ(config->values.reference.entries().size(), 1U);
  const ReferenceEntry& entry = *config->values.reference.entries().front();
  EXPECT_EQ(entry.name, "svsm");
  EXPECT_TRUE(entry.w1_exposed);
  EXPECT_TRUE(entry.allow_debug);
  EXPECT_FALSE(entry.allow_migration_agent);
  EXPECT_EQ(entry.resources.at("default/sample/test")->size(), 12U);
  EXPECT_TRUE(config->values.reference.roots().simulated());
}

TEST_F(ConfigTest, ReadsAKds) {
  const auto config = from_file(
      "[kds]\nurl = \"http://kds.example/base/\"\ncache = \"kds\"\nca_file = \"ca.pem\"\ninsecure_http = true\n"
      "check_revocation = true\ntimeout_seconds = 8\n");
  ASSERT_TRUE(config) << config.error().text();
  ASSERT_TRUE(config->kds);
  EXPECT_EQ(config->kds->client.url, "http://kds.example/base");
  EXPECT_EQ(config->kds->client.cache, path("kds"));
  EXPECT_EQ(config->kds->client.ca_file, path("ca.pem"));
  EXPECT_EQ(config->kds->budget, std::chrono::seconds(8));
  EXPECT_TRUE(config->kds->check_revocation);
  EXPECT_EQ(from_file("[kds]\nurl = \"amd\"\n")->kds->client.url, "https://kdsintf.amd.com");
  EXPECT_TRUE(from_file("[kds]\noffline = true\ncache = \"kds\"\n")->kds->client.offline);
  EXPECT_FALSE(from_file("")->kds);
}

struct BadFile {
  const char* name;
  const char* text;      // `%G` stands for the three lines of a good guest
  const char* where;     // what the field begins with, after the file's path
  const char* expected;  // part of it
};
constexpr BadFile kBadFiles[] = {
    {"NotToml", "a = \n", ":1", "TOML"},
    {"UnknownKey", "\nlisten_on = \"x\"\n", ":2: listen_on", "listen, log_level"},
    {"ListenNumber", "listen = 8080\n", ":1: listen", "a string"},
    {"LifetimeZero", "session_lifetime_seconds = 0\n", ":1: session_lifetime_seconds", "from 1 to"},
    {"LifetimeText", "session_lifetime_seconds = \"5\"\n", ":1: session_lifetime_seconds", "an integer"},
    {"CertsNumbers", "certs = [1]\n", ":1: certs", "a string"},
    {"GuestTable", "[guest]\nname = \"x\"\n", ":1: guest", "[[guest]]"},
    {"GuestMisspelt", "\n[[guests]]\nname = \"x\"\n[guest.resources]\n\"a/b/c\" = \"x\"\n", ":2: guests", "[[guest]]"},
    {"GuestWithoutMeasurement", "\n[[guest]]\nroots = \"ca/ark.pem\"\n", ":2: guest.measurement", "at least one"},
    {"GuestUnknownKey", "%Gmeasurment = \"x\"\n", ":4: guest.measurment", "measurement"},
    {"W1Text", "%Gw1_exposed = \"yes\"\n", ":4: guest.w1_exposed", "true or false"},
    {"ResourceNumber", "%G[guest.resources]\n\"a/b/c\" = 1\n", ":5: guest.resources.\"a/b/c\"", "a string"},
    {"BindingUnknown", "%Gbinding = \"kbs-sha512\"\n", ":4: binding", "svsm-sha512 or kbs-sha384"},
    {"MeasurementShort", "[[guest]]\nmeasurement = \"aa\"\nroots = \"ca/ark.pem\"\n", ":2: measurement", "96 hex"},
    {"RootsMissing", "[[guest]]\nmeasurement = \"MM\"\n", ":1: roots", "root certificate"},
    {"RootIsAsk", "[[guest]]\nmeasurement = \"MM\"\nroots = \"ca/ask.pem\"\n", ":3: roots", "self-signed ARK"},
    {"KdsArray", "[[kds]]\nurl = \"amd\"\n", ":1: kds", "a table"},
    {"KdsUnknownKey", "[kds]\nurll = \"amd\"\n", ":2: kds.urll", "url, cache"},
    {"KdsWithoutUrl", "[kds]\ncache = \"kds\"\n", ":1: kds.url", "https://"},
    {"KdsPlainHttp", "[kds]\nurl = \"http://kds.example\"\n", ":1: kds.url", "insecure_http"},
    {"KdsOfflineWithoutCache", "[kds]\noffline = true\n", ":1: kds.cache", "a directory"},
    {"KdsTooPatient", "[kds]\nurl = \"amd\"\ntimeout_seconds = 9\n", ":1: kds.timeout_seconds", "at most 8"},
    {"ResourcePath", "%G[guest.resources]\n\"../b/c\" = \"secret.bin\"\n", ":5: resource ../b/c",
     "repository/type/tag"},
};

std::string expand(std::string text) {
  if (const std::size_t at = text.find("%G"); at != std::string::npos) text.replace(at, 2, guest(""));
  if (const std::size_t at = text.find("MM"); at != std::string::npos) text.replace(at, 2, kMeasurement);
  return text;
}

TEST_F(ConfigTest, NamesFileLineKeyExpectedAndFound) {
  for (const BadFile& bad : kBadFiles) {
    SCOPED_TRACE(bad.name);
    const auto config = from_file(expand(bad.text));
    ASSERT_FALSE(config);
    EXPECT_EQ(config.error().code, Errc::bad_config);
    EXPECT_TRUE(config.error().field.starts_with(path("kbs.toml") + bad.where)) << config.error().field;
    EXPECT_NE(config.error().expected.find(bad.expected), std::string::npos) << config.error().expected;
    EXPECT_NE(config.error().found, "");
  }
}

TEST_F(ConfigTest, RefusesFilesByName) {
  EXPECT_EQ(read_config_file(path("absent.toml")).error().field, path("absent.toml"));
  EXPECT_EQ(load_certificates(path("absent.pem")).error().field, path("absent.pem"));
  EXPECT_EQ(load_certificates(path("bad")).error().field, path("bad/broken.pem"));
  EXPECT_EQ(load_certificates(path("ca/vcek.key")).error().field, path("ca/vcek.key"));
  const auto absent = from_file(guest("[guest.resources]\n\"a/b/c\" = \"absent.bin\"\n"));
  EXPECT_EQ(absent.error().code, Errc::io_failed);
  EXPECT_EQ(absent.error().field, path("absent.bin"));
}

TEST_F(ConfigTest, RefusesAMeasurementOfTwoEntriesAndMixedRoots) {
  const auto twice = from_file(guest("") + guest("name = \"second\"\n"));
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().field, "second.measurement");
  const auto mixed =
      from_file("[[guest]]\nmeasurement = \"" + kMeasurement + "\"\nroots = [\"ca/ark.pem\", \"amd\"]\n");
  ASSERT_FALSE(mixed);
  EXPECT_EQ(mixed.error().field, "guest-1.roots");
}

TEST_F(ConfigTest, KeepsASimulatedRootOnLoopback) {
  const auto open = from_file("listen = \"0.0.0.0:8080\"\n" + guest(""));
  ASSERT_FALSE(open);
  EXPECT_EQ(open.error().field, "listen");
  EXPECT_TRUE(from_file("listen = \"127.0.0.2:8080\"\n" + guest("")));
  const auto amd =
      from_file("listen = \"0.0.0.0:8080\"\n[[guest]]\nmeasurement = \"" + kMeasurement + "\"\nroots = \"amd\"\n");
  EXPECT_TRUE(amd) << amd.error().text();
}

TEST_F(ConfigTest, TakesNothingAtAllAndThenKnowsNoGuest) {
  const auto config = make_config({});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->listen.authority(config->listen.port), "127.0.0.1:8080");
  EXPECT_EQ(config->values.reference.find(snp::Measurement{}), nullptr);
}

}  // namespace
}  // namespace attestbed::kbs
