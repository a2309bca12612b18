// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/run_relay.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/posix/clock.h"
#include "core/protocol/attestation.h"
#include "core/protocol/frame.h"
#include "core/protocol/negotiation.h"
#include "tools/attestbed/run_pty.h"

namespace attestbed::tools {
namespace {

using nlohmann::json;
using protocol::receive_frame;
using protocol::send_frame;

// The challenge of the worked example in docs/protocol.md, and the same with its first bit flipped: 4d -> 4c.
const std::string kAnswer = R"({"challenge":"TageHNDeCX1Q72FbMXVC8A==","params":["EcPublicKeyBytes","Challenge"]})";
const std::string kHello = R"({"version":"0.1.0","tee":"snp"})";

// An AttestationRequest whose report is zeros and whose key is none: a man in the middle does not judge.
std::string request() {
  const std::string zeros(88, 'A');
  return json{{"tee", "snp"},
              {"evidence", {{"Snp", {{"report", std::string(1576, 'A') + "AAA="}}}}},
              {"challenge", "TageHNDeCX1Q72FbMXVC8A=="},
              {"key", {{"x", zeros}, {"y", zeros}}}}
      .dump();
}

TEST(TamperWith, FlipsOneBitOfTheChallenge) {
  const auto changed = tamper_with(Tamper::challenge, Sender::host, kAnswer);
  ASSERT_TRUE(changed);
  EXPECT_EQ(changed->body, R"({"challenge":"TKgeHNDeCX1Q72FbMXVC8A==","params":["EcPublicKeyBytes","Challenge"]})");
  EXPECT_EQ(changed->note["message"], "NegotiationResponse");
}

TEST(TamperWith, ParamsIsTheAttackOnTheKeyBinding) {
  const auto changed = tamper_with(Tamper::params, Sender::host, kAnswer);
  ASSERT_TRUE(changed);
  const json message = json::parse(changed->body);
  EXPECT_EQ(message["params"], json({"Challenge"}));
  EXPECT_EQ(message["challenge"].get<std::string>().size(), (66U + 66 + 16 + 2) / 3 * 4);
  std::string body = changed->body;
  const auto judged =
      protocol::decode_negotiation_response({reinterpret_cast<std::uint8_t*>(body.data()), body.size()}, nullptr);
  ASSERT_FALSE(judged);
  EXPECT_EQ(judged.error().code, Errc::host_chosen_params);
}

TEST(TamperWith, ReplacesTheKeyByAnotherValidOne) {
  const auto changed = tamper_with(Tamper::key, Sender::guest, request());
  ASSERT_TRUE(changed);
  std::string body = changed->body;
  const auto decoded = protocol::decode_attestation_request({reinterpret_cast<std::uint8_t*>(body.data()), body.size()},
                                                            protocol::KeyType::p521);
  ASSERT_TRUE(decoded) << error_name(decoded.error().code);
  EXPECT_TRUE(crypto::ec_check(decoded->key.ec));
  json before = json::parse(request()), after = json::parse(changed->body);
  EXPECT_NE(before["key"], after["key"]);
  before.erase("key");
  after.erase("key");
  EXPECT_EQ(before, after);
}

TEST(TamperWith, FlipsOneBitOfTheReportsSignature) {
  const auto changed = tamper_with(Tamper::signature, Sender::guest, request());
  ASSERT_TRUE(changed);
  const std::string before = json::parse(request())["evidence"]["Snp"]["report"];
  const std::string after = json::parse(changed->body)["evidence"]["Snp"]["report"];
  ASSERT_EQ(before.size(), after.size());
  std::size_t different = 0, last = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (before[i] == after[i]) continue;
    ++different;
    last = i;
  }
  EXPECT_EQ(different, 1U);
  EXPECT_EQ(last * 3 / 4, 0x2a0U);  // SIGNATURE (SNP ABI 56860, ATTESTATION_REPORT)
}

TEST(TamperWith, LeavesEveryOtherMessageAlone) {
  for (const Tamper how :
       {Tamper::challenge, Tamper::params, Tamper::key, Tamper::signature, Tamper::ciphertext, Tamper::kill_proxy}) {
    EXPECT_FALSE(tamper_with(how, Sender::guest, kHello));
    EXPECT_FALSE(tamper_with(how, Sender::host, R"({"success":false,"decryption":null,"token":null})"));
    for (const char* odd : {"", "[]", "{", "null", R"({"challenge":1})", R"({"challenge":"!"})", R"({"key":3})",
                            R"({"evidence":{"Snp":{"report":"AAAA"}}})", R"({"secret":""})"}) {
      for (const Sender from : {Sender::guest, Sender::host}) EXPECT_FALSE(tamper_with(how, from, odd)) << odd;
    }
  }
  EXPECT_FALSE(tamper_with(Tamper::nothing, Sender::host, kAnswer));
  EXPECT_FALSE(tamper_with(Tamper::challenge, Sender::guest, kAnswer)) << "a guest sends no such thing";
}

TEST(AttestationOf, IsTheIdThatLogsHave) {
  // python3 -c "import
  // hashlib,base64;print(hashlib.sha256(base64.b64decode('TageHNDeCX1Q72FbMXVC8A==')).hexdigest()[:16])"
  EXPECT_EQ(attestation_of(kAnswer), "9d51e48e8a4e8165");
  EXPECT_EQ(attestation_of(kHello), "");
  EXPECT_EQ(attestation_of(R"({"challenge":"AAAA"})"), "") << "too short for a challenge";
}

/// A relay between two socket pairs; the test holds the far ends.
class RelayTest : public testing::Test {
 protected:
  void start(Tamper tamper, posix::Fd victim = {}, std::chrono::nanoseconds life = std::chrono::seconds(60)) {
    int guest[2], host[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, guest), 0);
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, host), 0);
    guest_.emplace(posix::Fd(guest[0]), clock_);
    host_.emplace(posix::Fd(host[0]), clock_);
    auto ends = std::make_shared<Relay::Ends>(Relay::Ends{posix::Fd(guest[1]), posix::Fd(host[1])});
    auto started =
        Relay::start({.tamper = tamper,
                      .open = [ends](Clock&, int, Deadline) -> Result<Relay::Ends> { return std::move(*ends); },
                      .victim = std::move(victim),
                      .until = clock_.now() + life},
                     clock_);
    ASSERT_TRUE(started) << started.error().text();
    relay_ = *std::move(started);
  }
  Deadline soon() { return clock_.now() + std::chrono::seconds(60); }
  std::string next(posix::FdTransport& end) {
    const auto frame = receive_frame(end, buffer_, soon());
    return frame ? std::string(text_of(*frame)) : std::string("error ") + error_name(frame.error().code);
  }

  posix::SteadyClock clock_;
  ByteArray<protocol::kMaxFrameBytes> buffer_{};
  std::optional<posix::FdTransport> guest_, host_;
  std::unique_ptr<Relay> relay_;
};

TEST_F(RelayTest, PassesFramesBothWaysAndTheEndOfTheLine) {
  start(Tamper::nothing);
  const std::string large(protocol::kMaxFrameBytes, 'x');
  ASSERT_TRUE(send_frame(*guest_, bytes_of(kHello), soon()));
  EXPECT_EQ(next(*host_), kHello);
  ASSERT_TRUE(send_frame(*host_, bytes_of(kAnswer), soon()));
  EXPECT_EQ(next(*guest_), kAnswer);
  ASSERT_TRUE(send_frame(*guest_, bytes_of(large), soon()));
  EXPECT_EQ(next(*host_), large);
  host_.reset();
  EXPECT_EQ(next(*guest_), "error closed");
  relay_->stop();
  EXPECT_EQ(relay_->host_attestation(), attestation_of(kAnswer));
}

TEST_F(RelayTest, ChangesOneFrameAndLogsBothIds) {
  start(Tamper::challenge);
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(send_frame(*host_, bytes_of(kAnswer), soon()));
    EXPECT_EQ(next(*guest_) == kAnswer, i == 1) << "the first and no other";
  }
  relay_->stop();
  const json line = json::parse(relay_->log().substr(0, relay_->log().find('\n')));
  EXPECT_EQ(line["event"], "changed");
  EXPECT_EQ(line["attestation"], attestation_of(kAnswer));
  EXPECT_EQ(line["guest_attestation"].get<std::string>().size(), 16U);
  EXPECT_NE(line["guest_attestation"], line["attestation"]);
}

TEST_F(RelayTest, EndsAtItsDeadlineWhateverTheEndsDo) {
  start(Tamper::nothing, {}, std::chrono::milliseconds(20));
  ASSERT_TRUE(guest_->write_all(bytes_of("\x10"), soon()));  // the beginning of a frame, and no more
  EXPECT_EQ(next(*guest_), "error closed");
  relay_->stop();
  EXPECT_NE(relay_->log().find("deadline"), std::string::npos) << relay_->log();
}

TEST_F(RelayTest, StopsInTheMiddleOfAFrame) {
  start(Tamper::nothing);
  ASSERT_TRUE(guest_->write_all(bytes_of("\x10"), soon()));
  relay_->stop();
  EXPECT_EQ(next(*host_), "error closed");
}

TEST_F(RelayTest, KillsBeforeTheGuestHasItsAnswer) {
  const pid_t victim = ::fork();
  if (victim == 0) {
    while (true) ::pause();
  }
  start(Tamper::kill_proxy, posix::Fd(static_cast<int>(::syscall(SYS_pidfd_open, victim, 0U))));
  ASSERT_TRUE(send_frame(*host_, bytes_of(kAnswer), soon()));
  EXPECT_EQ(next(*guest_), kAnswer);
  int status = 0;
  ASSERT_EQ(::waitpid(victim, &status, WNOHANG), victim) << "it was dead before the frame went on";
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  relay_->stop();
  EXPECT_NE(relay_->log().find(R"("event":"killed")"), std::string::npos) << relay_->log();
}

TEST(Cable, CarriesOctetsBothWaysBetweenTwoSerialDevices) {
  posix::SteadyClock clock;
  auto one = Pty::open();
  auto other = Pty::open();
  ASSERT_TRUE(one && other) << (one ? other : one).error().text();
  posix::FdTransport guest(std::move(one->held), clock), host(std::move(other->held), clock);
  std::vector<Cable::Pair> pairs;
  pairs.push_back({std::move(one->ours), std::move(other->ours)});
  const auto cable = Cable::start(std::move(pairs), clock, clock.now() + std::chrono::seconds(60));
  ASSERT_TRUE(cable);
  const Deadline soon = clock.now() + std::chrono::seconds(60);
  const std::string every_octet = [] {
    std::string text;
    for (int i = 0; i < 20'000; ++i) text += static_cast<char>(i % 256);  // more than a terminal holds at once
    return text;
  }();
  for (auto [from, to] : {std::pair(&guest, &host), std::pair(&host, &guest)}) {
    std::jthread writer(
        [from = from, &every_octet, soon] { ASSERT_TRUE(from->write_all(bytes_of(every_octet), soon)); });
    std::string got;
    ByteArray<4096> chunk;
    while (got.size() < every_octet.size()) {
      const auto read = to->read_some(chunk, soon);
      ASSERT_TRUE(read) << error_name(read.error().code);
      got.append(reinterpret_cast<const char*>(chunk.data()), *read);
    }
    EXPECT_EQ(got, every_octet);
  }
}

}  // namespace
}  // namespace attestbed::tools
