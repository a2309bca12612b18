// SPDX-License-Identifier: Apache-2.0
// The input changes an ID block that another program made (sim/testdata): its first octet says whether the author key
// counts, then each three octets are a place, little-endian, and what is XORed there; places from 4192 on cut the
// files. Property: exactly the unchanged octets are accepted; without the author key, its half of ID_AUTH changes
// nothing.
#include <algorithm>
#include <cstdlib>

#include "core/posix/describe.h"
#include "fuzz/must.h"
#include "sim/id_block.h"

using namespace attestbed;
using namespace attestbed::sim;

namespace {

constexpr std::size_t kBlockBytes = 96, kAuthBytes = 4096;

std::string octets_of_file(const char* name) {
  const auto octets = posix::read_file(std::string(ATTESTBED_SOURCE_DIR "/sim/testdata/") + name, kAuthBytes);
  fuzz::must(octets.has_value(), "the known ID block can be read");
  return *octets;
}

const std::string& known() {
  static const std::string octets = octets_of_file("ssm-id-block.bin") + octets_of_file("ssm-id-auth.bin");
  return octets;
}

/// is_authors says whether an octet of block and authentication belongs to the author key alone: AUTHOR_KEY_ALGO,
/// ID_KEY_SIG, AUTHOR_KEY.
bool is_authors(std::size_t place) {
  if (place < kBlockBytes) return false;
  const std::size_t at = place - kBlockBytes;
  return (at >= 0x004 && at < 0x008) || (at >= 0x680 && at < 0x880) || (at >= 0x880 && at < 0xc84);
}

bool accepted(Bytes octets, bool author_key) {
  const auto block = parse_id_block(octets.first(std::min(octets.size(), kBlockBytes)));
  const auto auth = parse_id_auth(octets.subspan(std::min(octets.size(), kBlockBytes)));
  if (!block || !auth) return false;
  snp::Measurement measured;
  for (std::size_t i = 0; i < measured.size(); ++i) measured[i] = static_cast<std::uint8_t>(i);
  const SignedIdBlock given{*block, *auth, author_key};
  return check_reserved(given) && check_id_block(given, measured, 0x30000);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const bool author_key = (data[0] & 1U) != 0;
  std::string octets = known();
  for (std::size_t i = 1; i + 3 <= size; i += 3) {
    const std::size_t place = data[i] | static_cast<std::size_t>(data[i + 1]) << 8;
    if (place < octets.size()) octets[place] = static_cast<char>(octets[place] ^ data[i + 2]);
    if (place >= known().size()) octets.resize(octets.size() - std::min<std::size_t>(octets.size(), data[i + 2]));
  }
  bool unchanged = octets.size() == known().size();
  for (std::size_t place = 0; unchanged && place < octets.size(); ++place) {
    unchanged = octets[place] == known()[place] || (!author_key && is_authors(place));
  }
  fuzz::must(accepted(bytes_of(octets), author_key) == unchanged, "only the signed octets are accepted");
  return 0;
}
