// SPDX-License-Identifier: Apache-2.0
#include <openssl/pem.h>
#include <sys/stat.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/base/secret.h"
#include "core/crypto/openssl/handles.h"
#include "core/posix/describe.h"
#include "sim/ca.h"
#include "sim/utc_time.h"

namespace attestbed::sim {
namespace {

constexpr char kDescription[] = "ca.json";
constexpr std::size_t kMaxFileBytes = 64 * 1024;
constexpr std::size_t kSignatureBytes = 512;

using Json = nlohmann::ordered_json;

std::string join(const std::string& directory, std::string_view name) {
  return directory + "/" + std::string(name);
}
std::string text(Bytes octets) {
  return std::string(text_of(octets));
}

Result<std::string> pem(Bytes der) {
  const openssl::Bio bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio(bio.get(), "CERTIFICATE", "", der.data(), static_cast<long>(der.size())) <= 0) {
    return Error{Errc::internal, "PEM_write_bio"};
  }
  char* octets = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &octets);
  return std::string(octets, static_cast<std::size_t>(size));
}

/// Description is ca.json: what the certificates say that their keys do not.
struct Description {
  snp::Product product;
  snp::ChipId chip_id;
  snp::Tcb tcb;
  std::chrono::sys_seconds not_before;
};

std::string describe(const Description& it) {
  const Json json = {
      {"about", "attestbed: SIMULATED certificate authority and chip; the .key files are test keys, no security"},
      {"product", snp::product_name(it.product)},
      {"chip_id", posix::to_hex(it.chip_id)},
      {"reported_tcb",
       {{"boot_loader", it.tcb.boot_loader},
        {"tee", it.tcb.tee},
        {"snp", it.tcb.snp},
        {"microcode", it.tcb.microcode}}},
      {"not_before", utc_text(it.not_before)},
  };
  return json.dump(2) + "\n";
}

Outcome<Description> read_description(const std::string& path, std::string_view content) {
  const auto bad = [&](const std::string& why) { return Failure{Errc::bad_config, path + ": " + why}; };
  const Json json = Json::parse(content, nullptr, false);
  if (!json.is_object()) return bad("not a JSON object");
  const auto text_member = [&](const char* name) {
    const auto it = json.find(name);
    return it != json.end() && it->is_string() ? it->get<std::string>() : std::string();
  };
  Description out{};
  const auto product = product_named(text_member("product"));
  if (!product) return bad("\"product\" must be Milan or Genoa");
  out.product = *product;
  std::string chip_id;
  if (!posix::from_hex(text_member("chip_id"), chip_id) || chip_id.size() != out.chip_id.size()) {
    return bad("\"chip_id\" must be 128 hex digits");
  }
  std::copy(chip_id.begin(), chip_id.end(), out.chip_id.begin());
  const auto tcb = json.find("reported_tcb");
  if (tcb == json.end() || !tcb->is_object()) return bad("\"reported_tcb\" must be an object");
  constexpr std::pair<const char*, std::uint8_t snp::Tcb::*> kParts[] = {{"boot_loader", &snp::Tcb::boot_loader},
                                                                         {"tee", &snp::Tcb::tee},
                                                                         {"snp", &snp::Tcb::snp},
                                                                         {"microcode", &snp::Tcb::microcode}};
  for (const auto& [name, part] : kParts) {
    const auto level = tcb->find(name);
    if (level == tcb->end() || !level->is_number_unsigned() || level->get<std::uint64_t>() > 255) {
      return bad(std::string("\"reported_tcb\".\"") + name + "\" must be 0 to 255");
    }
    out.tcb.*part = level->get<std::uint8_t>();
  }
  const auto not_before = utc_time(text_member("not_before"));
  if (!not_before) return bad("\"not_before\" must be a time like 2025-01-01T00:00:00Z");
  out.not_before = *not_before;
  return out;
}

Outcome<std::string> read(const std::string& directory, std::string_view name) {
  Result<std::string> content = posix::read_file(join(directory, name), kMaxFileBytes);
  if (!content) return failure_at(join(directory, name), content.error());
  return *std::move(content);
}

Outcome<SigningKey> read_key(const SigningKey::Context& context, const std::string& directory, std::string_view name,
                             bool p384) {
  std::string content = TRY(read(directory, name));
  Result<SigningKey> key = SigningKey::from_pem(context, content);
  wipe({reinterpret_cast<std::uint8_t*>(content.data()), content.size()});
  if (!key || key->is_p384() != p384) {
    return Failure{Errc::bad_config, join(directory, name) + ": must be an unencrypted PEM private key, " +
                                         (p384 ? "P-384" : "RSA-4096")};
  }
  return *std::move(key);
}

/// read_certificate rebuilds the certificate around the stored signature: equal octets and a good signature mean that
/// it is the one that these keys and ca.json describe, whatever else a parser might have made of it.
Outcome<Der> read_certificate(const std::string& directory, std::string_view name, Bytes tbs, Trailer trailer,
                              const SigningKey& issuer) {
  const std::string content = TRY(read(directory, name));
  const Bytes der = bytes_of(content);
  const bool whole = der.size() > kSignatureBytes;
  const Bytes signature = whole ? der.last(kSignatureBytes) : Bytes{};
  if (!whole || text_of(certificate(tbs, trailer, signature)) != content) {
    return Failure{Errc::bad_config,
                   join(directory, name) + ": is not the certificate of the key and ca.json beside it"};
  }
  if (!issuer.signed_certificate(tbs, signature)) {
    return Failure{Errc::bad_config, join(directory, name) + ": its signature does not verify with its issuer's key"};
  }
  return Der(der.begin(), der.end());
}

}  // namespace

Result<std::vector<CertificateAuthority::File>> CertificateAuthority::public_files() const {
  std::vector<File> files;
  std::string chain;
  const std::pair<const char*, const Issued*> members[] = {{"ask", &ask_}, {"ark", &ark_}, {"vcek", &vcek_}};
  for (const auto& [name, issued] : members) {
    const std::string as_pem = TRY(pem(issued->der));
    if (issued != &vcek_) chain += as_pem;
    files.push_back({std::string(name) + ".der", text(issued->der)});
    files.push_back({std::string(name) + ".pem", as_pem});
  }
  files.push_back({"cert_chain.pem", chain});
  files.push_back({kDescription, describe({profile_->product, chip_id_, tcb_, not_before_})});
  return files;
}

Outcome<void> CertificateAuthority::save(const std::string& directory) const {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return Failure{Errc::io_failed, directory + ": cannot be made: " + error.message()};
  const std::pair<const char*, const SigningKey*> keys[] = {
      {"ark.key", &ark_.key}, {"ask.key", &ask_.key}, {"vcek.key", &vcek_.key}};
  for (const auto& [name, key] : keys) {
    const std::string path = join(directory, name);
    Result<std::string> pem_text = key->to_pem();
    if (!pem_text) return failure_at(path, pem_text.error());
    const Status written = posix::replace_file_private(path, bytes_of(*pem_text));
    wipe({reinterpret_cast<std::uint8_t*>(pem_text->data()), pem_text->size()});
    if (!written) return failure_at(path, written.error());
  }
  const Result<std::vector<File>> files = public_files();
  if (!files) return failure_at(directory, files.error());
  for (const File& file : *files) {
    const std::string path = join(directory, file.name);
    const Status written = posix::replace_file_private(path, bytes_of(file.content));
    if (!written) return failure_at(path, written.error());
    if (::chmod(path.c_str(), 0644) != 0) return Failure{Errc::io_failed, path + ": chmod failed"};
  }
  return {};
}

Outcome<CertificateAuthority> CertificateAuthority::load(const std::string& directory, std::optional<Seed> seed) {
  const Result<SigningKey::Context> context = CryptoContext::make(seed);
  if (!context) return failure_at(directory, context.error());
  const std::string json = TRY(read(directory, kDescription));
  const Description description = TRY(read_description(join(directory, kDescription), json));
  const Result<const ProductProfile*> profile = profile_of(description.product);
  if (!profile) return failure_at(directory, profile.error());
  const SigningKey ark_key = TRY(read_key(*context, directory, "ark.key", false));
  const SigningKey ask_key = TRY(read_key(*context, directory, "ask.key", false));
  const SigningKey vcek_key = TRY(read_key(*context, directory, "vcek.key", true));
  const Keys keys{ark_key, ask_key, vcek_key};
  const Result<SignedParts> parts =
      signed_parts(**profile, description.chip_id, description.tcb, description.not_before, keys);
  if (!parts) return failure_at(directory, parts.error());
  Der ark = TRY(read_certificate(directory, "ark.der", parts->ark, Trailer::spelled_out, keys.ark));
  Der ask = TRY(read_certificate(directory, "ask.der", parts->ask, Trailer::spelled_out, keys.ark));
  Der vcek = TRY(read_certificate(directory, "vcek.der", parts->vcek, Trailer::left_out, keys.ask));
  CertificateAuthority authority(**profile, description.chip_id, description.tcb, description.not_before,
                                 {keys.ark, std::move(ark)}, {keys.ask, std::move(ask)}, {keys.vcek, std::move(vcek)});
  // The copies for other tools must say the same, or a verifier would be shown another chain than reports have.
  const Result<std::vector<File>> files = authority.public_files();
  if (!files) return failure_at(directory, files.error());
  for (const File& file : *files) {
    if (file.name == kDescription || file.name.ends_with(".der")) continue;
    const std::string content = TRY(read(directory, file.name));
    if (content != file.content) {
      return Failure{Errc::bad_config, join(directory, file.name) + ": differs from the .der files beside it"};
    }
  }
  return authority;
}

}  // namespace attestbed::sim
