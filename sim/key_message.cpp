// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <utility>

#include "core/crypto/sha2.h"
#include "sim/derived_key.h"
#include "sim/guest_messages.h"

namespace attestbed::sim {
namespace {

constexpr std::uint32_t kKeySelectBits = 7;
constexpr std::size_t kPaddedKeyReq2Bytes = 48;
constexpr std::uint64_t kFieldsOfVersion1 = 0x3f, kFieldsOfVersion2 = 0x7f;

/// KeyQuestion is a MSG_KEY_REQ of either version.
struct KeyQuestion {
  snp::MsgKeyReq request;
  std::uint64_t launch_mit_vector = 0;
  bool padding_set = false;
  std::uint32_t root_key() const { return request.key_select & 1U; }
  std::uint32_t key_sel() const { return request.key_select >> 1 & 3U; }
  bool selects(std::uint64_t field) const { return (request.guest_field_select & field) != 0; }
};

KeyQuestion read(const Question& question) {
  KeyQuestion key;
  std::memcpy(&key.request, question.payload.data(), sizeof key.request);
  if (question.payload.size() >= sizeof(snp::MsgKeyReq2)) {
    le64 vector;
    std::memcpy(&vector, question.payload.data() + offsetof(snp::MsgKeyReq2, launch_mit_vector), sizeof vector);
    key.launch_mit_vector = vector;
    key.padding_set = !all_zero(question.payload.subspan(sizeof(snp::MsgKeyReq2)));
  }
  return key;
}

Answer refused(FirmwareStatus status, const char* why) {
  return {status, why, sizeof(snp::MsgKeyRsp)};
}

bool reserved_clear(const KeyQuestion& key, std::uint8_t version) {
  const std::uint64_t fields = version == 1 ? kFieldsOfVersion1 : kFieldsOfVersion2;
  return (key.request.key_select & ~kKeySelectBits) == 0 && key.request.reserved == 0 &&
         (key.request.guest_field_select & ~fields) == 0 && !key.padding_set;
}

/// tcb_committed is whether the requested TCB uses no reserved octet and is nowhere above the committed one: a guest
/// may ask for the key of an older firmware, never for that of one that it does not run on.
bool tcb_committed(const Machine& machine, const snp::TcbVersion& wanted) {
  const snp::Product product = machine.authority->profile().product;
  const snp::TcbVersion committed = encode_tcb(product, machine.committed_tcb);
  if (encode_tcb(product, decode_tcb(product, wanted)) != wanted) return false;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] > committed[i]) return false;
  }
  return true;
}

Answer judge(const Question& question, const KeyQuestion& key) {
  const snp::MsgKeyReq& request = key.request;
  if (!reserved_clear(key, question.version)) {
    return refused(FirmwareStatus::invalid_param, "MSG_KEY_REQ reserved bits");
  }
  if (key.root_key() == snp::kRootKeyVek && question.machine.mask_chip_key) {
    return refused(FirmwareStatus::invalid_key, "MSG_KEY_REQ.ROOT_KEY_SELECT: the chip key is masked");
  }
  if (select_vek(question.machine, question.guest, key.key_sel()) == snp::SigningKey::none) {
    return refused(FirmwareStatus::invalid_key, "MSG_KEY_REQ.KEY_SEL");
  }
  if (!vmpl_allowed(request.vmpl, question.vmpck)) return refused(FirmwareStatus::invalid_param, "MSG_KEY_REQ.VMPL");
  if (key.selects(snp::kKeyFieldTcb) && !tcb_committed(question.machine, request.tcb_version)) {
    return refused(FirmwareStatus::invalid_param, "MSG_KEY_REQ.TCB_VERSION");
  }
  if (key.selects(snp::kKeyFieldGuestSvn) && request.guest_svn > question.guest.guest_svn) {
    return refused(FirmwareStatus::invalid_param, "MSG_KEY_REQ.GUEST_SVN");
  }
  // No source states a rule for the vector. A bit that the machine did not have at launch would be a claim like a TCB
  // above the committed one, so it is treated alike.
  if (key.selects(snp::kKeyFieldLaunchMitVector) && (key.launch_mit_vector & ~question.guest.launch_mit_vector) != 0) {
    return refused(FirmwareStatus::invalid_param, "MSG_KEY_REQ.LAUNCH_MIT_VECTOR");
  }
  return {};
}

DerivationInput input_of(const Question& question, const KeyQuestion& key) {
  const GuestContext& guest = question.guest;
  DerivationInput input{};
  input.root_key_select = key.root_key();
  input.key = static_cast<std::uint32_t>(select_vek(question.machine, guest, key.key_sel()));
  input.guest_field_select = key.request.guest_field_select;
  input.vmpl = key.request.vmpl;
  input.host_data = guest.host_data;
  if (guest.author_key_enabled) {
    input.endorsed_by = 2;
    input.key_digest = guest.author_key_digest;
  } else if (guest.id_key_digest != KeyDigest{}) {
    input.endorsed_by = 1;
    input.key_digest = guest.id_key_digest;
  }
  if (key.selects(snp::kKeyFieldPolicy)) input.policy = guest.policy;
  if (key.selects(snp::kKeyFieldImageId)) input.image_id = guest.image_id;
  if (key.selects(snp::kKeyFieldFamilyId)) input.family_id = guest.family_id;
  if (key.selects(snp::kKeyFieldMeasurement)) input.measurement = guest.measurement;
  if (key.selects(snp::kKeyFieldGuestSvn)) input.guest_svn = key.request.guest_svn;
  if (key.selects(snp::kKeyFieldTcb)) input.tcb_version = key.request.tcb_version;
  if (key.selects(snp::kKeyFieldLaunchMitVector)) input.launch_mit_vector = key.launch_mit_vector;
  return input;
}

Result<Secret<32>> root_of(const Question& question, const KeyQuestion& key) {
  if (key.root_key() == snp::kRootKeyVmrk) return Secret<32>(question.guest.vmrk.expose());
  // The chip's, and not its VCEK's: that one is another after each SNP_COMMIT, and TCB_VERSION is there to be selected.
  // Chips of one seed share a secret, hence the CHIP_ID beside it.
  const CertificateAuthority& chip = *question.machine.authority;
  auto digest = TRY(crypto::sha256({bytes_of("attestbed derivation root"), chip.chip_secret(), Bytes(chip.chip_id())}));
  Secret<32> root{std::span<const std::uint8_t, 32>(digest)};
  wipe(digest);
  return root;
}

}  // namespace

// Version 2 has 40 octets, which is no multiple of 16 as MSG_SIZE has to be; padded to one it is as good.
bool is_key_size(std::uint8_t version, std::size_t size) {
  if (version == 1) return size == sizeof(snp::MsgKeyReq);
  return size == sizeof(snp::MsgKeyReq2) || size == kPaddedKeyReq2Bytes;
}

Result<Answer> answer_key(const Question& question, MutBytes reply) {
  const KeyQuestion key = read(question);
  if (const Answer verdict = judge(question, key); verdict.status != FirmwareStatus::success) return verdict;
  const Secret<32> root = TRY(root_of(question, key));
  const snp::DerivedKey derived = TRY(derive_key(root, input_of(question, key)));
  std::memcpy(reply.data() + offsetof(snp::MsgKeyRsp, key), derived.expose().data(), derived.expose().size());
  return Answer{.size = sizeof(snp::MsgKeyRsp)};
}

}  // namespace attestbed::sim
