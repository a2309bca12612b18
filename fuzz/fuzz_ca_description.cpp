// SPDX-License-Identifier: Apache-2.0
// The input is the ca.json of a saved authority. Property: a description that is read has what a certificate can say,
// and reads back the same from its printed form; one that is not is refused in one printable line that names the file.
#include <algorithm>

#include "core/posix/describe.h"
#include "fuzz/must.h"
#include "sim/ca_description.h"

using namespace attestbed;
using namespace attestbed::sim;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto read = read_description("ca.json", text_of(Bytes(data, size)));
  if (!read) {
    const std::string& why = read.error().text;
    fuzz::must(read.error().code == Errc::bad_config && why.starts_with("ca.json: "), "an error names the file");
    fuzz::must(std::ranges::all_of(why, [](char c) { return c >= ' ' && c <= '~'; }), "in one printable line");
    return 0;
  }
  const std::size_t id_octets = read->product == snp::Product::turin ? 8 : 64;
  fuzz::must(read->hardware_id().size() == id_octets, "a chip id of the product's length");
  fuzz::must(std::all_of(read->chip_id.begin() + static_cast<std::ptrdiff_t>(id_octets), read->chip_id.end(),
                         [](std::uint8_t octet) { return octet == 0; }),
             "and zeros after it");
  fuzz::must(tcb_ok(read->product, read->tcb) && csp_id_ok(read->csp_id), "nothing that no certificate can say");
  const std::string printed = describe(*read);
  const auto again = read_description("printed", printed);
  fuzz::must(again.has_value(), "what is printed is read");
  fuzz::must(again->product == read->product && again->chip_id == read->chip_id && again->tcb == read->tcb &&
                 again->not_before == read->not_before && again->csp_id == read->csp_id,
             "and means the same");
  fuzz::must(describe(*again) == printed, "and is printed the same");
  return 0;
}
