// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "guest/image/kernel_tree.h"
#include "guest/init/module_list.h"

namespace attestbed::guest {

/// ModulePlan is which modules an image has and in which order they are loaded.
///   list     as /etc/attestbed/modules has it
///   modules  each once, by the name that the list has
///   lacking  what cannot be used with this kernel, and for want of which module; for people
///   unserved the same, for programs
struct ModulePlan {
  std::vector<ListedModule> list;
  std::map<std::string, Module> modules;
  std::vector<std::string> lacking;
  std::set<When> unserved;
};

/// plan_modules follows `depends=` from what each of `wanted` needs to what that needs. What is built into the kernel
/// is left out.
///   errors  those of KernelTree::module; bad_config: a module that another depends on is not there, or a circle
Outcome<ModulePlan> plan_modules(const KernelTree& kernel, const std::vector<When>& wanted);

}  // namespace attestbed::guest
