// SPDX-License-Identifier: Apache-2.0
#include "core/base/errc.h"

#include "core/base/bytes.h"

namespace attestbed {
namespace {

// clang-format off
constexpr ErrorRow kRows[] = {
    {Errc::truncated, "truncated", 5, false, "the input ends inside a field", "compare the length found with the one expected; the sender stopped early or the file was cut"},
    {Errc::trailing_bytes, "trailing_bytes", 5, false, "octets follow where the input must end", "remove them, or check that the right file or frame was read"},
    {Errc::too_large, "too_large", 5, false, "a length is above its documented bound", "a peer that needs more does not speak this protocol (docs/protocol.md has the bounds); a file: see that it is the one that was meant"},
    {Errc::bad_length, "bad_length", 5, false, "a field that has one legal length has another", "the sender uses another key type or pads or strips octets"},
    {Errc::bad_value, "bad_value", 5, false, "a field has a value outside its documented set", "compare with the field table of docs/protocol.md"},
    {Errc::reserved_set, "reserved_set", 5, false, "a field that must be zero is not", "the structure is of another version, or damaged"},
    {Errc::unsupported_version, "unsupported_version", 5, false, "a version or algorithm that this program does not know", "update whichever side is older"},
    {Errc::bad_base64, "bad_base64", 5, false, "a base64 text is not canonical: alphabet, padding or trailing bits", "fields between guest and proxy are standard base64 with padding, JWE parts are base64url without"},
    {Errc::bad_json, "bad_json", 5, false, "the text is not JSON (RFC 8259) or not UTF-8", "look at the offset in `found`"},
    {Errc::json_depth, "json_depth", 5, false, "JSON nested deeper, or with more members, than allowed", "see the bounds in docs/protocol.md"},
    {Errc::json_duplicate, "json_duplicate", 5, false, "an object names a member twice", "send each member once"},
    {Errc::json_type, "json_type", 5, false, "a member has another JSON type than documented", "compare with the field table of docs/protocol.md; null is not the same as absent"},
    {Errc::json_missing, "json_missing", 5, false, "a required member is absent", "compare with the field table of docs/protocol.md"},
    {Errc::no_space, "no_space", 5, false, "the caller's buffer is too small for the result", "give a buffer of the documented size"},
    {Errc::bad_config, "bad_config", 2, false, "the configuration or command line cannot be used", "the message names the value and what is allowed; see --help"},
    {Errc::io_failed, "io_failed", 3, false, "a file or device could not be read or written", "the operating system's words say why: a file to be read must exist, one to be written must not, and the user needs the right to it"},
    {Errc::internal, "internal", 3, false, "a library call that cannot fail on valid input failed", "a defect or a broken installation: please report it with this message"},
    {Errc::deadline, "deadline", 3, false, "what was waited for did not come before the deadline", "see whether the other side runs and what it waits for; --timeout sets the budget (attest.timeout= of a guest that boots)"},
    {Errc::closed, "closed", 3, false, "the peer closed the line before the exchange was complete", "read the peer's log for the same attestation id"},
    {Errc::transport, "transport", 3, false, "the line failed: connect, read or write", "check the path or address and that the peer listens"},
    {Errc::frame_empty, "frame_empty", 5, false, "a frame announces zero octets", "the peer does not speak protocol 0.1.0"},
    {Errc::frame_too_large, "frame_too_large", 5, false, "a frame announces more than 65536 octets", "the peer does not speak protocol 0.1.0, or the line lost synchronisation"},
    {Errc::host_chosen_params, "host_chosen_params", 5, false, "the host asked for other hash parameters than EcPublicKeyBytes, Challenge in this order", "an attack on the key binding (docs/threat-model.md) or a foreign proxy: do not trust this host"},
    {Errc::host_chosen_challenge, "host_chosen_challenge", 5, false, "the challenge is not 16 to 64 octets long", "an attack on the key binding (docs/threat-model.md) or a broker with unusual nonces"},
    {Errc::ext_not_honoured, "ext_not_honoured", 5, false, "the proxy did not accept the guest's stated binding, key and resource member for member", "use attest-proxy, or the default binding, key and resource with a stock aproxy"},
    {Errc::contradiction, "contradiction", 5, false, "a message says yes and no at once", "the proxy is defective or hostile"},
    {Errc::bad_point, "bad_point", 5, false, "a public key is not a point of its curve", "the sender is defective or hostile"},
    {Errc::jwe_header, "jwe_header", 5, false, "the protected JWE header is not what this guest accepts", "alg, enc and the members allowed are in docs/protocol.md"},
    {Errc::jwe_epk_mismatch, "jwe_epk_mismatch", 5, false, "the ephemeral key in the protected header differs from the one beside it", "the proxy or broker mixed two answers"},
    {Errc::unwrap_failed, "unwrap_failed", 5, false, "the content key does not unwrap (RFC 3394 integrity check, or RSA-OAEP padding)", "the secret was sealed to another key, or damaged on its way"},
    {Errc::tag_failed, "tag_failed", 5, false, "the authentication tag does not match", "the ciphertext, its header or its key was changed on its way"},
    {Errc::empty_secret, "empty_secret", 5, false, "the released secret has no octets", "store a value at the broker, or allow empty secrets in the guest's configuration"},
    {Errc::firmware_unreachable, "firmware_unreachable", 4, false, "the guest request's fate is unknown: the way to the firmware failed or stayed silent", "check the firmware device or socket (--firmware, attest.firmware=) and that its other end runs"},
    {Errc::firmware_busy, "firmware_busy", 4, false, "the host answered BUSY until the deadline", "the host throttles guest requests: wait, or give a longer --timeout (attest.timeout=)"},
    {Errc::firmware_refused, "firmware_refused", 4, false, "the firmware or hypervisor refused the guest request", "change what the field named here asks for; a status behind `hypervisor:` is the host's own word, and its log says why"},
    {Errc::firmware_status, "firmware_status", 4, false, "the firmware answered with a status other than success", "0x16 is a bad parameter (often the VMPL), 0x27 a key that is not available"},
    {Errc::firmware_reply, "firmware_reply", 4, false, "the firmware's reply does not authenticate or is not the reply to this request", "the host changed the reply page, or the sequence numbers are out of step"},
    {Errc::vmpck_lost, "vmpck_lost", 4, false, "the VMPCK was wiped after an earlier failure, so no request can be made", "restart the guest: reusing the key could reuse a GCM nonce"},
    {Errc::refused, "refused", 1, true, "the attestation was refused without a reason that this guest knows", "read the proxy's and the broker's log for the same attestation id"},
    {Errc::version_unsupported, "version_unsupported", 1, true, "the proxy does not speak the guest's protocol version", "the proxy serves 0.1.0"},
    {Errc::tee_unsupported, "tee_unsupported", 1, true, "the proxy does not serve this kind of TEE", "only snp is served"},
    {Errc::malformed_request, "malformed_request", 1, true, "the proxy could not read the guest's message", "compare the message with docs/protocol.md; the proxy's log names the field"},
    {Errc::challenge_mismatch, "challenge_mismatch", 1, true, "the guest echoed another challenge than it was given", "the guest or the line mixes two attempts"},
    {Errc::resource_refused, "resource_refused", 1, true, "the proxy does not allow this resource path, or, in a broker's log, its resource policy does not", "at the proxy: start it with --allow-resource for this path; in a broker's log: the record names the rule that denied it"},
    {Errc::attestation_refused, "attestation_refused", 1, true, "the broker refused the evidence", "the broker's log gives check, expected and found for the same attestation id"},
    {Errc::secret_refused, "secret_refused", 1, true, "the broker attested the guest and refused the resource", "check the resource path and the broker's resource policy"},
    {Errc::secret_too_large, "secret_too_large", 1, true, "the secret is above 32 KiB", "store a key of normal size and encrypt the bulk with it"},
    {Errc::broker_unreachable, "broker_unreachable", 3, true, "the proxy could not connect to the broker, or its answer broke off", "check --url and that the broker runs; for https also --ca, and --client-cert if it asks for one"},
    {Errc::broker_timeout, "broker_timeout", 3, true, "the broker did not answer in time", "check the broker's load, or give the proxy a longer --timeout"},
    {Errc::broker_malformed, "broker_malformed", 3, true, "the broker answered something that is not the KBS protocol", "check that --url names a KBS and no web server, login page or gateway that asks for authorization"},
    {Errc::broker_nonce, "broker_nonce", 3, true, "the broker's nonce is not canonical base64 of 16 to 64 octets", "the broker is defective or no KBS"},
    {Errc::broker_version, "broker_version", 3, true, "the broker refused protocol version 0.4.0 or the TEE", "use a broker that speaks KBS protocol 0.4.0"},
    {Errc::session_expired, "session_expired", 3, true, "the broker's session ended before the exchange was complete", "start a new attempt; the broker's session lifetime may be too short, or a clock wrong: the proxy drops a session's cookie when its own clock says that it has ended"},
    {Errc::proxy_busy, "proxy_busy", 3, true, "the proxy serves as many guests as it may", "try again later, or raise --max-sessions"},
    {Errc::proxy_stopping, "proxy_stopping", 3, true, "the proxy is shutting down", "try again when it is back"},
    {Errc::proxy_internal, "proxy_internal", 3, true, "the proxy failed inside", "read the proxy's log for the same attestation id"},
    {Errc::report_version, "report_version", 1, false, "the report's version is not 2, 3 or 5", "update the verifier; an unknown version is never guessed at"},
    {Errc::report_reserved, "report_reserved", 1, false, "octets or values that this report version reserves are in use", "the report is damaged, or of a firmware newer than this verifier"},
    {Errc::report_policy_bits, "report_policy_bits", 1, false, "the guest policy is malformed: bit 17 clear, or bits set that this version reserves", "no firmware launches such a guest: the report is damaged or made up"},
    {Errc::report_unsigned, "report_unsigned", 1, false, "the report names no signing key (MASK_CHIP_KEY) or an unknown one", "clear MASK_CHIP_KEY on the host or load a VLEK"},
    {Errc::product_unknown, "product_unknown", 1, false, "family and model of the report belong to no known product", "name the product, or update the verifier"},
    {Errc::certificate_malformed, "certificate_malformed", 1, false, "a certificate does not parse", "give DER or PEM X.509 files; the message names file and field"},
    {Errc::certificate_missing, "certificate_missing", 1, false, "no certificate for the report's signing key, chip and TCB", "fetch the VCEK for this chip id and reported TCB, or the host's VLEK"},
    {Errc::root_untrusted, "root_untrusted", 1, false, "the chain does not end in a root that the configuration names", "name the right root with --root; a root that comes with the evidence is never trusted"},
    {Errc::chain_signature, "chain_signature", 1, false, "a certificate is not signed by its issuer", "the certificate was changed, or belongs to another product's chain"},
    {Errc::chain_constraint, "chain_constraint", 1, false, "a certificate may not be used at its place in the chain", "CA certificates need CA:TRUE and certSign, a VEK needs an EC P-384 key"},
    {Errc::chain_expired, "chain_expired", 1, false, "a certificate is past its notAfter date", "fetch a current certificate; --at judges at another time"},
    {Errc::chain_not_yet_valid, "chain_not_yet_valid", 1, false, "a certificate is before its notBefore date", "check this machine's clock; --at judges at another time"},
    {Errc::vek_name, "vek_name", 1, false, "subject or issuer of the VEK is not AMD's form", "give a VCEK or VLEK, not another certificate"},
    {Errc::vek_extension, "vek_extension", 1, false, "an AMD extension of the VEK is missing, repeated or malformed", "the certificate is damaged or not a VEK"},
    {Errc::tcb_mismatch, "tcb_mismatch", 1, false, "the VEK is for another TCB than the report's REPORTED_TCB", "fetch the VEK for the reported TCB; after a firmware update the old one no longer fits"},
    {Errc::tcb_order, "tcb_order", 1, false, "the report's TCB versions are not ordered reported <= committed <= current", "no firmware reports this: the report is damaged or made up"},
    {Errc::chip_id_mismatch, "chip_id_mismatch", 1, false, "the VCEK is for another chip than the report's CHIP_ID", "fetch the VCEK of this chip"},
    {Errc::signature_invalid, "signature_invalid", 1, false, "the report's signature does not verify under the VEK", "the report was changed after signing, or the VEK is another chip's or TCB's"},
    {Errc::vmpl_too_high, "vmpl_too_high", 1, false, "the report was made for a less privileged VMPL than the policy allows", "request the report at the VMPL the policy names"},
    {Errc::debug_enabled, "debug_enabled", 1, false, "the guest policy allows debugging by the host", "launch the guest without policy bit 19"},
    {Errc::policy_mismatch, "policy_mismatch", 1, false, "the guest policy is not what the reference values allow", "launch with the expected policy, or correct the reference value"},
    {Errc::measurement_unknown, "measurement_unknown", 1, false, "the launch measurement is in no reference value", "compute it with `attestbed measure` and register it, or find out what was booted"},
    {Errc::report_data_mismatch, "report_data_mismatch", 1, false, "REPORT_DATA does not bind this key and this challenge", "key, challenge or binding differ between guest and broker"},
    {Errc::host_data_mismatch, "host_data_mismatch", 1, false, "HOST_DATA is not the expected value", "the guest was launched with other host data"},
    {Errc::tcb_too_low, "tcb_too_low", 1, false, "a TCB component is below the required minimum", "update the host's firmware, or lower the requirement knowingly"},
    {Errc::product_refused, "product_refused", 1, false, "the policy does not allow this product", "add the product to the policy, or use another host"},
    {Errc::session_missing, "session_missing", 1, false, "the request carries no session cookie", "POST /kbs/v0/auth first and keep the cookie"},
    {Errc::session_unknown, "session_unknown", 1, false, "the session cookie is unknown or expired", "start a new session with /kbs/v0/auth"},
    {Errc::nonce_mismatch, "nonce_mismatch", 1, false, "the nonce is not the one of this session", "send the nonce string of the challenge unchanged"},
    {Errc::nonce_used, "nonce_used", 1, false, "the nonce was already used in this session", "start a new session: a nonce serves one attestation"},
    {Errc::key_unsupported, "key_unsupported", 1, false, "the TEE public key has a type, curve or algorithm that is not served", "EC P-521 or P-256 with ECDH-ES+A256KW, or RSA of 3072 bits with RSA-OAEP-256; binding svsm-sha512 takes P-521 alone"},
    {Errc::resource_unknown, "resource_unknown", 1, false, "the broker has no resource at this path for this guest", "register it, or check the guest's resource path"},
    {Errc::evidence_shape, "evidence_shape", 1, false, "the evidence has a shape that is not served", "send one of {\"snp-report\", \"certs-buf\"}, {\"attestation_report\", \"cert_chain\"} and, for TEE sample, {\"svn\", \"report_data\"}"},
    {Errc::product_mismatch, "product_mismatch", 1, false, "the report is of another product than its VEK", "fetch the VEK from the chain of the report's product"},
    {Errc::terms_refused, "terms_refused", 1, true, "the proxy does not serve the binding and key that the guest states", "use a pair that exists (docs/protocol.md), and a proxy that knows it"},
    {Errc::guest_timeout, "guest_timeout", 3, true, "the guest's message was not complete before the proxy's deadline", "see what slows the guest or its line, or give the proxy a longer --timeout"},
    {Errc::token_invalid, "token_invalid", 1, false, "the Bearer token is not one that this broker issued", "attest again: a token is good at the broker process that issued it, and nowhere else"},
    {Errc::token_expired, "token_expired", 1, false, "the Bearer token is past its expiry", "attest again for a fresh token"},
    {Errc::line_noise, "line_noise", 3, false, "the serial line carries octets that are no frame, or never falls silent", "see what else uses the line: a console, a modem, a peer that speaks another protocol"},
    {Errc::uart_absent, "uart_absent", 3, false, "no 16550 UART answers at this port", "give the virtual machine a third serial port (COM3, 0x3e8)"},
    {Errc::uart_overrun, "uart_overrun", 3, false, "the UART lost received octets: overrun, framing or parity", "the sender ignores flow control, or the line is noisy: start a new attempt"},
    {Errc::vsock_unavailable, "vsock_unavailable", 3, false, "this kernel has no vsock, or no way to that CID", "load vhost_vsock on the host or vmw_vsock_virtio_transport in the guest, or use a unix socket or serial line"},
    {Errc::attempts_exhausted, "attempts_exhausted", 3, true, "this peer has used up its attempts for now", "wait before the next attempt; the proxy's --attempts and --attempt-interval set how many and how often"},
    {Errc::broker_unavailable, "broker_unavailable", 3, true, "the broker answered that it cannot serve now", "try again later; the broker's log says whether it is overloaded or failing"},
    {Errc::image_malformed, "image_malformed", 2, false, "a firmware, IGVM file or page list that is to be launched or measured is malformed", "the message names file, place, field, expected and found; check that it is the kind of file that the option takes"},
    {Errc::kernel_hashes_missing, "kernel_hashes_missing", 2, false, "a kernel was given, and the firmware has no place for its hashes", "use a firmware that verifies kernels (OVMF's AmdSev build), or measure without a kernel"},
    {Errc::crl_missing, "crl_missing", 1, false, "no revocation list of the chain's root was given", "give the CRL of that product with --crl, or let it be fetched with --kds"},
    {Errc::crl_malformed, "crl_malformed", 1, false, "a file or answer that should be a revocation list is none, or has an unknown critical extension", "fetch the CRL again; DER or PEM"},
    {Errc::crl_signature, "crl_signature", 1, false, "the revocation list is not signed by the chain's root", "fetch the CRL from the KDS of this product; the one at hand was changed or is another's"},
    {Errc::crl_expired, "crl_expired", 1, false, "the revocation list is not current at the time of the check", "fetch the current CRL, or check the time that is judged at"},
    {Errc::certificate_revoked, "certificate_revoked", 1, false, "the root has revoked a certificate of the chain", "do not trust this chain; AMD has withdrawn it"},
    {Errc::kds_unreachable, "kds_unreachable", 3, false, "no connection to the KDS, or it broke", "check URL, network and TLS roots (--kds-ca), or work from a cache with --offline"},
    {Errc::kds_untrusted, "kds_untrusted", 3, false, "the KDS's TLS certificate does not lead to a trusted root", "check the URL, or name the roots of this KDS with --kds-ca"},
    {Errc::kds_timeout, "kds_timeout", 3, false, "the KDS did not answer in the time that was left", "try again, or allow more time"},
    {Errc::kds_unknown, "kds_unknown", 1, false, "the KDS has nothing at this path: the chip, the TCB or the form of the request is unknown to it", "check that the report is of this KDS's chips; a simulated chip needs the KDS of its own CA"},
    {Errc::kds_busy, "kds_busy", 3, false, "the KDS throttles (status 429), or too many requests wait for it", "wait as long as the message says; a cache asks once for each certificate"},
    {Errc::kds_malformed, "kds_malformed", 3, false, "the KDS answered something that is not what was asked for", "see what stands between: a portal or proxy, or the wrong URL"},
    {Errc::kds_offline, "kds_offline", 3, false, "the cache does not hold it and the network is not to be used", "run once without --offline, or copy the cache from where it was filled"},
    {Errc::kds_chip_masked, "kds_chip_masked", 1, false, "CHIP_ID is masked, so the KDS cannot be asked for this chip's VCEK", "give the VCEK with --certs, or have the host not mask the chip id"},
    {Errc::signing_key_refused, "signing_key_refused", 1, false, "the policy does not allow the kind or the owner of the key that signed the report", "ask for the report with the other key, or add the key or the provider to the policy"},
    {Errc::chip_refused, "chip_refused", 1, false, "the policy does not list this chip", "add the CHIP_ID to the policy, or use a listed machine"},
    {Errc::chip_id_masked, "chip_id_masked", 1, false, "the policy demands a chip id and the report's is masked (all zero)", "clear MASK_CHIP_ID on the host, or allow masked chip ids in the policy"},
    {Errc::platform_refused, "platform_refused", 1, false, "PLATFORM_INFO is not what the policy demands", "change the machine's setup (SMT, TSME, ECC, RAPL), or correct the policy"},
    {Errc::report_too_old, "report_too_old", 1, false, "the report's version is below the policy's minimum", "update the host's firmware: a newer one makes newer reports"},
    {Errc::firmware_too_old, "firmware_too_old", 1, false, "the firmware's version or build is below the policy's minimum", "update the host's firmware, or lower the requirement knowingly"},
    {Errc::firmware_provisional, "firmware_provisional", 1, false, "the running firmware is not committed, so that the host may still go back to an older one", "have the host commit it (SNP_COMMIT), or allow provisional firmware in the policy"},
    {Errc::mitigation_missing, "mitigation_missing", 1, false, "a mitigation that the policy demands is not in the report's vector", "update the host's firmware; reports before version 5 state no mitigations"},
    {Errc::guest_svn_too_low, "guest_svn_too_low", 1, false, "the guest's security version is below the policy's minimum", "launch a newer guest image with its own ID block"},
    {Errc::identity_mismatch, "identity_mismatch", 1, false, "FAMILY_ID, IMAGE_ID, REPORT_ID or REPORT_ID_MA is not the expected value", "check which guest made the report, and what its ID block says"},
    {Errc::id_key_untrusted, "id_key_untrusted", 1, false, "no ID block, or one that no key of the policy vouches for", "launch the guest with an ID block signed by a listed key, or list its key"},
    {Errc::author_key_untrusted, "author_key_untrusted", 1, false, "no author key, or one that the policy does not list", "launch the guest with an author key that the policy lists"},
    {Errc::report_contradiction, "report_contradiction", 1, false, "two fields of the report say what no firmware says together", "the report is damaged or made up: distrust whoever holds the key that signed it"},
    {Errc::launch_policy_broken, "launch_policy_broken", 1, false, "platform or firmware are not what the guest's launch POLICY demands", "no firmware launches such a guest: the report is made up, or the host went back to older firmware"},
    {Errc::snp_unavailable, "snp_unavailable", 3, false, "this host cannot start SEV-SNP guests", "`attestbed doctor --for snp` says what is missing and what to do; --print shows the command line all the same"},
    {Errc::kds_failed, "kds_failed", 3, false, "the KDS answered that it failed (status 5xx)", "try again later: the trouble is the KDS's, and other certificates may be served meanwhile"},
};
// clang-format on

constexpr std::size_t kCount = sizeof(kRows) / sizeof(kRows[0]);

// The lookup is by position, so the order is checked where it is used: a row out of place does not compile.
constexpr bool rows_follow_enumeration() {
  for (std::size_t i = 0; i < kCount; ++i) {
    if (static_cast<std::size_t>(kRows[i].code) != i + 1) return false;
  }
  return kRows[kCount - 1].code == Errc::kds_failed;
}
static_assert(rows_follow_enumeration(), "every Errc needs its row, in the order of the enumeration");

constexpr bool names_are_unique() {
  for (std::size_t i = 0; i < kCount; ++i) {
    for (std::size_t j = i + 1; j < kCount; ++j) {
      if (std::string_view(kRows[i].name) == kRows[j].name) return false;
    }
  }
  return true;
}
static_assert(names_are_unique(), "an error name is used twice");

}  // namespace

const ErrorRow& error_row(Errc code) {
  const auto index = static_cast<std::size_t>(code) - 1;
  return kRows[index < kCount ? index : static_cast<std::size_t>(Errc::internal) - 1];
}

const char* file_remedy(Errc code) {
  switch (code) {
    case Errc::truncated:
    case Errc::trailing_bytes:
    case Errc::too_large:
    case Errc::bad_length:
    case Errc::bad_value:
    case Errc::reserved_set:
    case Errc::unsupported_version:
    case Errc::bad_base64:
    case Errc::bad_json:
    case Errc::json_depth:
    case Errc::json_duplicate:
    case Errc::json_type:
    case Errc::json_missing:
    case Errc::no_space:
    case Errc::bad_point:
      return "see that this is the file that was meant, whole and unchanged";
    case Errc::firmware_reply:
      return "see that page and VMPCK belong together";
    default:
      return error_row(code).remedy;
  }
}

ErrorRows error_rows() {
  return {kRows, kCount};
}

const ErrorRow* wire_error_named(std::string_view name) {
  for (const ErrorRow& row : kRows) {
    if (row.on_wire && name == text_of(row.name)) return &row;
  }
  return nullptr;
}

}  // namespace attestbed
