// SPDX-License-Identifier: Apache-2.0
#include "core/snp/tsc_info_message.h"

#include "core/base/reader.h"

namespace attestbed::snp {

Result<TscInfo> parse_tsc_info_rsp(Bytes payload) {
  Reader reader(payload);
  const MsgTscInfoRsp rsp = TRY(reader.copy<MsgTscInfoRsp>("MSG_TSC_INFO_RSP"));
  TRY(reader.done("MSG_TSC_INFO_RSP"));
  if (rsp.status != 0) return Error{Errc::firmware_status, "MSG_TSC_INFO_RSP.STATUS", rsp.status, 0};
  return TscInfo{rsp.tsc_scale, rsp.tsc_offset, rsp.tsc_factor};
}

}  // namespace attestbed::snp
