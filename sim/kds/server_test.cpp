// SPDX-License-Identifier: Apache-2.0
#include "sim/kds/server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <condition_variable>
#include <mutex>

#include "core/posix/clock.h"
#include "core/posix/fd_transport.h"

namespace attestbed::sim {
namespace {

using namespace std::chrono_literals;

/// Log keeps records from any thread, and waits for the first.
class Log {
 public:
  void note(const KdsRecord& record) {
    const std::lock_guard lock(mutex_);
    records_.push_back(record);
    changed_.notify_all();
  }
  std::optional<KdsRecord> first() {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, 60s, [this] { return !records_.empty(); })) return std::nullopt;
    return records_.front();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<KdsRecord> records_;
};

/// ask sends `request` from a socket of its own, whose port it returns, and reads what comes.
std::uint16_t ask(std::uint16_t port, std::string_view request, std::string& answer) {
  posix::SteadyClock clock;
  posix::Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  sockaddr_in own{};
  socklen_t size = sizeof own;
  EXPECT_EQ(::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&own), &size), 0);
  posix::FdTransport line(std::move(socket), clock);
  const Deadline until = clock.now() + 60s;
  EXPECT_TRUE(line.write_all(bytes_of(request), until));
  ByteArray<512> octets;
  while (const auto got = line.read_some(octets, until)) answer += text_of(Bytes(octets).first(*got));
  return ntohs(own.sin_port);
}

TEST(KdsServerLog, NamesThePeerOfARequestThatIsNone) {
  const std::pair<const char*, int> cases[] = {{"NONSENSE\r\n\r\n", 400},
                                               {"GET /vcek/v1/Rome/crl HTTP/1.1\r\n\r\n", 404}};
  for (const auto& [request, status] : cases) {
    SCOPED_TRACE(request);
    Log log;
    auto catalogue = KdsCatalogue::of_default_seed();
    ASSERT_TRUE(catalogue);
    const auto server = KdsServer::start(*std::move(catalogue), {}, *http::ListenAddress::parse("127.0.0.1:0"),
                                         [&](const KdsRecord& record) { log.note(record); });
    ASSERT_TRUE(server) << server.error().text;
    std::string answer;
    const std::uint16_t from = ask((*server)->port(), request, answer);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 " + std::to_string(status))) << answer;
    const auto record = log.first();
    ASSERT_TRUE(record);
    EXPECT_EQ(record->status, status);
    EXPECT_EQ(record->peer, "127.0.0.1:" + std::to_string(from));
    (*server)->stop();
  }
}

}  // namespace
}  // namespace attestbed::sim
