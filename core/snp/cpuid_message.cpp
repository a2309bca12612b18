// SPDX-License-Identifier: Apache-2.0
#include "core/snp/cpuid_message.h"

#include <cstring>

#include "core/base/reader.h"

namespace attestbed::snp {

Status read_cpuid_rsp(Bytes payload, std::span<CpuidFunction> functions) {
  Reader reader(payload);
  const MsgCpuidRsp head = TRY(reader.copy<MsgCpuidRsp>("MSG_CPUID_RSP"));
  if (head.status != 0) return Error{Errc::firmware_status, "MSG_CPUID_RSP.STATUS", head.status, 0};
  if (head.count != functions.size()) {
    return Error{Errc::bad_value, "MSG_CPUID_RSP.COUNT", head.count, functions.size()};
  }
  const Bytes answers = TRY(reader.take(functions.size_bytes(), "MSG_CPUID_RSP.FUNCTIONS"));
  TRY(reader.done("MSG_CPUID_RSP"));
  // What was asked stands first in each function and comes back as it was sent.
  constexpr std::size_t kAskedBytes = offsetof(CpuidFunction, eax);
  for (std::size_t i = 0; i < functions.size(); ++i) {
    if (std::memcmp(answers.data() + i * sizeof(CpuidFunction), &functions[i], kAskedBytes) != 0) {
      return Error{Errc::bad_value, "MSG_CPUID_RSP.FUNCTIONS", i, 0};
    }
  }
  if (!answers.empty()) std::memcpy(functions.data(), answers.data(), answers.size());
  return ok();
}

}  // namespace attestbed::snp
