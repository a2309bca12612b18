// SPDX-License-Identifier: Apache-2.0
#include <openssl/pem.h>
#include <sys/stat.h>

#include <filesystem>

#include "core/base/secret.h"
#include "core/crypto/openssl/handles.h"
#include "core/posix/describe.h"
#include "sim/ca.h"
#include "sim/to_be_signed.h"

namespace attestbed::sim {
namespace {

constexpr char kDescription[] = "ca.json", kSecret[] = "chip.secret";
constexpr std::size_t kMaxFileBytes = 64 * 1024;
constexpr std::size_t kSignatureBytes = 512;
constexpr std::size_t kMaxSecretBytes = 32;

std::string join(const std::string& directory, std::string_view name) {
  return directory + "/" + std::string(name);
}
std::string text(Bytes octets) {
  return std::string(text_of(octets));
}
void wipe_text(std::string& content) {
  wipe({reinterpret_cast<std::uint8_t*>(content.data()), content.size()});
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

Outcome<std::string> read(const std::string& directory, std::string_view name) {
  Result<std::string> content = posix::read_file(join(directory, name), kMaxFileBytes);
  if (!content) return failure_at(join(directory, name), content.error());
  return *std::move(content);
}

Outcome<SigningKey> read_rsa_key(const SigningKey::Context& context, const std::string& directory,
                                 std::string_view name) {
  std::string content = TRY(read(directory, name));
  Result<SigningKey> key = SigningKey::from_pem(context, content);
  wipe_text(content);
  if (!key || key->is_p384()) {
    return Failure{Errc::bad_config, join(directory, name) + ": must be an unencrypted PEM private key, RSA-4096"};
  }
  return *std::move(key);
}

Outcome<SigningKey::Context> read_chip(const std::string& directory) {
  std::string content = TRY(read(directory, kSecret));
  if (content.ends_with('\n')) content.pop_back();
  std::string octets;
  const bool is_hex = posix::from_hex(content, octets);
  wipe_text(content);
  if (!is_hex || octets.empty() || octets.size() > kMaxSecretBytes) {
    return Failure{Errc::bad_config, join(directory, kSecret) + ": must be 2 to 64 hex digits"};
  }
  Result<SigningKey::Context> chip = CryptoContext::derived(bytes_of(octets));
  wipe_text(octets);
  if (!chip) return failure_at(join(directory, kSecret), chip.error());
  return *std::move(chip);
}

/// is_around is true if `content` is this part and a signature.
bool is_around(std::string_view content, const Result<Der>& to_be_signed, Trailer trailer) {
  const Bytes der = bytes_of(content);
  if (!to_be_signed || der.size() <= kSignatureBytes) return false;
  return text_of(certificate(*to_be_signed, trailer, der.last(kSignatureBytes))) == content;
}

Failure not_described(const std::string& directory, const std::string& name) {
  return {Errc::bad_config, join(directory, name) + ": is not what the keys and ca.json beside it describe"};
}

/// Witnesses tell which file is the foreign one when a certificate is not what the rest describes: of its copy in PEM,
/// its key and ca.json, the one that does not fit the others.
class Witnesses {
 public:
  Witnesses(const std::string& directory, std::string stem) : directory_(directory), stem_(std::move(stem)) {}
  std::string der_name() const { return stem_ + ".der"; }

  /// of_authority judges ARK, ASK and ASVK, whose keys are files.
  Failure of_authority(const std::string& content, const SigningKey& key) const {
    if (!copy_agrees(content)) return not_described(directory_, der_name());
    if (!holds(content, key)) return foreign(stem_ + ".key", "is not the key of " + der_name());
    return foreign(kDescription, "does not describe " + der_name());
  }

  /// of_vek judges VCEK and VLEK, whose keys are derived from the chip's secret and ca.json, and files as well.
  Failure of_vek(const std::string& content, const SigningKey::Context& context, const Description& it,
                 VekLine line) const {
    Outcome<std::string> file = read(directory_, stem_ + ".key");
    if (!copy_agrees(content) || !file) return not_described(directory_, der_name());
    const Result<SigningKey> key = SigningKey::from_pem(context, *file);
    wipe_text(*file);
    if (!key || !key->is_p384() || !holds(content, *key)) return not_described(directory_, der_name());
    if (!is_around(content, vek_to_be_signed(it, line, *key), Trailer::left_out)) {
      return foreign(kDescription, "does not describe " + der_name());
    }
    return foreign(kSecret, "does not give the key of " + der_name());
  }

 private:
  Failure foreign(const std::string& name, const std::string& why) const {
    return {Errc::bad_config, join(directory_, name) + ": " + why};
  }
  bool copy_agrees(const std::string& content) const {
    const Outcome<std::string> copy = read(directory_, stem_ + ".pem");
    const Result<std::string> expected = pem(bytes_of(content));
    return copy && expected && *copy == *expected;
  }
  static bool holds(std::string_view content, const SigningKey& key) {
    const Result<Der> spki = key.spki();
    return spki && content.find(text_of(*spki)) != std::string_view::npos;
  }

  const std::string& directory_;
  const std::string stem_;
};

/// read_signed rebuilds a certificate or CRL around the stored signature: equal octets and a good signature mean that
/// it is the one that these keys and ca.json describe, whatever else a parser might have made of it. `blame` names the
/// foreign file where they differ.
template <class Blame>
Outcome<Der> read_signed(const std::string& directory, const std::string& name, const Result<Der>& to_be_signed,
                         Trailer trailer, const SigningKey& issuer, const Blame& blame) {
  if (!to_be_signed) return failure_at(join(directory, name), to_be_signed.error());
  const std::string content = TRY(read(directory, name));
  if (!is_around(content, to_be_signed, trailer)) return Failure(blame(content));
  const Bytes der = bytes_of(content);
  const Bytes signature = der.last(kSignatureBytes);
  if (!issuer.signed_certificate(*to_be_signed, signature)) {
    return Failure{Errc::bad_config, join(directory, name) + ": its signature does not verify with its issuer's key"};
  }
  return Der(der.begin(), der.end());
}

Outcome<void> write(const std::string& directory, const std::string& name, const std::string& content, mode_t mode) {
  const std::string path = join(directory, name);
  const Status written = posix::replace_file_private(path, bytes_of(content));
  if (!written) return failure_at(path, written.error());
  if (::chmod(path.c_str(), mode) != 0) return Failure{Errc::io_failed, path + ": chmod failed"};
  return {};
}

}  // namespace

Result<std::string> CertificateAuthority::cert_chain(VekLine line) const {
  const std::string intermediate = TRY(pem(line == VekLine::vcek ? ask() : asvk()));
  const std::string ark_text = TRY(pem(ark()));
  return intermediate + ark_text;
}

Result<std::vector<CertificateAuthority::File>> CertificateAuthority::public_files() const {
  std::vector<File> files;
  const std::pair<const char*, const Issued*> members[] = {
      {"ark", &authorities_.ark},      {"ask", &authorities_.ask},        {"vcek", &vcek_},
      {"vlek/ark", &authorities_.ark}, {"vlek/asvk", &authorities_.asvk}, {"vlek/vlek", &vlek_}};
  for (const auto& [name, issued] : members) {
    const std::string as_pem = TRY(pem(issued->der));
    files.push_back({std::string(name) + ".der", text(issued->der)});
    files.push_back({std::string(name) + ".pem", as_pem});
  }
  const std::string vcek_chain = TRY(cert_chain(VekLine::vcek));
  const std::string vlek_chain = TRY(cert_chain(VekLine::vlek));
  files.push_back({"cert_chain.pem", vcek_chain});
  files.push_back({"vlek/cert_chain.pem", vlek_chain});
  files.push_back({"ark.crl", text(authorities_.crl)});
  files.push_back({"vlek/ark.crl", text(authorities_.crl)});
  files.push_back({kDescription, describe(description_)});
  return files;
}

Result<std::vector<CertificateAuthority::File>> CertificateAuthority::private_files() const {
  std::vector<File> files;
  const std::pair<const char*, const SigningKey*> keys[] = {{"ark.key", &authorities_.ark.key},
                                                            {"ask.key", &authorities_.ask.key},
                                                            {"vcek.key", &vcek_.key},
                                                            {"vlek/asvk.key", &authorities_.asvk.key},
                                                            {"vlek/vlek.key", &vlek_.key}};
  for (const auto& [name, key] : keys) {
    std::string as_pem = TRY(key->to_pem());
    files.push_back({name, std::move(as_pem)});
  }
  files.push_back({kSecret, posix::to_hex(chip_secret()) + "\n"});
  return files;
}

Outcome<void> CertificateAuthority::save(const std::string& directory) const {
  std::error_code error;
  std::filesystem::create_directories(join(directory, "vlek"), error);
  if (error) return Failure{Errc::io_failed, directory + ": cannot be made: " + error.message()};
  Result<std::vector<File>> secrets = private_files();
  if (!secrets) return failure_at(directory, secrets.error());
  Outcome<void> saved;
  for (File& file : *secrets) {
    if (saved) saved = write(directory, file.name, file.content, 0600);
    wipe_text(file.content);
  }
  if (!saved) return saved;
  const Result<std::vector<File>> files = public_files();
  if (!files) return failure_at(directory, files.error());
  for (const File& file : *files) TRY(write(directory, file.name, file.content, 0644));
  return {};
}

Outcome<CertificateAuthority> CertificateAuthority::load(const std::string& directory, std::optional<Seed> seed) {
  const Result<SigningKey::Context> context = CryptoContext::make(seed);
  if (!context) return failure_at(directory, context.error());
  const std::string json = TRY(read(directory, kDescription));
  const Description it = TRY(read_description(join(directory, kDescription), json));
  const SigningKey ark = TRY(read_rsa_key(*context, directory, "ark.key"));
  const SigningKey ask = TRY(read_rsa_key(*context, directory, "ask.key"));
  const SigningKey asvk = TRY(read_rsa_key(*context, directory, "vlek/asvk.key"));
  const SigningKey::Context chip = TRY(read_chip(directory));
  const Result<SigningKey> vcek = derive_vek_key(chip, it, VekLine::vcek);
  const Result<SigningKey> vlek = derive_vek_key(chip, it, VekLine::vlek);
  if (!vcek || !vlek) return failure_at(join(directory, kSecret), vcek ? vlek.error() : vcek.error());

  constexpr auto kOld = Trailer::spelled_out, kNew = Trailer::left_out;
  const auto read_authority = [&](const char* stem, const Result<Der>& to_be_signed, const SigningKey& own) {
    const Witnesses witnesses(directory, stem);
    const auto blame = [&](const std::string& content) { return witnesses.of_authority(content, own); };
    return read_signed(directory, witnesses.der_name(), to_be_signed, kOld, ark, blame);
  };
  const auto read_vek = [&](const char* stem, VekLine line, const SigningKey& own, const SigningKey& issuer) {
    const Witnesses witnesses(directory, stem);
    const auto blame = [&](const std::string& content) { return witnesses.of_vek(content, *context, it, line); };
    return read_signed(directory, witnesses.der_name(), vek_to_be_signed(it, line, own), kNew, issuer, blame);
  };
  Der ark_der = TRY(read_authority("ark", ark_to_be_signed(it, ark), ark));
  Der ask_der = TRY(read_authority("ask", intermediate_to_be_signed(it, VekLine::vcek, ask, ark), ask));
  Der asvk_der = TRY(read_authority("vlek/asvk", intermediate_to_be_signed(it, VekLine::vlek, asvk, ark), asvk));
  Der crl = TRY(read_signed(directory, "ark.crl", crl_to_be_signed(it, ark, {}), kOld, ark,
                            [&](const std::string&) { return not_described(directory, "ark.crl"); }));
  Der vcek_der = TRY(read_vek("vcek", VekLine::vcek, *vcek, ask));
  Der vlek_der = TRY(read_vek("vlek/vlek", VekLine::vlek, *vlek, asvk));
  CertificateAuthority authority(
      it, {chip, {ark, std::move(ark_der)}, {ask, std::move(ask_der)}, {asvk, std::move(asvk_der)}, std::move(crl)},
      {*vcek, std::move(vcek_der)}, {*vlek, std::move(vlek_der)});

  // The copies for other tools must say the same, or a verifier would be shown another chain than reports have.
  Result<std::vector<File>> secrets = authority.private_files();
  const Result<std::vector<File>> files = authority.public_files();
  if (!files || !secrets) return failure_at(directory, files ? secrets.error() : files.error());
  Outcome<void> same;
  const auto compare = [&](const File& file, const char* with) {
    Outcome<std::string> content = read(directory, file.name);
    if (!content) {
      same = content.error();
    } else if (*content != file.content) {
      same = Failure{Errc::bad_config, join(directory, file.name) + ": differs from " + with};
    }
    if (content) wipe_text(*content);
  };
  for (File& file : *secrets) {
    if (same && file.name.ends_with("vcek.key")) compare(file, "the key that chip.secret and ca.json give");
    if (same && file.name.ends_with("vlek.key")) compare(file, "the key that chip.secret and ca.json give");
    wipe_text(file.content);
  }
  for (const File& file : *files) {
    if (same && file.name != kDescription) compare(file, "the files beside it");
  }
  if (!same) return same.error();
  return authority;
}

}  // namespace attestbed::sim
