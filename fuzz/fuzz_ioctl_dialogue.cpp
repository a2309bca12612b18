// SPDX-License-Identifier: Apache-2.0
// Property: whatever a caller of the simulated /dev/sev-guest has in its memory, and however it changes it between the
// rounds of one ioctl, the ioctl ends after four rounds at most; a round asks for few and small ranges, and what the
// last one writes fits into the room that was promised; a refusal writes no more than argument and extended request.
// Input: request:1, then what the kernel copies from the caller, round after round; zeros where the input ends.
#include <memory>

#include "core/base/reader.h"
#include "fuzz/must.h"
#include "sim/device/ioctl_dialogue.h"
#include "sim/firmware.h"
#include "sim/hypervisor.h"
#include "sim/manual_clock.h"
#include "sim/seeded_entropy.h"

using namespace attestbed;
using fuzz::must;

namespace {

constexpr std::uint64_t kArgument = 0x1000;
constexpr std::size_t kMaxRounds = 4, kMaxRanges = 4;
constexpr std::size_t kMaxRead = 32 + 112, kMaxWritten = 5 * snp::kPageBytes;

std::shared_ptr<const sim::CertificateAuthority> authority() {
  static const auto& made =
      *new std::shared_ptr<const sim::CertificateAuthority>(std::make_shared<const sim::CertificateAuthority>(
          *sim::CertificateAuthority::of_default_seed(snp::Product::milan)));
  return made;
}

/// Device is a machine with one guest, and the driver in it.
class Device {
 public:
  Device()
      : machine_(sim::Machine::of(authority())),
        firmware_(machine_, launched()),
        host_(firmware_, {.certificates = std::vector<std::uint8_t>(5000, 0x5c)}, clock_) {
    auto key = snp::vmpck_from_secrets_page(firmware_.guest().secrets_page(machine_), 0);
    must(bool(key), "a guest has VMPCK 0");
    driver_ = std::make_unique<sim::SevGuestDriver>(*std::move(key), 0U, host_, clock_);
  }
  sim::SevGuestDriver& driver() { return *driver_; }

 private:
  sim::GuestContext launched() const {
    sim::SeededEntropy entropy(1, "fuzz ioctl dialogue");
    auto launch = sim::Launch::start(machine_, sim::kDefaultPolicy, entropy);
    must(bool(launch), "a guest is launched");
    return (*std::move(launch)).finish({});
  }

  sim::Machine machine_;
  sim::Firmware firmware_;
  sim::ManualClock clock_;
  sim::Hypervisor host_;
  std::unique_ptr<sim::SevGuestDriver> driver_;
};

std::size_t sum_of(const std::vector<sim::UserRange>& ranges) {
  std::size_t sum = 0;
  for (const sim::UserRange& range : ranges) sum += range.size;
  return sum;
}

std::size_t sum_of(const std::vector<Bytes>& parts) {
  std::size_t sum = 0;
  for (const Bytes part : parts) sum += part.size();
  return sum;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr std::uint32_t kRequests[] = {SNP_GET_REPORT, SNP_GET_DERIVED_KEY, SNP_GET_EXT_REPORT, 0x5401};
  const std::uint32_t request = kRequests[data[0] % std::size(kRequests)];
  Reader caller(Bytes(data, size).subspan(1));
  Device device;
  sim::IoctlDialogue dialogue(device.driver());

  std::vector<std::uint8_t> in;
  std::vector<sim::UserRange> out;
  for (std::size_t round = 1;; ++round) {
    must(round <= kMaxRounds, "an ioctl ends");
    const std::size_t room = sum_of(out);
    const sim::IoctlReply reply = dialogue.round(request, kArgument, in, room);
    if (!reply.again) {
      must(sum_of(reply.data) <= room, "what is written fits");
      must(reply.error == 0 || sum_of(reply.data) <= kMaxRead, "a refusal discloses nothing");
      must(reply.error != 0 || sum_of(reply.data) > 64, "success has a response");
      return 0;
    }
    must(reply.in.size() <= kMaxRanges && reply.out.size() <= kMaxRanges, "few ranges");
    must(sum_of(reply.in) <= kMaxRead && sum_of(reply.out) <= kMaxRead + kMaxWritten, "small ones");
    in.assign(sum_of(reply.in), 0);
    const Bytes brought = *caller.take(std::min(caller.left(), in.size()), "the caller's memory");
    std::ranges::copy(brought, in.begin());
    out = reply.out;
  }
}
