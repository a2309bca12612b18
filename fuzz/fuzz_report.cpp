// SPDX-License-Identifier: Apache-2.0
// Property: a report that parses is the octets it was parsed from, of a version that is known; a firmware's reply that
// parses carries status 0 and exactly one report; a TCB taken apart and put together is the same; a report
// that decodes to values for a product is what these values encode to.
#include <algorithm>
#include <vector>

#include "core/base/wire.h"
#include "core/snp/report_fields.h"
#include "fuzz/must.h"

using namespace attestbed;
using namespace attestbed::snp;

namespace {

void check_tcb(const TcbVersion& octets) {
  for (const Product product : {Product::milan, Product::genoa, Product::turin}) {
    const Tcb tcb = decode_tcb(product, octets);
    fuzz::must(decode_tcb(product, encode_tcb(product, tcb)) == tcb, "a TCB survives");
  }
}

void check_fields(const RawReport& report) {
  for (const Product product : {Product::milan, Product::genoa, Product::turin}) {
    const Result<ReportFields> fields = decode_report(report, product);
    if (!fields) continue;
    const Result<RawReport> again = encode_report(*fields, product);
    fuzz::must(again.has_value(), "what decodes encodes");
    fuzz::must(std::ranges::equal(octets_of(*again), octets_of(report)), "values hold the whole report");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes input(data, size);
  if (const Result<RawReport> report = parse_report(input)) {
    fuzz::must(std::ranges::equal(octets_of(*report), input), "a report is its octets");
    const std::uint32_t version = report->version;
    fuzz::must(version == 2 || version == 3 || version == 5, "the version is known");
    check_tcb(report->current_tcb);
    check_tcb(report->reported_tcb);
    check_fields(*report);
  }
  // The same octets as what follows a firmware's status and size, so that one corpus serves both parsers.
  MsgReportRsp reply{};
  reply.report_size = kReportBytes;
  std::vector<std::uint8_t> payload(sizeof reply - kReportBytes);
  std::copy_n(reinterpret_cast<const std::uint8_t*>(&reply), payload.size(), payload.begin());
  payload.insert(payload.end(), input.begin(), input.end());
  const Result<RawReport> carried = parse_report_rsp(payload);
  fuzz::must(carried.has_value() == (size == kReportBytes), "a reply carries exactly one report");

  if (const Result<RawReport> bare = parse_report_rsp(input)) {
    fuzz::must(size == sizeof(MsgReportRsp) && std::all_of(data, data + 4, [](std::uint8_t c) { return c == 0; }),
               "an accepted reply has its length and status 0");
    fuzz::must(std::ranges::equal(octets_of(*bare), input.subspan(32)), "the report is what follows");
  }
  return 0;
}
