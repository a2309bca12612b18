// SPDX-License-Identifier: Apache-2.0
#include "guest/image/compression.h"

#include <lzma.h>
#include <zstd.h>

#include <algorithm>
#include <memory>

namespace attestbed::guest {
namespace {

// With long-distance matching, since what two programs have in common lies megabytes apart: level 19 would save a tenth
// of that again for twenty times the time.
constexpr int kLevel = 9;
constexpr int kWindowLog = 23;                                // 8 MiB: the most that the kernel's decompressor takes
constexpr std::uint64_t kXzMemory = std::uint64_t{80} << 20;  // the largest preset, xz -9, has a dictionary of 64 MiB
constexpr std::size_t kPiece = 256 * 1024;

Result<std::string> unpack(lzma_stream& stream, std::size_t max) {
  std::string out;
  for (;;) {
    const std::size_t have = out.size();
    out.resize(have + std::min(kPiece, max - have + 1));
    stream.next_out = reinterpret_cast<std::uint8_t*>(out.data() + have);
    stream.avail_out = out.size() - have;
    const lzma_ret done = lzma_code(&stream, LZMA_FINISH);
    out.resize(out.size() - stream.avail_out);
    if (out.size() > max) return Error{Errc::too_large, "unpacked .xz", out.size(), max};
    if (done == LZMA_STREAM_END) break;
    if (done == LZMA_BUF_ERROR) return Error{Errc::truncated, ".xz"};
    if (done != LZMA_OK) return Error{Errc::bad_value, ".xz"};
  }
  if (stream.avail_in != 0) return Error{Errc::trailing_bytes, ".xz", stream.avail_in};
  return out;
}

}  // namespace

Result<std::string> zstd_compress(Bytes octets) {
  const std::unique_ptr<ZSTD_CCtx, std::size_t (*)(ZSTD_CCtx*)> context(ZSTD_createCCtx(), ZSTD_freeCCtx);
  if (!context) return Error{Errc::internal, "ZSTD_createCCtx"};
  const bool set = ZSTD_isError(ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, kLevel)) == 0 &&
                   ZSTD_isError(ZSTD_CCtx_setParameter(context.get(), ZSTD_c_windowLog, kWindowLog)) == 0 &&
                   ZSTD_isError(ZSTD_CCtx_setParameter(context.get(), ZSTD_c_enableLongDistanceMatching, 1)) == 0;
  if (!set) return Error{Errc::internal, "ZSTD_CCtx_setParameter"};
  std::string frame(ZSTD_compressBound(octets.size()), '\0');
  const std::size_t size = ZSTD_compress2(context.get(), frame.data(), frame.size(), octets.data(), octets.size());
  if (ZSTD_isError(size) != 0) return Error{Errc::internal, "ZSTD_compress2"};
  frame.resize(size);
  return frame;
}

Result<std::string> zstd_decompress(Bytes file, std::size_t max) {
  const std::size_t frame = ZSTD_findFrameCompressedSize(file.data(), file.size());
  if (ZSTD_isError(frame) != 0) return Error{Errc::bad_value, ".zst"};
  if (frame != file.size()) return Error{Errc::trailing_bytes, ".zst", file.size() - frame};
  const unsigned long long size = ZSTD_getFrameContentSize(file.data(), file.size());
  if (size == ZSTD_CONTENTSIZE_UNKNOWN || size == ZSTD_CONTENTSIZE_ERROR) return Error{Errc::bad_value, ".zst"};
  if (size > max) return Error{Errc::too_large, "unpacked .zst", size, max};
  std::string out(size, '\0');
  const std::size_t unpacked = ZSTD_decompress(out.data(), out.size(), file.data(), file.size());
  if (ZSTD_isError(unpacked) != 0 || unpacked != size) return Error{Errc::bad_value, ".zst"};
  return out;
}

Result<std::string> xz_decompress(Bytes file, std::size_t max) {
  lzma_stream stream = LZMA_STREAM_INIT;
  if (lzma_stream_decoder(&stream, kXzMemory, 0) != LZMA_OK) return Error{Errc::internal, "lzma_stream_decoder"};
  stream.next_in = file.data();
  stream.avail_in = file.size();
  Result<std::string> out = unpack(stream, max);
  lzma_end(&stream);
  return out;
}

}  // namespace attestbed::guest
