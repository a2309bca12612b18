// SPDX-License-Identifier: Apache-2.0
#include "proxy/backend.h"
#include "proxy/kbs_client.h"

namespace attestbed::proxy {
namespace {

constexpr BackendKind kKinds[] = {
    {"kbs", make_kbs_backend},
};

}  // namespace

std::span<const BackendKind> backend_kinds() {
  return kKinds;
}

const BackendKind* backend_named(std::string_view name) {
  for (const BackendKind& kind : kKinds) {
    if (name == kind.name) return &kind;
  }
  return nullptr;
}

}  // namespace attestbed::proxy
