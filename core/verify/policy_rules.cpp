// SPDX-License-Identifier: Apache-2.0
#include "core/verify/policy_rules.h"

#include <cstdio>

#include "core/verify/report_rules.h"

namespace attestbed::verify {
namespace {

std::string hex_number(std::uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

std::string version_text(VersionBound version) {
  return std::to_string(version.major) + "." + std::to_string(version.minor);
}

bool is_listed(const std::vector<ByteArray<48>>& list, const ByteArray<48>& digest) {
  return std::ranges::find(list, digest) != list.end();
}

const char* set_or_clear(bool set) {
  return set ? "set" : "clear";
}

}  // namespace

Judged bit_allowed(std::optional<bool> allowed, bool set) {
  if (!allowed) return {};
  return judged(!set || *allowed, *allowed ? "set or clear" : "clear", set_or_clear(set));
}

Judged bit_required(bool required, bool set) {
  if (!required) return {};
  return judged(set, "set", set_or_clear(set));
}

Judged version_at_least(const std::optional<VersionBound>& bound, VersionBound found) {
  if (!bound) return {};
  return judged(found >= *bound, "at least " + version_text(*bound), version_text(found));
}

Judged tcb_at_least(const std::optional<snp::Tcb>& bound, const snp::Tcb& found, snp::Product product) {
  if (!bound) return {};
  std::string below, is, all;
  const auto append = [](std::string& text, const char* name, std::uint8_t level) {
    text += (text.empty() ? "" : ", ") + std::string(name) + " " + std::to_string(level);
  };
  for (const auto& [name, level] : tcb_components(product)) {
    append(all, name, *bound.*level);
    if (found.*level >= *bound.*level) continue;
    append(below, name, *bound.*level);
    append(is, name, found.*level);
  }
  // A bound on what the product does not have would never be met, and never be judged.
  if (product != snp::Product::turin && bound->fmc != 0) {
    append(below, "fmc", bound->fmc);
    is += (is.empty() ? "" : ", ") + std::string("no fmc on ") + snp::product_name(product);
  }
  if (below.empty()) return judged(true, "at least " + all, "no component below");
  return judged(false, "at least " + below, is);
}

Judged bits_present(std::uint64_t required, std::uint64_t found) {
  if (required == 0) return {};
  return judged((found & required) == required, "the bits " + hex_number(required), hex_number(found));
}

Judged id_key(const Policy& policy, const snp::RawReport& report) {
  const bool listed = !policy.id_key_digests.empty() || !policy.author_key_digests.empty();
  if (!policy.require_id_block && !listed) return {};
  const std::string found = report.id_key_digest == ByteArray<48>{} ? "no ID block" : hex_text(report.id_key_digest);
  if (!listed) return judged(report.id_key_digest != ByteArray<48>{}, "an ID block", found);
  const bool vouched =
      snp::author_key_enabled(report.key_flags) && is_listed(policy.author_key_digests, report.author_key_digest);
  const bool good =
      report.id_key_digest != ByteArray<48>{} && (vouched || is_listed(policy.id_key_digests, report.id_key_digest));
  const std::string expected = "one of " + std::to_string(policy.id_key_digests.size()) +
                               " ID keys, or one that one of " + std::to_string(policy.author_key_digests.size()) +
                               " author keys signed";
  return judged(good, expected, found + (vouched ? ", signed by a listed author key" : ""));
}

Judged author_key(const Policy& policy, const snp::RawReport& report) {
  if (!policy.require_author_key) return {};
  if (!snp::author_key_enabled(report.key_flags)) return judged(false, "AUTHOR_KEY_EN set", "clear: no author key");
  if (policy.author_key_digests.empty()) return judged(true, "an author key", hex_text(report.author_key_digest));
  return listed_octets(policy.author_key_digests, report.author_key_digest);
}

}  // namespace attestbed::verify
