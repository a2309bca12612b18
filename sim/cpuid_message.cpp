// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "core/snp/cpuid_message.h"
#include "sim/cpuid.h"
#include "sim/guest_messages.h"

namespace attestbed::sim {
namespace {

constexpr std::size_t kHeadBytes = sizeof(snp::MsgCpuidReq), kFunctionBytes = sizeof(snp::CpuidFunction);
static_assert(kHeadBytes == sizeof(snp::MsgCpuidRsp), "a reply is as long as its request");

Answer refused(const char* why) {
  return {FirmwareStatus::invalid_param, why, kHeadBytes};
}

}  // namespace

bool is_cpuid_size(std::uint8_t, std::size_t size) {
  return size >= kHeadBytes;
}

Result<Answer> answer_cpuid(const Question& question, MutBytes reply) {
  snp::MsgCpuidReq request;
  std::memcpy(&request, question.payload.data(), sizeof request);
  if (request.reserved0 != 0 || request.reserved1 != 0) return refused("MSG_CPUID_REQ reserved bits");
  if (request.count > snp::kMaxCpuidFunctions) return refused("MSG_CPUID_REQ.COUNT");
  if (question.payload.size() != kHeadBytes + request.count * kFunctionBytes) {
    return refused("MSG_CPUID_REQ.COUNT: another number of functions follows");
  }
  snp::MsgCpuidRsp answer{};
  answer.count = request.count;
  std::memcpy(reply.data(), &answer, sizeof answer);
  for (std::size_t at = kHeadBytes; at < question.payload.size(); at += kFunctionBytes) {
    snp::CpuidFunction function;
    std::memcpy(&function, question.payload.data() + at, sizeof function);
    const CpuidValues values = cpuid(question.machine.authority->profile(), function.eax_in);
    function.eax = values.eax;
    function.ebx = values.ebx;
    function.ecx = values.ecx;
    function.edx = values.edx;
    function.reserved = 0;
    std::memcpy(reply.data() + at, &function, sizeof function);
  }
  return Answer{.size = question.payload.size()};
}

}  // namespace attestbed::sim
