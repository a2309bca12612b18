// SPDX-License-Identifier: Apache-2.0
#include "core/snp/key_message.h"

#include "core/base/reader.h"

namespace attestbed::snp {

Result<DerivedKey> parse_key_rsp(Bytes payload) {
  Reader reader(payload);
  const le32 status = TRY(reader.copy<le32>("MSG_KEY_RSP.STATUS"));
  if (status != 0) return Error{Errc::firmware_status, "MSG_KEY_RSP.STATUS", status, 0};
  TRY(reader.zeros(sizeof(MsgKeyRsp::reserved), "MSG_KEY_RSP.RESERVED"));
  const Bytes key = TRY(reader.take(sizeof(MsgKeyRsp::key), "MSG_KEY_RSP.DERIVED_KEY"));
  TRY(reader.done("MSG_KEY_RSP"));
  return DerivedKey(key.first<sizeof(MsgKeyRsp::key)>());
}

}  // namespace attestbed::snp
