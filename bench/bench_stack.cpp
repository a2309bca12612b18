// SPDX-License-Identifier: Apache-2.0
// How much stack does attest() need? A thread whose stack was painted runs it; the deepest octet that changed is the
// answer. Included: the frame of the caller of attest() (its Platform and Result), and everything of core below it:
// GuestChannel, guest messages, frames, JSON, base64, JWE. The crypto is null, and line, firmware, clock and entropy
// only copy what was prepared, so nothing else is in the figure. Also measured, and the larger counts: a host that
// nests unknown members as deep as the reader bears, which is what recurses.
#include <pthread.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <optional>

#include "bench/interleaved.h"
#include "bench/replayed.h"
#include "core/attest.h"
#include "core/snp/guest_channel.h"

namespace attestbed::bench {
namespace {

constexpr std::size_t kStackBytes = 1 << 20;
constexpr std::uint8_t kPaint = 0xa5;

class StoppedClock final : public Clock {
 public:
  Instant now() override { return Instant(std::chrono::seconds(1)); }
  void wait_until(Instant) override {}
};

/// PreparedLine answers the two questions with two frames.
class PreparedLine final : public Transport {
 public:
  PreparedLine(Octets first, Octets second) : frames_{std::move(first), std::move(second)} {}
  Status write_all(Bytes, Deadline) override {
    asked_ = true;
    return ok();
  }
  Result<std::size_t> read_some(MutBytes into, Deadline) override {
    if (asked_) left_ = frames_[next_++ % 2];
    asked_ = false;
    const std::size_t size = std::min(into.size(), left_.size());
    if (size == 0) return Error{Errc::closed, "PreparedLine"};
    std::memcpy(into.data(), left_.data(), size);
    left_ = left_.subspan(size);
    return size;
  }

 private:
  const Octets frames_[2];
  std::size_t next_ = 0;
  Bytes left_;
  bool asked_ = false;
};

/// PreparedPort answers with the page that the firmware would send: a report over what null hashing makes of
/// everything.
class PreparedPort final : public snp::GuestRequestPort {
 public:
  bool prepare(const snp::Vmpck& key) {
    const Octets octets = sample("reports/v5-genoa.bin");
    snp::MsgReportRsp answer{};
    if (octets.size() != sizeof answer.report) return false;
    std::memcpy(&answer.report, octets.data(), octets.size());
    answer.report_size = static_cast<std::uint32_t>(sizeof answer.report);
    answer.report.report_data = {};
    const Bytes payload(reinterpret_cast<const std::uint8_t*>(&answer), sizeof answer);
    const snp::GuestMessage message{snp::MsgType::report_rsp, 1, 0, 2, payload};
    return snp::seal_guest_message(key, message, page_).has_value();
  }
  Result<snp::GuestRequestExit> call(const snp::Page&, snp::Page& reply, Deadline) override {
    std::memcpy(reply.data(), page_.data(), page_.size());
    return snp::GuestRequestExit{};
  }

 private:
  snp::Page page_{};
};

/// nested puts an unknown member in front of `name` whose value is as deep as JsonReader bears, filled to the last
/// level.
void nest(std::string& text, const std::string& before, unsigned depth_there) {
  std::string value = "1";
  for (unsigned depth = depth_there; depth < kMaxJsonDepth; ++depth) value = "{\"q\":" + value + "}";
  const std::size_t at = text.find(before);
  if (at != std::string::npos) text.insert(at, "\"unknown\":" + value + ",");
}

Octets framed(const std::string& body) {
  Octets frame(protocol::kFramePrefixBytes, 0);
  for (std::size_t i = 0; i < frame.size(); ++i) frame[i] = static_cast<std::uint8_t>(body.size() >> (8 * i));
  frame.insert(frame.end(), body.begin(), body.end());
  return frame;
}

std::string body_of(const Octets& frame) {
  return {frame.begin() + protocol::kFramePrefixBytes, frame.end()};
}

/// Attempt is one run of attest(), everything prepared.
struct Attempt {
  StoppedClock clock;
  VectorEntropy entropy;
  PreparedPort port;
  snp::ChannelPages pages{};
  std::optional<snp::GuestChannel> channel;
  std::optional<PreparedLine> line;
  Workspace workspace;
  std::uintptr_t from = 0;
  bool released = false;

  bool prepare(bool nested) {
    std::string first = body_of(aproxy_case().negotiation_response),
                second = body_of(aproxy_case().attestation_response);
    if (nested) {
      nest(first, "\"challenge\"", 1);
      nest(second, "\"wrapped_cek\"", 2);
      nest(second, "\"x\"", 3);
      nest(second, "\"success\"", 1);
    }
    line.emplace(framed(first), framed(second));
    snp::Vmpck key;
    if (!port.prepare(key)) return false;
    channel.emplace(std::move(key), port, clock, pages, snp::GuestChannel::Options{});
    return true;
  }

  // Its own frame, so that what the thread library has on the stack above it does not count.
  [[gnu::noinline]] void run() {
    from = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    const Platform platform{.wire = *line, .reports = *channel, .entropy = entropy, .clock = clock};
    const Result<Released> result = attest(platform, {.secret_auth = SecretAuth::none}, workspace);
    released = result.has_value();
  }
};

void* run_attempt(void* attempt) {
  static_cast<Attempt*>(attempt)->run();
  return nullptr;
}

/// stack_of is how many octets of a fresh stack one attempt changed; 0 if it failed.
std::size_t stack_of(bool nested) {
  const auto attempt = std::make_unique<Attempt>();
  if (!attempt->prepare(nested)) return 0;
  void* const memory = mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return 0;
  auto* const stack = static_cast<std::uint8_t*>(memory);
  std::memset(stack, kPaint, kStackBytes);
  pthread_attr_t attributes;
  pthread_t thread{};
  pthread_attr_init(&attributes);
  const bool ran = pthread_attr_setstack(&attributes, stack, kStackBytes) == 0 &&
                   pthread_create(&thread, &attributes, run_attempt, attempt.get()) == 0 &&
                   pthread_join(thread, nullptr) == 0;
  pthread_attr_destroy(&attributes);
  const std::uint8_t* const deepest =
      std::find_if(stack, stack + kStackBytes, [](std::uint8_t octet) { return octet != kPaint; });
  const std::size_t used = attempt->from - reinterpret_cast<std::uintptr_t>(deepest);
  munmap(memory, kStackBytes);
  return ran && attempt->released ? used : 0;
}

void target_stack(benchmark::State& state) {
  for (auto _ : state) {
    stack_of(false);  // the dynamic linker resolves symbols on the stack of whoever calls first
    const std::size_t plain = stack_of(false), nested = stack_of(true);
    if (plain == 0 || nested == 0) return state.SkipWithError("nothing released");
    state.counters["guest.stack"] = static_cast<double>(std::max(plain, nested));
    state.SetLabel(std::to_string(plain) + " octets with the recorded answers, " + std::to_string(nested) +
                   " with unknown members nested as deep as is read; the caller's frame included");
  }
}
BENCHMARK(target_stack)->Name("target/guest.stack")->Iterations(1);

}  // namespace
}  // namespace attestbed::bench
