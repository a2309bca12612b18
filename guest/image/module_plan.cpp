// SPDX-License-Identifier: Apache-2.0
#include "guest/image/module_plan.h"

#include <algorithm>
#include <array>

namespace attestbed::guest {
namespace {

constexpr std::size_t kMaxDepth = 16;

std::vector<std::string> roots_of(When when) {
  switch (when) {
    case When::always:
      return {};
    case When::snp:
      return {"sev-guest"};
    case When::virtio_serial:
      return {"virtio_pci", "virtio_console"};
    case When::vsock:
      return {"virtio_pci", "vmw_vsock_virtio_transport"};
    case When::vsock_loopback:
      return {"vsock_loopback"};
    case When::simulated:
      return {"cuse"};
    case When::tsm:
      return {"tsm"};
  }
  return {};
}

// What a root needs without saying so in `depends=`: sev-guest's probe takes gcm(aes) from the crypto API by its name,
// and an initramfs has no modprobe that the kernel could ask for it. Kernels that have none of these do without.
std::vector<std::string> before_roots_of(When when) {
  if (when == When::snp) return {"ctr", "gcm", "ghash_generic"};
  return {};
}

class Planning {
 public:
  explicit Planning(const KernelTree& kernel) : kernel_(kernel) {}

  Outcome<void> want(When when) {
    for (const std::string& name : before_roots_of(when)) {
      if (kernel_.has(name)) TRY(visit(when, name, 0));
    }
    for (const std::string& root : roots_of(when)) {
      if (kernel_.is_builtin(root)) continue;
      if (!kernel_.has(root)) {
        plan_.lacking.push_back(std::string(when_name(when)) + ": this kernel has no module " + root);
        plan_.unserved.insert(when);
        continue;
      }
      TRY(visit(when, root, 0));
    }
    return {};
  }

  ModulePlan plan() && { return std::move(plan_); }

 private:
  Outcome<void> visit(When when, const std::string& name, std::size_t depth) {
    if (kernel_.is_builtin(name)) return {};
    if (depth == kMaxDepth) {
      return Failure{{Errc::bad_config, "depends"}, name + ": depends on itself", "take another kernel package"};
    }
    Module module = TRY(kernel_.module(name));
    for (const std::string& needed : module.info.depends) TRY(visit(when, needed, depth + 1));
    const ListedModule line{when, module.info.name};
    if (std::ranges::find(plan_.list, line) == plan_.list.end()) plan_.list.push_back(line);
    plan_.modules.try_emplace(module.info.name, std::move(module));
    return {};
  }

  const KernelTree& kernel_;
  ModulePlan plan_;
};

}  // namespace

Outcome<ModulePlan> plan_modules(const KernelTree& kernel, const std::vector<When>& wanted) {
  Planning planning(kernel);
  for (const When when : wanted) TRY(planning.want(when));
  return std::move(planning).plan();
}

}  // namespace attestbed::guest
