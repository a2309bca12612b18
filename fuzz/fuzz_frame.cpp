// SPDX-License-Identifier: Apache-2.0
// Property: frames that were received, sent again, are the octets that arrived; no length above the caller's memory is
// ever followed.
#include "core/protocol/frame.h"
#include "fuzz/byte_transport.h"
#include "fuzz/must.h"

using namespace attestbed;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t piece = data[0] + 1U, room = 257U * data[1];  // room: 0 to 65535 octets
  const Bytes stream = Bytes(data, size).subspan(2);
  fuzz::ByteTransport wire(stream, piece);
  std::vector<std::uint8_t> memory(room);

  while (true) {
    const Result<MutBytes> body = protocol::receive_frame(wire, memory, kNever);
    if (!body) {
      const Errc code = body.error().code;
      fuzz::must(
          code == Errc::frame_empty || code == Errc::frame_too_large || code == Errc::truncated || code == Errc::closed,
          "a stream ends with one of the four codes of receive_frame");
      fuzz::must(code != Errc::closed || wire.sent().size() == stream.size(), "closed only between frames");
      break;
    }
    fuzz::must(!body->empty() && body->size() <= room, "a body fits the caller's memory");
    fuzz::must(bool(protocol::send_frame(wire, *body, kNever)), "what was received can be sent");
  }
  fuzz::must(wire.sent().size() <= stream.size() && std::equal(wire.sent().begin(), wire.sent().end(), stream.begin()),
             "frames sent again are the octets that arrived");
  return 0;
}
