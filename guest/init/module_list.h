// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "guest/init/failure.h"

namespace attestbed::guest {

/// Where an image has its kernel modules, and the list of them.
inline constexpr const char* kModuleList = "/etc/attestbed/modules";
inline constexpr const char* kModuleFolder = "/lib/modules/";
inline constexpr std::size_t kMaxModuleListBytes = 16 * 1024;
inline constexpr std::size_t kMaxModules = 256;

/// When says what a module is needed for.
///   always          every start
///   snp             a guest under SEV-SNP: the driver of /dev/sev-guest
///   tsm             configfs-tsm that was asked for by name, under SNP or not
///   virtio_serial   a virtio port: line, firmware or secret
///   vsock           the line over vsock; vsock_loopback: to this machine itself (CID 1)
///   simulated       the simulated /dev/sev-guest: CUSE
enum class When : std::uint8_t { always, snp, virtio_serial, vsock, vsock_loopback, simulated, tsm };
inline constexpr std::size_t kWhens = 7;
const char* when_name(When when);

/// ListedModule is a line of the list, `WHEN NAME`. A module that two things need has two lines.
struct ListedModule {
  When when;
  std::string name;
  friend bool operator==(const ListedModule&, const ListedModule&) = default;
};

/// is_module_name: 1 to 64 of [A-Za-z0-9_-], so that a name is no path.
bool is_module_name(std::string_view name);

/// parse_module_list reads the lines, in load order: what a module depends on stands before it.
///   errors  bad_value (not `WHEN NAME`), too_large (above 16 KiB or 256 lines)
Outcome<std::vector<ListedModule>> parse_module_list(std::string_view text);
std::string module_list_text(const std::vector<ListedModule>& modules);

/// modules_for is the names of what `needed` needs, each once, in the order of the list.
std::vector<std::string> modules_for(const std::vector<ListedModule>& modules, const std::vector<When>& needed);

}  // namespace attestbed::guest
