// SPDX-License-Identifier: Apache-2.0
#include "core/verify/vek.h"

#include <algorithm>

#include "core/verify/certificate_impl.h"
#include "core/verify/x509_rules.h"

namespace attestbed::verify {
namespace {

using Kind = Certificate::Kind;

/// Line is the product line whose chain the VEK says it belongs to.
struct Line {
  snp::Product product;
  std::string root, intermediate;  // common names
};

Checked<Line> check_vek_names(const Certificate& vek) {
  if (vek.kind() != Kind::vcek && vek.kind() != Kind::vlek) {
    return Refusal{Errc::vek_name, printable(vek.source(), 160) + " subject.CN", "SEV-VCEK or SEV-VLEK",
                   vek.common_name()};
  }
  const bool vcek = vek.kind() == Kind::vcek;
  TRY(check_name(vek, Whose::subject, vcek ? "SEV-VCEK" : "SEV-VLEK", Errc::vek_name));
  const std::string prefix = vcek ? "SEV-" : "SEV-VLEK-";
  for (const snp::Product product : {snp::Product::milan, snp::Product::genoa, snp::Product::turin}) {
    const Line line{product, std::string("ARK-") + snp::product_name(product), prefix + snp::product_name(product)};
    if (vek.impl().issuer_common_name != line.intermediate) continue;
    TRY(check_name(vek, Whose::issuer, line.intermediate, Errc::vek_name));
    return line;
  }
  return Refusal{Errc::vek_name, std::string(kind_name(vek.kind())) + " " + printable(vek.source(), 160) + " issuer.CN",
                 prefix + "Milan, " + prefix + "Genoa or " + prefix + "Turin",
                 printable(vek.impl().issuer_common_name)};
}

/// issuers_named collects who may have issued the VEK: what was given first, then what ships.
std::vector<Certificate> issuers_named(const Certificate& vek, std::span<const Certificate> others) {
  std::vector<Certificate> issuers;
  const auto add = [&](const Certificate& candidate) {
    if (!names_match(vek, candidate) || std::ranges::find(issuers, candidate) != issuers.end()) return;
    issuers.push_back(candidate);
  };
  for (const Certificate& candidate : others) {
    if (issuers.size() < kMaxIssuers) add(candidate);
  }
  for (const Certificate& candidate : amd_intermediates()) add(candidate);
  return issuers;
}

const Certificate* root_that_signed(const Certificate& intermediate, const TrustedRoots& roots) {
  for (const Certificate& root : roots.certificates()) {
    if (names_match(intermediate, root) && is_signed_by(intermediate, root)) return &root;
  }
  return nullptr;
}

struct Path {
  Certificate intermediate, root;
};

/// is_left_out holds if a root of the line is trusted, and of its intermediate there is none but what ships for AMD's.
bool is_left_out(std::span<const Certificate> issuers, const Line& line, const TrustedRoots& roots) {
  const std::span<const Certificate> shipped = amd_intermediates();
  const bool given = std::ranges::any_of(
      issuers, [&](const Certificate& issuer) { return std::ranges::find(shipped, issuer) == shipped.end(); });
  return !given && std::ranges::any_of(roots.certificates(),
                                       [&](const Certificate& root) { return root.impl().common_name == line.root; });
}

/// find_path looks for an issuer that a trusted root signed and that signed the VEK.
Checked<Path> find_path(const Certificate& vek, const Line& line, std::span<const Certificate> others,
                        const TrustedRoots& roots) {
  const std::vector<Certificate> issuers = issuers_named(vek, others);
  TRY(check_signature_form(vek));
  const Certificate* trusted = nullptr;
  for (const Certificate& issuer : issuers) {
    const Certificate* root = root_that_signed(issuer, roots);
    if (root == nullptr) continue;
    if (is_signed_by(vek, issuer)) return Path{issuer, *root};
    trusted = &issuer;
  }
  // An issuer that did sign the VEK but hangs under no trusted root says more than a trusted one that did not sign it.
  const auto signer =
      std::ranges::find_if(issuers, [&](const Certificate& issuer) { return is_signed_by(vek, issuer); });
  if (signer == issuers.end() && trusted != nullptr) {
    return Refusal{Errc::chain_signature, std::string(kind_name(vek.kind())) + " " + printable(vek.source(), 160),
                   "a signature by " + described(*trusted), "one that does not verify"};
  }
  if (signer == issuers.end() && is_left_out(issuers, line, roots)) {
    return Refusal{Errc::certificate_missing, line.intermediate, "the certificate that issued " + described(vek),
                   std::to_string(others.size()) + " certificates, none of that name"};
  }
  std::string names;
  for (const Certificate& root : roots.certificates()) names += (names.empty() ? "" : ", ") + described(root);
  const std::string untrusted = signer != issuers.end() ? described(*signer)
                                : issuers.empty()       ? line.intermediate
                                                        : described(issuers.front());
  return Refusal{Errc::root_untrusted, line.root,
                 "a signature on " + untrusted + " by a trusted root: " + printable(names, 400),
                 "none of these signed it"};
}

Checked<void> check_constraints(const Path& path, const Line& line) {
  TRY(check_name(path.root, Whose::subject, line.root, Errc::chain_constraint));
  TRY(check_name(path.root, Whose::issuer, line.root, Errc::chain_constraint));
  TRY(check_name(path.intermediate, Whose::subject, line.intermediate, Errc::chain_constraint));
  TRY(check_name(path.intermediate, Whose::issuer, line.root, Errc::chain_constraint));
  TRY(check_ca(path.root, 1, line.product));
  return check_ca(path.intermediate, 0, line.product);
}

Time earliest_end(const Certificate& vek, const Path& path) {
  return std::min({vek.not_after(), path.intermediate.not_after(), path.root.not_after()});
}

}  // namespace

struct Vek::Impl {
  Certificate certificate, intermediate, root;
  VekExtensions extensions;
};

const Certificate& Vek::certificate() const {
  return impl_->certificate;
}
const Certificate& Vek::intermediate() const {
  return impl_->intermediate;
}
const Certificate& Vek::root() const {
  return impl_->root;
}
snp::Product Vek::product() const {
  return impl_->extensions.product;
}
snp::Tcb Vek::tcb() const {
  return impl_->extensions.tcb;
}
std::span<const std::uint8_t> Vek::hardware_id() const {
  return impl_->extensions.hardware_id;
}
Time Vek::chain_valid_until() const {
  return earliest_end(certificate(), {intermediate(), root()});
}

Checked<Vek> verify_chain(const Certificate& vek, std::span<const Certificate> others, const TrustedRoots& roots,
                          Time at, Steps* passed) {
  const auto pass = [&](const char* check, const auto& found) {
    if (passed != nullptr) passed->push_back({check, found()});
  };
  const Line line = TRY(check_vek_names(vek));
  pass("names", [&] { return vek.common_name() + " issued by " + line.intermediate; });
  const Path path = TRY(find_path(vek, line, others, roots));
  pass("chain",
       [&] { return described(vek) + " <- " + described(path.intermediate) + " <- trusted " + described(path.root); });
  TRY(check_constraints(path, line));
  TRY(check_vek_key(vek));
  pass("constraints", [] { return std::string("RSA-4096 CAs with CA:TRUE, certSign and AMD's CRL, VEK on P-384"); });
  for (const Certificate* certificate : {&vek, &path.intermediate, &path.root}) TRY(check_dates(*certificate, at));
  pass("dates", [&] { return "valid at " + time_text(at) + ", until " + time_text(earliest_end(vek, path)); });
  if (!vek.vek_extensions()) return vek.vek_extensions().error();
  const VekExtensions& extensions = *vek.vek_extensions();
  if (extensions.product != line.product) {
    return Refusal{Errc::vek_extension, "VEK.productName", snp::product_name(line.product),
                   printable(extensions.product_name)};
  }
  pass("extensions",
       [&] { return extensions.product_name + (extensions.csp_id.empty() ? "" : ", " + extensions.csp_id); });
  return Vek(std::make_shared<const Vek::Impl>(Vek::Impl{vek, path.intermediate, path.root, extensions}));
}

}  // namespace attestbed::verify
