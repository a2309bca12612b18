// SPDX-License-Identifier: Apache-2.0
// The program as systemd starts it: sockets handed over, READY and STOPPING told, the watchdog answered.
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

#include "core/posix/fd_transport.h"
#include "proxy/fake_broker.h"
#include "proxy/http_broker.h"
#include "proxy/process.h"

namespace attestbed::proxy {
namespace {

const VectorCase& plain() {
  return vector_case("plain");
}

// What systemd listens on for sd_notify.
class NotifySocket {
 public:
  explicit NotifySocket(const std::string& path) : path_(path), fd_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    if (bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      throw std::runtime_error("bind");
    }
  }
  ~NotifySocket() { unlink(path_.c_str()); }
  NotifySocket(const NotifySocket&) = delete;
  NotifySocket& operator=(const NotifySocket&) = delete;
  std::string receive() {
    char text[1024];
    const ssize_t got = recv(fd_.get(), text, sizeof text, 0);
    return {text, static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
  }
  /// receive_with returns the next message with this line in it.
  std::string receive_with(const std::string& line) {
    for (;;) {
      std::string text = receive();
      if (text.empty() || ("\n" + text + "\n").find("\n" + line + "\n") != std::string::npos) return text;
    }
  }

 private:
  std::string path_;
  posix::Fd fd_;
};

class Systemd : public Program {
 protected:
  std::string notify_path() const { return socket() + ".notify"; }
  std::vector<std::string> doorless(const std::string& url) const { return {"--url", url, "--protocol", "kbs"}; }
};

TEST_F(Systemd, TakesTheSocketItIsHandedAndSaysWhenItIsReady) {
  HttpBroker broker(plain());
  NotifySocket systemd(notify_path());
  const posix::Fd door = *posix::listen_unix(socket(), 16, posix::IfExists::refuse);
  Process proxy(doorless(broker.url()),
                {"LISTEN_FDS=1", "LISTEN_FDNAMES=attest-proxy.socket", "NOTIFY_SOCKET=" + notify_path(),
                 "http_proxy=http://127.0.0.1:1"},
                door.get());
  EXPECT_EQ(proxy.out_line(), "ready unix:" + socket());
  EXPECT_EQ(systemd.receive_with("READY=1"), "READY=1\nSTATUS=serving unix:" + socket());
  EXPECT_TRUE(GuestEnd::connect(socket()).attest(plain())) << "the rest of the environment changes nothing";
  proxy.signal(SIGTERM);
  EXPECT_NE(systemd.receive_with("STOPPING=1"), "");
  EXPECT_EQ(proxy.ended(), 0);
  struct stat about {};
  EXPECT_EQ(lstat(socket().c_str(), &about), 0) << "systemd made the path and keeps it";
}

TEST_F(Systemd, AnswersTheWatchdogAsLongAsItServes) {
  NotifySocket systemd(notify_path());
  Process proxy(flags("http://127.0.0.1:1"), {"WATCHDOG_USEC=100000", "NOTIFY_SOCKET=" + notify_path()});
  ASSERT_EQ(proxy.out_line(), "ready unix:" + socket());
  for (int i = 0; i < 3; ++i) {
    const std::string beat = systemd.receive_with("WATCHDOG=1");
    EXPECT_NE(beat.find("STATUS=0 attempts running, 0 waiting, 0 lines open"), std::string::npos) << beat;
  }
}

TEST_F(Systemd, SocketForAnotherProcessIsNotTaken) {
  const posix::Fd door = *posix::listen_unix(socket(), 16, posix::IfExists::refuse);
  Process proxy(doorless("http://127.0.0.1:1"), {"LISTEN_FDS=1", "LISTEN_PID=1"});
  EXPECT_EQ(proxy.ended(), 2);
  EXPECT_NE(proxy.errors().find("one of --unix, --vsock and --serial is required"), std::string::npos);
}

TEST_F(Systemd, DescriptorThatIsNoListeningSocketIsRefused) {
  SocketPair connected = socket_pair();
  Process proxy(doorless("http://127.0.0.1:1"), {"LISTEN_FDS=1"}, connected.proxy_end.get());
  EXPECT_EQ(proxy.ended(), 2);
  EXPECT_NE(proxy.errors().find("cannot listen on descriptor 3"), std::string::npos);
}

}  // namespace
}  // namespace attestbed::proxy
