// SPDX-License-Identifier: Apache-2.0
#include "core/verify/test_ca.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/crypto/openssl/library.h"

namespace attestbed::verify::test {
namespace {

const std::string kTestdata = std::string(ATTESTBED_SOURCE_DIR) + "/core/verify/testdata/";

void set_name(X509_NAME* into, const Name& name) {
  for (const auto& [nid, value, type] : name) {
    X509_NAME_add_entry_by_NID(into, nid, type, reinterpret_cast<const unsigned char*>(value.data()),
                               static_cast<int>(value.size()), -1, 0);
  }
}

void set_time(ASN1_TIME* into, const char* when) {
  ASN1_TIME_set(into, static_cast<time_t>(at(when).time_since_epoch().count()));
}

void add_extension(X509* x509, const Extension& extension) {
  const openssl::Handle<ASN1_OBJECT, ASN1_OBJECT_free> object(OBJ_txt2obj(extension.oid.c_str(), 1));
  const openssl::Asn1Octets octets(ASN1_OCTET_STRING_new());
  ASN1_OCTET_STRING_set(octets.get(), extension.octets.data(), static_cast<int>(extension.octets.size()));
  const openssl::X509ExtensionHandle made(
      X509_EXTENSION_create_by_OBJ(nullptr, object.get(), extension.critical ? 1 : 0, octets.get()));
  X509_add_ext(x509, made.get(), -1);
}

Octets integer(std::uint8_t value) {
  if (value < 0x80) return {0x02, 0x01, value};
  return {0x02, 0x02, 0x00, value};
}

Octets ia5(const std::string& text) {
  Octets octets{0x16, static_cast<std::uint8_t>(text.size())};
  for (const char c : text) octets.push_back(static_cast<std::uint8_t>(c));
  return octets;
}

std::vector<Extension> ca_extensions(bool root, const std::string& crl) {
  std::vector<Extension> extensions;
  extensions.push_back({"2.5.29.15", root ? Octets{0x03, 0x02, 0x01, 0x06} : Octets{0x03, 0x02, 0x02, 0x04}, true});
  Octets constraints{0x30, 0x03, 0x01, 0x01, 0xff};
  if (!root) constraints = {0x30, 0x06, 0x01, 0x01, 0xff, 0x02, 0x01, 0x00};
  extensions.push_back({"2.5.29.19", constraints, true});
  extensions.push_back({"2.5.29.31", crl_points({crl})});
  return extensions;
}

Spec vek_spec(snp::Product product, const std::string& kind, const std::string& issuer) {
  Spec spec{.subject = amd_name(kind), .issuer = amd_name(issuer), .key = vek_key(), .issuer_key = ask_key()};
  const bool turin = product == snp::Product::turin;
  const snp::Tcb tcb = tcb_for(product);
  const auto add = [&](const char* suffix, Octets octets) {
    spec.extensions.push_back({amd_oid(suffix), std::move(octets)});
  };
  add("1", integer(turin ? 1 : 0));
  add("2", ia5(snp::product_name(product)));
  if (turin) add("3.9", integer(tcb.fmc));
  add("3.1", integer(tcb.boot_loader));
  add("3.2", integer(tcb.tee));
  if (!turin) add("3.4", integer(0));
  for (const char* unused : {"3.5", "3.6", "3.7"}) add(unused, integer(0));
  add("3.3", integer(tcb.snp));
  add("3.8", integer(tcb.microcode));
  return spec;
}

}  // namespace

Octets read_testdata(const std::string& path) {
  std::ifstream file(kTestdata + path, std::ios::binary);
  EXPECT_TRUE(file.is_open()) << path;
  return Octets(std::istreambuf_iterator<char>(file), {});
}

std::vector<Certificate> certificates_in(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kTestdata + folder)) {
    names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  std::vector<Certificate> all;
  for (const std::string& name : names) {
    const auto parsed = Certificate::parse(read_testdata(folder + "/" + name), name);
    EXPECT_TRUE(parsed) << name;
    if (parsed) all.insert(all.end(), parsed->begin(), parsed->end());
  }
  return all;
}

Time at(const char* rfc3339) {
  const Checked<Time> time = time_parse(rfc3339);
  EXPECT_TRUE(time) << rfc3339;
  return *time;
}

Name amd_name(const std::string& common_name) {
  return {{NID_organizationalUnitName, "Engineering"},
          {NID_countryName, "US", V_ASN1_PRINTABLESTRING},
          {NID_localityName, "Santa Clara"},
          {NID_stateOrProvinceName, "CA"},
          {NID_organizationName, "Advanced Micro Devices"},
          {NID_commonName, common_name}};
}

Octets crl_points(const std::vector<std::string>& urls) {
  const openssl::Handle<CRL_DIST_POINTS, CRL_DIST_POINTS_free> points(sk_DIST_POINT_new_null());
  for (const std::string& url : urls) {
    GENERAL_NAME* name = GENERAL_NAME_new();
    ASN1_IA5STRING* text = ASN1_IA5STRING_new();
    ASN1_STRING_set(text, url.data(), static_cast<int>(url.size()));
    GENERAL_NAME_set0_value(name, GEN_URI, text);
    DIST_POINT* point = DIST_POINT_new();
    point->distpoint = DIST_POINT_NAME_new();
    point->distpoint->type = 0;  // fullName
    point->distpoint->name.fullname = sk_GENERAL_NAME_new_null();
    sk_GENERAL_NAME_push(point->distpoint->name.fullname, name);
    sk_DIST_POINT_push(points.get(), point);
  }
  unsigned char* encoded = nullptr;
  const int length = i2d_CRL_DIST_POINTS(points.get(), &encoded);
  const openssl::Octets owner(encoded);
  return Octets(encoded, encoded + length);
}

std::string amd_oid(const std::string& suffix) {
  return "1.3.6.1.4.1.3704.1." + suffix;
}

Extension& Spec::extension(const std::string& oid) {
  return *std::ranges::find(extensions, oid, &Extension::oid);
}

void Spec::drop(const std::string& oid) {
  std::erase_if(extensions, [&](const Extension& extension) { return extension.oid == oid; });
}

Octets der_of(const Spec& spec) {
  const openssl::X509Handle x509(X509_new_ex(openssl::library_context(), nullptr));
  X509_set_version(x509.get(), spec.version);
  ASN1_INTEGER_set(X509_get_serialNumber(x509.get()), 0);
  set_name(X509_get_subject_name(x509.get()), spec.subject);
  set_name(X509_get_issuer_name(x509.get()), spec.issuer);
  set_time(X509_getm_notBefore(x509.get()), spec.not_before);
  set_time(X509_getm_notAfter(x509.get()), spec.not_after);
  X509_set_pubkey(x509.get(), spec.key);
  for (const Extension& extension : spec.extensions) add_extension(x509.get(), extension);

  const openssl::DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* key_context = nullptr;
  EVP_DigestSignInit_ex(context.get(), &key_context, spec.algorithm == Algorithm::pss_sha256 ? "SHA256" : "SHA384",
                        openssl::library_context(), nullptr, spec.issuer_key, nullptr);
  if (spec.algorithm != Algorithm::pkcs1) {
    EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING);
    EVP_PKEY_CTX_set_rsa_pss_saltlen(key_context, spec.algorithm == Algorithm::pss_salt_32 ? 32 : 48);
  }
  EXPECT_GT(X509_sign_ctx(x509.get(), context.get()), 0);
  unsigned char* encoded = nullptr;
  const int length = i2d_X509(x509.get(), &encoded);
  const openssl::Octets owner(encoded);
  return Octets(encoded, encoded + length);
}

Certificate make(const Spec& spec) {
  const auto parsed = Certificate::parse(der_of(spec), "made by the test");
  EXPECT_TRUE(parsed) << parsed.error().text();
  return parsed->front();
}

void expect_declared(std::size_t check, Errc code) {
  ASSERT_LT(check, verification_checks().size());
  const VerificationCheck& declared = verification_checks()[check];
  EXPECT_NE(std::ranges::find(declared.codes, code), declared.codes.end()) << declared.name << " " << error_name(code);
}

Spec ark_spec(const std::string& product) {
  return {.subject = amd_name("ARK-" + product),
          .issuer = amd_name("ARK-" + product),
          .key = ark_key(),
          .issuer_key = ark_key(),
          .extensions = ca_extensions(true, "https://kdsintf.amd.com/vcek/v1/" + product + "/crl")};
}
Spec ask_spec(const std::string& product) {
  return {.subject = amd_name("SEV-" + product),
          .issuer = amd_name("ARK-" + product),
          .key = ask_key(),
          .issuer_key = ark_key(),
          .extensions = ca_extensions(false, "https://kdsintf.amd.com/vcek/v1/" + product + "/crl")};
}
Spec asvk_spec(const std::string& product) {
  Spec spec = ask_spec(product);
  spec.subject = amd_name("SEV-VLEK-" + product);
  spec.extension("2.5.29.31").octets = crl_points({"https://kdsintf.amd.com/vlek/v1/" + product + "/crl"});
  return spec;
}

Spec vcek_spec(snp::Product product) {
  Spec spec = vek_spec(product, "SEV-VCEK", std::string("SEV-") + snp::product_name(product));
  const snp::ChipId chip = chip_id_for(product);
  const std::size_t size = product == snp::Product::turin ? 8 : 64;
  spec.extensions.push_back({amd_oid("4"), Octets(chip.begin(), chip.begin() + static_cast<std::ptrdiff_t>(size))});
  return spec;
}
Spec vlek_spec(snp::Product product) {
  Spec spec = vek_spec(product, "SEV-VLEK", std::string("SEV-VLEK-") + snp::product_name(product));
  spec.extensions.push_back({amd_oid("5"), ia5("CN=cloud.example")});
  return spec;
}

snp::Tcb tcb_for(snp::Product product) {
  if (product == snp::Product::turin) return {.fmc = 3, .boot_loader = 4, .tee = 1, .snp = 24, .microcode = 219};
  return {.fmc = 0, .boot_loader = 4, .tee = 1, .snp = 24, .microcode = 219};
}

snp::ChipId chip_id_for(snp::Product product) {
  snp::ChipId chip{};
  const std::size_t size = product == snp::Product::turin ? 8 : 64;
  for (std::size_t i = 0; i < size; ++i) chip[i] = static_cast<std::uint8_t>(0x40 + i);
  return chip;
}

snp::RawReport report_for(snp::Product product) {
  snp::RawReport report{};
  report.version = 3;
  report.policy = 0x30000;
  report.signature_algo = 1;
  report.measurement.fill(0xab);
  report.report_data.fill(0xcd);
  report.host_data.fill(0xef);
  report.cpuid_family = product == snp::Product::turin ? 0x1a : 0x19;
  report.cpuid_model = product == snp::Product::genoa ? 0x11 : 0x01;
  report.chip_id = chip_id_for(product);
  report.reported_tcb = report.committed_tcb = report.current_tcb = report.launch_tcb =
      snp::encode_tcb(product, tcb_for(product));
  return report;
}

void sign(snp::RawReport& report, EVP_PKEY* key) {
  const Bytes signed_part = snp::octets_of(report).first(snp::kSignedReportBytes);
  const openssl::DigestContext context(EVP_MD_CTX_new());
  EVP_DigestSignInit_ex(context.get(), nullptr, "SHA384", openssl::library_context(), nullptr, key, nullptr);
  Octets der(256);
  std::size_t size = der.size();
  EXPECT_EQ(EVP_DigestSign(context.get(), der.data(), &size, signed_part.data(), signed_part.size()), 1);
  const unsigned char* from = der.data();
  const openssl::EcdsaSignature signature(d2i_ECDSA_SIG(nullptr, &from, static_cast<long>(size)));
  report.signature = {};
  BN_bn2lebinpad(ECDSA_SIG_get0_r(signature.get()), report.signature.r, sizeof report.signature.r);
  BN_bn2lebinpad(ECDSA_SIG_get0_s(signature.get()), report.signature.s, sizeof report.signature.s);
}

}  // namespace attestbed::verify::test
