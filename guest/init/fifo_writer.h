// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "core/posix/fd.h"

namespace attestbed::guest {

/// A secret is as long as the broker's largest.
inline constexpr std::uint32_t kMaxSecretBytes = 32 * 1024;

/// FifoWriting is what the process has that waits for a FIFO's reader.
///   secret    a pipe: how many octets (four, of this machine's order), then these; its end without them: no secret
///   folder    where the FIFO is, as a descriptor: a switch_root moves what the path leads to
///   name      of the FIFO in `folder`
///   attempt   how long the secret may take to come
///   patience  how long the reader may take, counted from when the secret came
struct FifoWriting {
  posix::Fd secret, folder;
  std::string name;
  std::chrono::seconds attempt, patience;
};

/// write_fifo is all of that process, from right after its fork: it gives up the signal handlers and descriptors that
/// came with it, waits for the secret and then for the reader, and never blocks in either. The FIFO is gone before the
/// process is; a reader that came too late for the secret gets the end of the file. It exits with 0 if the secret was
/// written whole, or if none came; with 1 otherwise.
[[noreturn]] void write_fifo(FifoWriting writing);

}  // namespace attestbed::guest
