// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/snp/guest_message.h"
#include "core/snp/guest_request.h"

namespace attestbed::fuzz {

/// MessagePort is firmware that answers every request with the given message, correctly sealed, whatever its type,
/// version and number; sim::SealingPort lets only the plaintext vary.
class MessagePort final : public snp::GuestRequestPort {
 public:
  MessagePort(const snp::Vmpck& key, const snp::GuestMessage& reply) : key_(key), reply_(reply) {}
  Result<snp::GuestRequestExit> call(const snp::Page&, snp::Page& reply, Deadline) override {
    TRY(seal_guest_message(key_, reply_, reply));
    return snp::GuestRequestExit{};
  }

 private:
  const snp::Vmpck& key_;
  snp::GuestMessage reply_;
};

/// HostPort is a host without the key: it answers with exit codes and a page of its choice.
class HostPort final : public snp::GuestRequestPort {
 public:
  HostPort(snp::GuestRequestExit exit, Bytes page) : exit_(exit), page_(page) {}
  Result<snp::GuestRequestExit> call(const snp::Page&, snp::Page& reply, Deadline) override {
    for (std::size_t i = 0; i < page_.size() && i < reply.size(); ++i) reply[i] = page_[i];
    return exit_;
  }

 private:
  snp::GuestRequestExit exit_;
  Bytes page_;
};

}  // namespace attestbed::fuzz
