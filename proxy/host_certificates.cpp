// SPDX-License-Identifier: Apache-2.0
#include "proxy/host_certificates.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <initializer_list>
#include <optional>

#include "core/base/base64.h"
#include "core/posix/describe.h"
#include "core/protocol/attestation.h"
#include "core/snp/certificate_table.h"

namespace attestbed::proxy {
namespace {

constexpr std::size_t kMaxFileBytes = 64 * 1024;
constexpr std::string_view kPemBegin = "-----BEGIN CERTIFICATE-----", kPemEnd = "-----END CERTIFICATE-----";
constexpr std::string_view kEndings[] = {".der", ".pem", ".crt", ".cer"};

using Octets = std::vector<std::uint8_t>;

Error malformed(const char* where) {
  return {Errc::certificate_malformed, where};
}

// One SEQUENCE of definite length (X.690 section 8.1.3) and nothing behind it. What it holds is the broker's business.
bool is_one_sequence(Bytes der) {
  if (der.size() < 2 || der[0] != 0x30) return false;
  std::size_t length = der[1], header = 2;
  if (length >= 0x80) {
    const std::size_t more = length & 0x7f;
    if (more == 0 || more > 3 || der.size() < 2 + more) return false;
    length = 0;
    for (std::size_t i = 0; i < more; ++i) length = length << 8 | der[2 + i];
    header += more;
  }
  return der.size() - header == length;
}

Result<Octets> from_pem(std::string_view text) {
  text.remove_prefix(text.find(kPemBegin) + kPemBegin.size());
  const std::size_t end = text.find(kPemEnd);
  if (end == std::string_view::npos) return malformed("PEM without its END line");
  if (text.find(kPemBegin, end) != std::string_view::npos) return malformed("more than one certificate");
  std::string base64;
  for (const char c : text.substr(0, end)) {
    if (c != '\n' && c != '\r' && c != ' ' && c != '\t') base64 += c;
  }
  Octets der(base64_max_decoded_size(base64.size()));
  const Result<MutBytes> decoded = base64_decode(Base64::standard, bytes_of(base64), der, "PEM");
  if (!decoded) return malformed("PEM that is no base64");
  der.resize(decoded->size());
  return der;
}

bool is_directory(const std::string& path) {
  struct stat about {};
  return stat(path.c_str(), &about) == 0 && S_ISDIR(about.st_mode);
}

// The first file of these that there is; none is no error.
Result<std::optional<Octets>> find(const std::string& directory, std::initializer_list<const char*> names,
                                   std::string& at) {
  for (const char* const name : names) {
    for (const std::string_view ending : kEndings) {
      at = directory + "/" + name + std::string(ending);
      const Result<std::string> content = posix::read_file(at, kMaxFileBytes);
      if (!content && content.error().code == Errc::io_failed && content.error().found == ENOENT) continue;
      if (!content) return Error{Errc::bad_config, "cannot be read"};
      Result<Octets> der = certificate_der(bytes_of(*content));
      if (!der) return Error{Errc::bad_config, der.error().where};
      return std::optional(*std::move(der));
    }
  }
  return std::optional<Octets>();
}

struct Chain {
  std::optional<Octets> vek, intermediate, root;
};

Result<Octets> table_of(const snp::Guid& vek_guid, const Chain& chain) {
  if (!chain.vek) return Octets();
  std::vector<snp::CertificateEntry> entries = {{vek_guid, *chain.vek}};
  if (chain.intermediate) entries.push_back({snp::kAskGuid, *chain.intermediate});
  if (chain.root) entries.push_back({snp::kArkGuid, *chain.root});
  Octets table(protocol::kMaxCertsBytes);
  const Result<Bytes> written = snp::encode_certificate_table(entries, table);
  if (!written) return Error{Errc::bad_config, "its certificates have more than 16 KiB together"};
  table.resize(written->size());
  return table;
}

}  // namespace

Result<Octets> certificate_der(Bytes file) {
  Octets der;
  if (text_of(file).find(kPemBegin) == std::string_view::npos) {
    der.assign(file.begin(), file.end());
  } else {
    der = TRY(from_pem(text_of(file)));
  }
  if (!is_one_sequence(der)) return malformed("neither one certificate in PEM nor one in DER");
  return der;
}

Result<HostCertificates> HostCertificates::load(const std::string& directory, std::string& at) {
  const std::string own = directory + "/vlek", for_vlek = is_directory(own) ? own : directory;
  Chain by_vcek, by_vlek;
  by_vcek.vek = TRY(find(directory, {"vcek"}, at));
  by_vcek.intermediate = TRY(find(directory, {"ask"}, at));
  by_vcek.root = TRY(find(directory, {"ark"}, at));
  by_vlek.vek = TRY(find(for_vlek, {"vlek"}, at));
  by_vlek.intermediate = TRY(find(for_vlek, {"asvk", "ask"}, at));
  by_vlek.root = TRY(find(for_vlek, {"ark"}, at));
  at = directory;
  if (!by_vcek.vek && !by_vlek.vek)
    return Error{Errc::bad_config, "holds neither vcek nor vlek (.der, .pem, .crt, .cer)"};
  HostCertificates loaded;
  loaded.vcek_ = TRY(table_of(snp::kVcekGuid, by_vcek));
  loaded.vlek_ = TRY(table_of(snp::kVlekGuid, by_vlek));
  return loaded;
}

Bytes HostCertificates::table_for(Bytes report) const {
  if (report.size() != snp::kReportBytes) return {};
  snp::RawReport raw;
  std::memcpy(&raw, report.data(), sizeof raw);
  switch (snp::signing_key_bits(raw.key_flags)) {
    case static_cast<std::uint32_t>(snp::SigningKey::vcek):
      return vcek_;
    case static_cast<std::uint32_t>(snp::SigningKey::vlek):
      return vlek_;
    default:
      return {};
  }
}

}  // namespace attestbed::proxy
