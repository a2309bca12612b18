// SPDX-License-Identifier: Apache-2.0
#include "guest/tsm_report.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>

#include "core/snp/certificate_table.h"

namespace attestbed::guest {
namespace {

// Somebody else wrote to our entry, or keeps us from it. Never leaves this file: the next entry may be ours alone.
constexpr Errc kDisturbed = Errc::contradiction;
constexpr int kNamesTried = 16;

Error disturbed() {
  return {kDisturbed, "configfs-tsm entry"};
}

Error unreachable(const char* where, int error) {
  return {Errc::firmware_unreachable, where, static_cast<std::uint64_t>(error)};
}

/// attribute_error names why an attribute cannot be read or written: errno as sev-guest.c returns it,
/// whose ioctl would have said more.
Error attribute_error(int error) {
  const auto found = static_cast<std::uint64_t>(error);
  switch (error) {
    case EBUSY:
    case EWOULDBLOCK:
      return disturbed();
    case EINVAL:
      return {Errc::firmware_refused, "configfs-tsm: the firmware refuses the request (STATUS 0x16 or 0x27)", found};
    case EIO:
      return {Errc::firmware_refused, "configfs-tsm: firmware or hypervisor refused; the kernel's log has the code",
              found};
    case ENOTTY:
      return {Errc::vmpck_lost, "configfs-tsm: the driver has no VMPCK"};
    case ETIMEDOUT:
      return {Errc::firmware_busy, "configfs-tsm: the driver gave up on a busy host", found};
    case EBADMSG:
    case EFBIG:
      return {Errc::firmware_reply, "configfs-tsm: the reply is not one to this request", found};
    case ENXIO:
      return unreachable("configfs-tsm: no provider, or a STATUS that it has no errno for", error);
    default:
      return unreachable("configfs-tsm attribute", error);
  }
}

Error entry_error(int error) {
  switch (error) {
    case ENOENT:
      return unreachable(
          "configfs-tsm: no tree; kernels from 6.7 have it, once configfs is mounted and sev-guest loaded", error);
    case ENXIO:
      return unreachable("configfs-tsm: no provider; an SNP guest has one once the module sev-guest is loaded", error);
    case EACCES:
    case EPERM:
      return unreachable("configfs-tsm: no permission; the tree belongs to root", error);
    default:
      return unreachable("configfs-tsm: mkdir of an entry", error);
  }
}

/// Entry is a directory of the tree for as long as it is needed.
class Entry {
 public:
  Entry(TsmTree& tree, std::string name) : tree_(tree), name_(std::move(name)) {}
  ~Entry() { tree_.remove(name_); }
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;
  const std::string& name() const { return name_; }

 private:
  TsmTree& tree_;
  std::string name_;
};

std::string_view text_of(Bytes octets) {
  std::string_view text(reinterpret_cast<const char*>(octets.data()), octets.size());
  if (text.ends_with('\n')) text.remove_suffix(1);
  return text;
}

}  // namespace

Result<Evidence> TsmReport::report(const snp::ReportData& report_data, Deadline until) {
  for (int attempt = 1; attempt <= kAttempts; ++attempt) {
    if (clock_.now() >= until) return Error{Errc::deadline, "configfs-tsm"};
    std::string name;
    int error = EEXIST;
    // A name may be there: left behind by a process that was killed and had our number.
    for (int tried = 0; error == EEXIST && tried < kNamesTried; ++tried) {
      name = "attest-guest-" + std::to_string(getpid()) + "-" + std::to_string(entries_++);
      error = tree_.make(name);
    }
    if (error != 0) return entry_error(error);
    const Entry entry(tree_, name);
    const Result<Evidence> evidence = from_entry(entry.name(), report_data, until);
    if (evidence || evidence.error().code != kDisturbed) return evidence;
  }
  return Error{Errc::firmware_busy, "configfs-tsm: others write to our entries", kAttempts, 0};
}

Result<Evidence> TsmReport::from_entry(const std::string& entry, const snp::ReportData& report_data, Deadline until) {
  TRY(check_provider(entry, until));
  TRY(check_privlevel(entry, until));
  const std::uint64_t before = TRY(number(entry, "generation", until));
  const std::string level = std::to_string(vmpl_);
  TRY(write(entry, "privlevel", {reinterpret_cast<const std::uint8_t*>(level.data()), level.size()}, until));
  TRY(write(entry, "inblob", report_data, until));
  const std::uint64_t ours = before + 2;
  const std::uint64_t written = TRY(number(entry, "generation", until));
  if (written != ours) return disturbed();

  const Bytes octets = TRY(read(entry, "outblob", pages_.report, until));
  const Result<Bytes> certs = read(entry, "auxblob", pages_.certs, until);
  const std::uint64_t after = TRY(number(entry, "generation", until));
  if (after != ours) return disturbed();
  if (octets.size() != snp::kReportBytes) {
    return Error{Errc::firmware_reply, "configfs-tsm outblob", octets.size(), snp::kReportBytes};
  }
  Evidence evidence{};
  std::memcpy(&evidence.report, octets.data(), sizeof evidence.report);
  // A write of ours that the kernel dropped, and one of somebody else's that it took, leave the same count.
  if (evidence.report.report_data != report_data || evidence.report.vmpl != vmpl_) return disturbed();
  // Endorsements are no evidence: a guest whose host gave none goes on.
  if (certs) evidence.certs = snp::certificates_in(*certs);
  return evidence;
}

Status TsmReport::check_provider(const std::string& entry, Deadline until) {
  ByteArray<32> text;
  const Bytes provider = TRY(read(entry, "provider", text, until));
  if (text_of(provider) == "sev_guest") return ok();
  return Error{Errc::bad_config, "configfs-tsm: the provider is not sev_guest: this is no SNP guest"};
}

Status TsmReport::check_privlevel(const std::string& entry, Deadline until) {
  const std::uint64_t floor = TRY(number(entry, "privlevel_floor", until));
  if (vmpl_ >= floor) return ok();
  return Error{Errc::bad_config, "--vmpl is below the kernel's privlevel_floor", vmpl_, floor};
}

Status TsmReport::write(const std::string& entry, const char* attribute, Bytes octets, Deadline until) {
  if (clock_.now() >= until) return Error{Errc::deadline, "configfs-tsm"};
  const int error = tree_.write(entry, attribute, octets);
  if (error != 0) return attribute_error(error);
  return ok();
}

Result<Bytes> TsmReport::read(const std::string& entry, const char* attribute, MutBytes into, Deadline until) {
  while (true) {
    if (clock_.now() >= until) return Error{Errc::deadline, "configfs-tsm"};
    std::size_t got = 0;
    const int error = tree_.read(entry, attribute, into, got);
    if (error == 0) return Bytes(into.first(got));
    if (error != EINTR) return attribute_error(error);
  }
}

Result<std::uint64_t> TsmReport::number(const std::string& entry, const char* attribute, Deadline until) {
  ByteArray<24> octets;
  const Bytes read_octets = TRY(read(entry, attribute, octets, until));
  const std::string_view text = text_of(read_octets);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) return value;
  return Error{Errc::firmware_reply, attribute};
}

}  // namespace attestbed::guest
