// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sim/launch.h"
#include "sim/status.h"

namespace attestbed::sim {

/// Question is a guest message of a served type, version and length: whom it asks, under which key, and what.
struct Question {
  const Machine& machine;
  const GuestContext& guest;
  std::uint8_t vmpck;
  std::uint8_t version;
  Bytes payload;
};

/// Answer is what became of a question.
///   status  STATUS of the reply; unless success it is all that the reply says
///   why     the rule that was broken, static text; empty on success
///   size    octets of the reply
struct Answer {
  FirmwareStatus status = FirmwareStatus::success;
  const char* why = "";
  std::size_t size = 0;
};

// Each judges the payload of its message by the rules of 56860 (MSG_*_REQ), in their order, and writes the
// reply into `reply`: zero before, of kMaxPayloadBytes, and not touched if the answer is a refusal, whose STATUS the
// caller writes. Errors: `internal`, a defect of the simulation.
Result<Answer> answer_report(const Question& question, MutBytes reply);
Result<Answer> answer_key(const Question& question, MutBytes reply);
Result<Answer> answer_tsc_info(const Question& question, MutBytes reply);
Result<Answer> answer_cpuid(const Question& question, MutBytes reply);

// Which lengths of payload are a message's form. A message of another is not answered at all.
bool is_report_size(std::uint8_t version, std::size_t size);
bool is_key_size(std::uint8_t version, std::size_t size);
bool is_tsc_info_size(std::uint8_t version, std::size_t size);
bool is_cpuid_size(std::uint8_t version, std::size_t size);

/// select_vek is the key that KEY_SEL means for this guest on this machine: vcek, vlek, or none if there is no such
/// key (INVALID_KEY). Whether the chip key is masked is another question.
snp::SigningKey select_vek(const Machine& machine, const GuestContext& guest, std::uint32_t key_sel);

/// vmpl_allowed is whether a message under this VMPCK may speak for this VMPL: its own or a less privileged one.
bool vmpl_allowed(std::uint32_t vmpl, std::uint8_t vmpck);

/// all_zero is what reserved octets must be.
bool all_zero(Bytes octets);

}  // namespace attestbed::sim
