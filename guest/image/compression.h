// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace attestbed::guest {

/// zstd_compress makes one frame (RFC 8878) that a kernel with CONFIG_RD_ZSTD unpacks: a window of at most 8 MiB, one
/// thread, so that the same octets and the same libzstd give the same frame. Errors: internal.
Result<std::string> zstd_compress(Bytes octets);

/// zstd_decompress unpacks a whole .zst file of one frame, as zstd_compress or `zstd FILE` makes it, into at most `max`
/// octets.
///   errors  bad_value (no frame that says its size, or damaged), too_large, trailing_bytes
Result<std::string> zstd_decompress(Bytes file, std::size_t max);

/// xz_decompress unpacks a whole .xz file into at most `max` octets, with at most 80 MiB of memory.
///   errors  bad_value (not .xz, or damaged), truncated, too_large, trailing_bytes
Result<std::string> xz_decompress(Bytes file, std::size_t max);

}  // namespace attestbed::guest
