// SPDX-License-Identifier: Apache-2.0
// How much stack does attest() need? A thread whose stack was painted runs it; the deepest octet that changed is the
// answer. Included: the frame of the caller of attest() (its Platform and Result), and everything of core below it:
// GuestChannel, guest messages, frames, JSON, base64, JWE. The crypto is null, and line, firmware, clock and entropy
// only copy what was prepared, so nothing else is in the figure. The most of all ways counts: either kind of line,
// serial with a repeated request; default and stated terms; and a host that nests unknown members as deep as the reader
// bears, which is what recurses.
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
  std::optional<RehearsedHost> line;
  AttestConfig config{.secret_auth = SecretAuth::none};
  Workspace workspace;
  std::uintptr_t from = 0;
  bool released = false;

  bool prepare(const Way& way, bool nested) {
    std::string first = body_of(negotiation_response(way)), second = body_of(aproxy_case().attestation_response);
    if (nested) {
      nest(first, "\"challenge\"", 1);
      nest(first, "\"accepted\"", 2);
      nest(first, "\"binding\"", 3);
      nest(second, "\"wrapped_cek\"", 2);
      nest(second, "\"x\"", 3);
      nest(second, "\"success\"", 1);
    }
    line.emplace(way.line, framed(bytes_of(first)), framed(bytes_of(second)));
    config.terms = terms_of(way);
    config.line = way.line;
    snp::Vmpck key;
    if (!port.prepare(key)) return false;
    channel.emplace(std::move(key), port, clock, pages, snp::GuestChannel::Options{});
    return true;
  }

  // Its own frame, so that what the thread library has on the stack above it does not count.
  [[gnu::noinline]] void run() {
    from = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    const Platform platform{.wire = *line, .reports = *channel, .entropy = entropy, .clock = clock};
    const Result<Released> result = attest(platform, config, workspace);
    released =
        result.has_value() && workspace.trace.negotiation_requests == (config.line == LineKind::serial ? 2U : 1U);
  }
};

void* run_attempt(void* attempt) {
  static_cast<Attempt*>(attempt)->run();
  return nullptr;
}

/// stack_of is how many octets of a fresh stack one attempt changed; 0 if it failed.
std::size_t stack_of(const Way& way, bool nested) {
  const auto attempt = std::make_unique<Attempt>();
  if (!attempt->prepare(way, nested)) return 0;
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
    stack_of(kWays[0], false);  // the dynamic linker resolves symbols on the stack of whoever calls first
    std::size_t most = 0;
    std::string label = "octets with the recorded answers, and with unknown members nested as deep as is read: ";
    for (const Way& way : kWays) {
      const std::size_t plain = stack_of(way, false), nested = stack_of(way, true);
      if (plain == 0 || nested == 0) return state.SkipWithError("nothing released");
      most = std::max({most, plain, nested});
      label += way.name() + " " + std::to_string(plain) + " and " + std::to_string(nested) + "; ";
    }
    state.counters["guest.stack"] = static_cast<double>(most);
    state.SetLabel(label + "the caller's frame included");
  }
}
BENCHMARK(target_stack)->Name("target/guest.stack")->Iterations(1);

}  // namespace
}  // namespace attestbed::bench
