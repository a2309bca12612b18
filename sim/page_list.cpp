// SPDX-License-Identifier: Apache-2.0
#include "sim/page_list.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "core/posix/describe.h"
#include "sim/image_file.h"

namespace attestbed::sim {
namespace {

constexpr PageType kTypes[] = {PageType::normal,     PageType::vmsa,    PageType::zero,
                               PageType::unmeasured, PageType::secrets, PageType::cpuid};

/// quoted shows a few characters of a file that may hold anything.
std::string quoted(std::string_view text) {
  std::string shown = "\"";
  for (const char c : text.substr(0, 40)) shown += c >= ' ' && c <= '~' ? c : '?';
  return shown + (text.size() > 40 ? "...\"" : "\"");
}

std::optional<std::uint64_t> number_in(std::string_view text) {
  const bool hex = text.starts_with("0x");
  if (hex) text.remove_prefix(2);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, hex ? 16 : 10);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// LineReader takes one line apart.
class LineReader {
 public:
  LineReader(const std::string& name, std::size_t number, std::string_view line)
      : name_(name), number_(number), rest_(line.substr(0, line.find('#'))) {}

  /// word is the next one; empty at the end of the line.
  std::string_view word() {
    constexpr char kBlanks[] = " \t\r";
    rest_.remove_prefix(std::min(rest_.find_first_not_of(kBlanks), rest_.size()));
    const std::string_view found = rest_.substr(0, rest_.find_first_of(kBlanks));
    rest_.remove_prefix(found.size());
    return found;
  }

  Failure malformed(std::string_view field, std::string_view expected, std::string_view found) const {
    return {Errc::image_malformed, name_ + ": line " + std::to_string(number_) + ": " + std::string(field) +
                                       ": expected " + std::string(expected) + ", found " + std::string(found)};
  }

  Outcome<std::uint64_t> number(std::string_view field, std::string_view text, std::uint64_t max) const {
    const std::optional<std::uint64_t> found = number_in(text);
    if (found && *found <= max) return *found;
    return malformed(field, "a number up to " + hex_number(max), quoted(text));
  }

 private:
  const std::string& name_;
  std::size_t number_;
  std::string_view rest_;
};

VmsaState& vmsa_of(PageListEntry& entry) {
  if (!entry.vmsa) entry.vmsa.emplace();
  return *entry.vmsa;
}

constexpr std::uint64_t kAny = ~std::uint64_t{0};

/// NumberOption is `key=NUMBER`: its bound, and where it goes.
struct NumberOption {
  std::string_view key;
  std::uint64_t max;
  void (*set)(PageListEntry& entry, std::uint64_t value);
};
constexpr NumberOption kNumberOptions[] = {
    {"pages", kMaxImagePages, [](PageListEntry& e, std::uint64_t v) { e.pages = v; }},
    {"offset", kMaxPageFileBytes, [](PageListEntry& e, std::uint64_t v) { e.file_offset = v; }},
    {"vmpl1", 0xff, [](PageListEntry& e, std::uint64_t v) { e.permissions.vmpl1 = static_cast<std::uint8_t>(v); }},
    {"vmpl2", 0xff, [](PageListEntry& e, std::uint64_t v) { e.permissions.vmpl2 = static_cast<std::uint8_t>(v); }},
    {"vmpl3", 0xff, [](PageListEntry& e, std::uint64_t v) { e.permissions.vmpl3 = static_cast<std::uint8_t>(v); }},
    {"eip", 0xffffffff, [](PageListEntry& e, std::uint64_t v) { vmsa_of(e).eip = static_cast<std::uint32_t>(v); }},
    {"cpu", kAny, [](PageListEntry& e, std::uint64_t v) { vmsa_of(e).cpu_signature = v; }},
    {"features", kAny, [](PageListEntry& e, std::uint64_t v) { vmsa_of(e).sev_features = v; }},
};

Outcome<void> read_repeat(const LineReader& line, std::string_view value, PageListEntry& entry) {
  std::string octets;
  if (!posix::from_hex(value, octets) || octets.empty() || snp::kPageBytes % octets.size() != 0) {
    return line.malformed("repeat", "hex of a number of octets that divides 4096", quoted(value));
  }
  entry.repeat.assign(octets.begin(), octets.end());
  return {};
}

/// Keys are the options that a line has had: of two that contradict each other none is meant.
using Keys = std::vector<std::string_view>;

Outcome<void> read_option(const LineReader& line, std::string_view word, Keys& seen, PageListEntry& entry) {
  const std::size_t equals = word.find('=');
  const std::string_view key = word.substr(0, equals);
  if (std::ranges::find(seen, key) != seen.end()) return line.malformed(quoted(key), "once", "again");
  seen.push_back(key);
  if (word == "large") {
    entry.large = true;
    return {};
  }
  const std::string_view value = equals == std::string_view::npos ? std::string_view() : word.substr(equals + 1);
  const auto* const option = std::ranges::find(kNumberOptions, key, &NumberOption::key);
  if (option != std::end(kNumberOptions)) {
    const std::uint64_t number = TRY(line.number(key, value, option->max));
    option->set(entry, number);
    return {};
  }
  if (key == "file" && !value.empty()) {
    entry.file = value;
    return {};
  }
  if (key == "repeat") return read_repeat(line, value, entry);
  if (key == "vmm") {
    const Outcome<Vmm> vmm = vmm_named(value);
    if (!vmm) return line.malformed("vmm", "QEMU, ec2 or gce", quoted(value));
    vmsa_of(entry).vmm = *vmm;
    return {};
  }
  return line.malformed("option",
                        "pages=, file=, offset=, repeat=, vmpl1=, vmpl2=, vmpl3=, eip=, cpu=, features=, vmm= "
                        "or large",
                        quoted(word));
}

/// check_options refuses what the type has no use for, so that nothing in a list is silently ignored.
Outcome<void> check_options(const LineReader& line, const PageListEntry& entry) {
  const bool has_content = entry.type == PageType::normal || entry.type == PageType::vmsa;
  if (!entry.file.empty() && !has_content) return line.malformed("file", "a normal or vmsa page", "another type");
  if (entry.file_offset != 0 && entry.file.empty()) return line.malformed("offset", "a file=", "none");
  if (!entry.repeat.empty() && (entry.type != PageType::normal || !entry.file.empty())) {
    return line.malformed("repeat", "a normal page without file=", "another");
  }
  if (entry.vmsa && (entry.type != PageType::vmsa || !entry.file.empty())) {
    return line.malformed("eip, cpu, features or vmm", "a vmsa page without file=", "another");
  }
  if (entry.pages == 0) return line.malformed("pages", "at least 1", "0");
  if (entry.type == PageType::vmsa && entry.pages.value_or(1) != 1) {
    return line.malformed("pages", "1 for a vmsa", std::to_string(*entry.pages));
  }
  return {};
}

Outcome<PageListEntry> read_entry(LineReader& line, std::string_view type_word, std::size_t number) {
  PageListEntry entry;
  entry.line = number;
  const auto* const type =
      std::ranges::find_if(kTypes, [type_word](PageType each) { return type_word == page_type_name(each); });
  if (type == std::end(kTypes)) {
    return line.malformed("page type", "normal, vmsa, zero, unmeasured, secrets or cpuid", quoted(type_word));
  }
  entry.type = *type;
  const std::string_view gpa = line.word();
  entry.gpa = TRY(line.number("GPA", gpa, kAny));
  Keys seen;
  for (std::string_view word = line.word(); !word.empty(); word = line.word()) {
    TRY(read_option(line, word, seen, entry));
  }
  TRY(check_options(line, entry));
  return entry;
}

/// read_content reads the part of a file that the entry names.
Outcome<std::vector<std::uint8_t>> read_content(const std::string& path, const PageListEntry& entry) {
  const Result<std::string> octets = posix::read_file(path, kMaxPageFileBytes);
  if (!octets) return failure_at(path, octets.error());
  const ImageFile file(path, bytes_of(*octets));
  const std::uint64_t available = file.size() - std::min<std::uint64_t>(file.size(), entry.file_offset);
  const std::uint64_t size = entry.pages ? *entry.pages * snp::kPageBytes : available;
  if (size == 0 || size % snp::kPageBytes != 0) {
    return file.malformed(entry.file_offset, "octets to the end", "a multiple of 4096 above 0", std::to_string(size));
  }
  const Bytes content = TRY(file.slice(entry.file_offset, size, "page content"));
  return std::vector<std::uint8_t>(content.begin(), content.end());
}

Outcome<LaunchRegion> load_entry(const PageListEntry& entry, const std::string& directory) {
  LaunchRegion region{entry.type,
                      entry.gpa,
                      entry.pages.value_or(1),
                      {},
                      entry.permissions,
                      entry.large,
                      "line " + std::to_string(entry.line)};
  if (!entry.file.empty()) {
    const std::string path = entry.file.starts_with('/') ? entry.file : directory + entry.file;
    region.content = TRY(read_content(path, entry));
    region.pages = region.content.size() / snp::kPageBytes;
  } else if (entry.type == PageType::vmsa) {
    const snp::Page page = vmsa_page(entry.vmsa.value_or(VmsaState{}));
    region.content.assign(page.begin(), page.end());
  } else if (entry.type == PageType::normal) {
    region.content.resize(region.pages * snp::kPageBytes);
    for (std::size_t i = 0; i < region.content.size() && !entry.repeat.empty(); ++i) {
      region.content[i] = entry.repeat[i % entry.repeat.size()];
    }
  }
  return region;
}

/// Room is what a list may still take, so that a few octets of it cannot make us allocate or hash without end.
struct Room {
  std::uint64_t pages = kMaxImagePages;
  std::uint64_t content_pages = kMaxPageFileBytes / snp::kPageBytes;

  Outcome<void> take(const std::string& name, const PageListEntry& entry, std::uint64_t taken) {
    const bool has_content = entry.type == PageType::normal || entry.type == PageType::vmsa;
    if (taken > pages) return too_many(name, entry, kMaxImagePages, "pages", taken, pages);
    if (has_content && taken > content_pages) {
      constexpr std::uint64_t kMost = kMaxPageFileBytes / snp::kPageBytes;
      return too_many(name, entry, kMost, "pages with content", taken, content_pages);
    }
    pages -= taken;
    if (has_content) content_pages -= taken;
    return {};
  }

 private:
  static Failure too_many(const std::string& name, const PageListEntry& entry, std::uint64_t most, const char* what,
                          std::uint64_t found, std::uint64_t left) {
    return {Errc::too_large, name + ": line " + std::to_string(entry.line) + ": expected at most " +
                                 std::to_string(most) + " " + what + " in all, found " + std::to_string(found) +
                                 " where " + std::to_string(left) + " are left"};
  }
};

}  // namespace

Outcome<std::vector<PageListEntry>> parse_page_list(std::string_view text, const std::string& name) {
  if (text.size() > kMaxPageListBytes) {
    return Failure{Errc::too_large, name + ": expected at most " + std::to_string(kMaxPageListBytes) +
                                        " octets, found " + std::to_string(text.size())};
  }
  std::vector<PageListEntry> entries;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    LineReader line(name, number, text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::string_view type = line.word();
    if (type.empty()) continue;
    PageListEntry entry = TRY(read_entry(line, type, number));
    entries.push_back(std::move(entry));
  }
  if (entries.empty()) return Failure{Errc::image_malformed, name + ": expected at least one page, found none"};
  return entries;
}

std::string page_list_text(const std::vector<PageListEntry>& entries) {
  std::string text;
  for (const PageListEntry& entry : entries) {
    text += page_type_name(entry.type) + (" " + hex_number(entry.gpa));
    if (entry.pages) text += " pages=" + std::to_string(*entry.pages);
    if (!entry.file.empty()) text += " file=" + entry.file;
    if (entry.file_offset != 0) text += " offset=" + hex_number(entry.file_offset);
    if (!entry.repeat.empty()) text += " repeat=" + posix::to_hex(entry.repeat);
    const PagePermissions& may = entry.permissions;
    text += " vmpl1=" + hex_number(may.vmpl1) + " vmpl2=" + hex_number(may.vmpl2) + " vmpl3=" + hex_number(may.vmpl3);
    if (entry.vmsa) {
      const char* const vmm = entry.vmsa->vmm == Vmm::ec2 ? "ec2" : entry.vmsa->vmm == Vmm::gce ? "gce" : "QEMU";
      text += " eip=" + hex_number(entry.vmsa->eip) + " cpu=" + hex_number(entry.vmsa->cpu_signature) +
              " features=" + hex_number(entry.vmsa->sev_features) + " vmm=" + vmm;
    }
    text += entry.large ? " large\n" : "\n";
  }
  return text;
}

Outcome<LaunchImage> load_page_list(const std::string& path) {
  const Result<std::string> text = posix::read_file(path, kMaxPageListBytes);
  if (!text) return failure_at(path, text.error());
  const std::vector<PageListEntry> entries = TRY(parse_page_list(*text, path));
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "" : path.substr(0, slash + 1);
  LaunchImage image;
  Room room;
  for (const PageListEntry& entry : entries) {
    // Before anything is allocated, but for a file that is taken whole: its size is bounded by itself.
    const bool whole_file = !entry.file.empty() && !entry.pages;
    if (!whole_file) TRY(room.take(path, entry, entry.pages.value_or(1)));
    LaunchRegion region = TRY(load_entry(entry, directory));
    if (whole_file) TRY(room.take(path, entry, region.pages));
    image.push_back(std::move(region));
  }
  return image;
}

}  // namespace attestbed::sim
