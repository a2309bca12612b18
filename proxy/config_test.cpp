// SPDX-License-Identifier: Apache-2.0
#include "proxy/config.h"

#include <gtest/gtest.h>

#include <sstream>

namespace attestbed::proxy {
namespace {

struct Parsed {
  std::variant<Config, int> result;
  std::string out, err;
  const Config* config() const { return std::get_if<Config>(&result); }
  int status() const { return std::holds_alternative<int>(result) ? std::get<int>(result) : -1; }
};

Parsed parse(std::vector<const char*> flags) {
  flags.insert(flags.begin(), "attest-proxy");
  std::ostringstream out, err;
  auto result = parse_command_line(static_cast<int>(flags.size()), flags.data(), "1.2.3", 0, out, err);
  return {std::move(result), out.str(), err.str()};
}

std::vector<const char*> with(std::vector<const char*> more) {
  more.insert(more.begin(), {"--url", "http://127.0.0.1:8080", "--protocol", "kbs", "--unix", "p.sock"});
  return more;
}

TEST(Config, DefaultsServeTheDefaultResourceAlone) {
  const Parsed parsed = parse(with({}));
  ASSERT_NE(parsed.config(), nullptr) << parsed.err;
  const Config& config = *parsed.config();
  EXPECT_STREQ(config.protocol->name, "kbs");
  EXPECT_EQ(config.broker.url, "http://127.0.0.1:8080");
  EXPECT_EQ(config.doors.unix_paths, std::vector<std::string>{"p.sock"});
  EXPECT_EQ(config.doors.if_exists, posix::IfExists::refuse);
  EXPECT_EQ(config.server.session.resource.text(), "default/sample/test");
  ASSERT_EQ(config.server.session.allowed.size(), 1U);
  EXPECT_EQ(config.server.session.allowed[0].text(), "default/sample/test");
  EXPECT_EQ(config.server.session.budget, std::chrono::seconds(30));
}

TEST(Config, EveryFlagReachesItsPlace) {
  const Parsed parsed =
      parse(with({"-f", "--resource", "a/b/c", "--allow-resource", "d/e/f", "--allow-resource", "g/h/i", "--ca",
                  "ca.pem", "--timeout", "7", "--max-sessions", "600", "--log-level", "debug"}));
  ASSERT_NE(parsed.config(), nullptr) << parsed.err;
  const Config& config = *parsed.config();
  EXPECT_EQ(config.doors.if_exists, posix::IfExists::take_over);
  EXPECT_EQ(config.server.session.resource.text(), "a/b/c");
  ASSERT_EQ(config.server.session.allowed.size(), 2U);
  EXPECT_EQ(config.server.session.allowed[1].text(), "g/h/i");
  EXPECT_EQ(config.broker.ca_file, "ca.pem");
  EXPECT_EQ(config.server.session.budget, std::chrono::seconds(7));
  EXPECT_EQ(config.server.max_sessions, 600U);
  EXPECT_GE(config.server.max_lines, 1200U);
  EXPECT_EQ(config.log_level, "debug");
}

TEST(Config, DoorsAndBudgetsReachTheirPlace) {
  const Parsed parsed = parse({"--url",      "http://127.0.0.1:8080",
                               "--protocol", "kbs",
                               "--unix",     "a.sock",
                               "--unix",     "b.sock",
                               "--serial",   "/dev/ttyS1",
                               "--serial",   "/dev/ttyS2",
                               "--attempts", "3",
                               "--vsock",    "--attempt-interval",
                               "60",         "--queue-wait",
                               "0",          "--max-sessions-per-peer",
                               "2",          "--max-lines",
                               "9"});
  ASSERT_NE(parsed.config(), nullptr) << parsed.err;
  const Config& config = *parsed.config();
  EXPECT_EQ(config.doors.unix_paths, (std::vector<std::string>{"a.sock", "b.sock"}));
  EXPECT_EQ(config.doors.serial_devices, (std::vector<std::string>{"/dev/ttyS1", "/dev/ttyS2"}));
  EXPECT_EQ(config.doors.vsock_port, 1995U);
  EXPECT_EQ(config.server.attempts.at_once, 3U);
  EXPECT_EQ(config.server.attempts.interval, std::chrono::seconds(60));
  EXPECT_EQ(config.server.queue_wait, std::chrono::seconds(0));
  EXPECT_EQ(config.server.max_sessions_per_peer, 2U);
  EXPECT_EQ(config.server.max_lines, 9U);
  const Parsed with_port = parse(with({"--vsock", "4000"}));
  ASSERT_NE(with_port.config(), nullptr) << with_port.err;
  EXPECT_EQ(with_port.config()->doors.vsock_port, 4000U);
}

TEST(Config, FilesForTheBrokerReachTheirPlace) {
  const Parsed parsed = parse({"--url", "https://kbs.example", "--protocol", "kbs", "--unix", "p", "--client-cert",
                               "c.pem", "--client-key", "c.key", "--certs", "/etc/certs"});
  ASSERT_NE(parsed.config(), nullptr) << parsed.err;
  EXPECT_EQ(parsed.config()->broker.client_certificate, "c.pem");
  EXPECT_EQ(parsed.config()->broker.client_key, "c.key");
  EXPECT_EQ(parsed.config()->broker.certs_directory, "/etc/certs");
}

TEST(Config, SocketsThatAreHandedOverAreDoorsEnough) {
  const std::vector<const char*> flags = {"attest-proxy", "--url", "http://127.0.0.1:8080", "--protocol", "kbs"};
  std::ostringstream out, err;
  const auto result = parse_command_line(static_cast<int>(flags.size()), flags.data(), "1.2.3", 1, out, err);
  EXPECT_TRUE(std::holds_alternative<Config>(result)) << err.str();
}

TEST(Config, HelpAndVersionAreNoErrors) {
  const Parsed help = parse({"--help"});
  EXPECT_EQ(help.status(), 0);
  EXPECT_NE(help.out.find("Examples:"), std::string::npos);
  const Parsed version = parse({"--version"});
  EXPECT_EQ(version.status(), 0);
  EXPECT_EQ(version.out, "attest-proxy 1.2.3\n");
}

struct BadLine {
  const char* name;
  std::vector<const char*> flags;
  const char* says;
};
std::ostream& operator<<(std::ostream& out, const BadLine& line) {
  return out << line.name;
}
class BadCommandLine : public testing::TestWithParam<BadLine> {};
INSTANTIATE_TEST_SUITE_P(
    Config, BadCommandLine,
    testing::Values(BadLine{"nothing", {}, "is required"},
                    BadLine{"no socket", {"--url", "http://127.0.0.1", "--protocol", "kbs"}, "--unix"},
                    BadLine{"unknown flag", with({"--frobnicate"}), "--frobnicate"},
                    BadLine{"unknown protocol",
                            {"--url", "http://127.0.0.1", "--protocol", "kms", "--unix", "p"},
                            "--protocol kms does not exist; there is: kbs"},
                    BadLine{"plain http elsewhere",
                            {"--url", "http://kbs.example", "--protocol", "kbs", "--unix", "p"},
                            "--insecure-http"},
                    BadLine{"no URL", {"--url", "::", "--protocol", "kbs", "--unix", "p"}, "--url ::"},
                    BadLine{"resource of two parts", with({"--resource", "a/b"}), "--resource a/b"},
                    BadLine{"resource that climbs", with({"--allow-resource", "a/../b"}), "--allow-resource a/../b"},
                    BadLine{"client certificate without its key", with({"--client-cert", "c.pem"}), "go together"},
                    BadLine{"client key without its certificate", with({"--client-key", "c.key"}), "go together"},
                    BadLine{"client certificate and no TLS", with({"--client-cert", "c.pem", "--client-key", "c.key"}),
                            "is for an https broker"},
                    BadLine{"no time", with({"--timeout", "0"}), "--timeout"},
                    BadLine{"more than an hour", with({"--timeout", "3601"}), "--timeout"},
                    BadLine{"time in words", with({"--timeout", "soon"}), "--timeout"},
                    BadLine{"port in words", with({"--vsock", "ssh"}), "--vsock ssh"},
                    BadLine{"port that is a wildcard", with({"--vsock", "4294967295"}), "--vsock"},
                    BadLine{"port and more", with({"--vsock", "1995x"}), "--vsock 1995x"},
                    BadLine{"no attempts", with({"--attempts", "0"}), "--attempts"},
                    BadLine{"no interval", with({"--attempt-interval", "0"}), "--attempt-interval"},
                    BadLine{"long wait", with({"--queue-wait", "601"}), "--queue-wait"},
                    BadLine{"no lines", with({"--max-lines", "0"}), "--max-lines"},
                    BadLine{"no session", with({"--max-sessions", "0"}), "--max-sessions"},
                    BadLine{"log level", with({"--log-level", "loud"}), "--log-level"}));

TEST_P(BadCommandLine, IsOneLineThatNamesTheFlag) {
  const Parsed parsed = parse(GetParam().flags);
  EXPECT_EQ(parsed.status(), 2);
  EXPECT_EQ(parsed.out, "");
  EXPECT_NE(parsed.err.find(GetParam().says), std::string::npos) << parsed.err;
  EXPECT_EQ(parsed.err.find('\n'), parsed.err.size() - 1) << parsed.err;
}

TEST(Backends, AreFoundByTheirNameAlone) {
  for (const BackendKind& kind : backend_kinds()) EXPECT_EQ(backend_named(kind.name), &kind);
  EXPECT_EQ(backend_named(""), nullptr);
  EXPECT_EQ(backend_named("kb"), nullptr);
}

// Whoever writes a password into a URL finds it refused, and not in the journal.
TEST(ProxyConfig, ARefusedUrlIsShownWithoutItsUserInformation) {
  for (const char* url : {"https://anna:hunter2@kbs.example", "https://anna:hunter2@", "anna:hunter2@kbs.example",
                          "https://an na:hunter2@kbs.example", "gopher://anna:hunter2@kbs.example"}) {
    const char* const argv[] = {"attest-proxy", "--url", url, "--protocol", "kbs", "--unix", "/p"};
    std::ostringstream out, err;
    const auto parsed = parse_command_line(7, argv, "0", 0, out, err);
    ASSERT_TRUE(std::holds_alternative<int>(parsed)) << url;
    EXPECT_EQ(std::get<int>(parsed), 2);
    EXPECT_NE(err.str().find("--url"), std::string::npos) << err.str();
    EXPECT_EQ((out.str() + err.str()).find("hunter2"), std::string::npos) << err.str();
  }
}

}  // namespace
}  // namespace attestbed::proxy
