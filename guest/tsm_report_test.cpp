// SPDX-License-Identifier: Apache-2.0
#include "guest/tsm_report.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "guest/fake_tsm_tree.h"

namespace attestbed::guest {
namespace {

using namespace std::chrono_literals;

class TsmReportTest : public testing::Test {
 protected:
  ~TsmReportTest() override {
    EXPECT_TRUE(tree_.items.empty()) << "an entry was left behind";
    EXPECT_EQ(tree_.removed, tree_.made);
  }
  Result<Evidence> report(std::uint32_t vmpl = 0) {
    TsmReport provider(tree_, clock_, *pages_, vmpl);
    return provider.report(kReportData, clock_.now() + 60s);
  }
  static constexpr snp::ReportData kReportData{0xab, 0xcd, 0xef};
  sim::ManualClock clock_;
  FakeTsmTree tree_{clock_};
  std::unique_ptr<TsmPages> pages_ = std::make_unique<TsmPages>();
};

TEST_F(TsmReportTest, IsTheKernelsReport) {
  const auto evidence = report();
  ASSERT_TRUE(evidence) << error_name(evidence.error().code) << evidence.error().where;
  EXPECT_EQ(evidence->report.report_data, kReportData);
  EXPECT_EQ(evidence->report.vmpl, 0U);
  EXPECT_TRUE(snp::parse_report(snp::octets_of(evidence->report)));
  EXPECT_TRUE(evidence->certs.empty());
  EXPECT_EQ(tree_.made, 1);
}

TEST_F(TsmReportTest, IsForItsVmpl) {
  tree_.floor = "2";
  const auto evidence = report(3);
  ASSERT_TRUE(evidence);
  EXPECT_EQ(evidence->report.vmpl, 3U);
}

TEST_F(TsmReportTest, BelowTheFloorNothingIsAsked) {
  tree_.floor = "2";
  const auto evidence = report(1);
  ASSERT_FALSE(evidence);
  EXPECT_EQ(evidence.error().code, Errc::bad_config);
  EXPECT_EQ(evidence.error().found, 1U);
  EXPECT_EQ(evidence.error().expected, 2U);
  EXPECT_EQ(tree_.reads["outblob"], 0);
}

TEST_F(TsmReportTest, BringsTheHostsCertificates) {
  // One entry of 5 octets, the row that ends the entries, the octets (56421, extended guest request).
  tree_.certs.assign(48 + 5, 0);
  std::fill_n(tree_.certs.begin(), 16, std::uint8_t{0x5a});
  tree_.certs[16] = 48;
  tree_.certs[20] = 5;
  const auto evidence = report();
  ASSERT_TRUE(evidence);
  EXPECT_TRUE(std::ranges::equal(evidence->certs, tree_.certs));
}

TEST_F(TsmReportTest, GoesOnWithoutCertificates) {
  tree_.certs = {1, 2, 3};
  const auto malformed = report();
  ASSERT_TRUE(malformed);
  EXPECT_TRUE(malformed->certs.empty());
  tree_.read_errors["auxblob"] = ENOENT;
  const auto absent = report();
  ASSERT_TRUE(absent);
  EXPECT_TRUE(absent->certs.empty());
}

TEST_F(TsmReportTest, AnEntryOfThatNameThatIsThereIsNotTaken) {
  for (int left_behind = 0; left_behind < 3; ++left_behind) {
    tree_.items["attest-guest-" + std::to_string(getpid()) + "-" + std::to_string(left_behind)] = {};
  }
  EXPECT_TRUE(report());
  EXPECT_EQ(tree_.items.size(), 3U) << "others' entries stay";
  tree_.items.clear();
}

struct Disturbance {
  const char* name;
  std::function<void(FakeTsmTree&, FakeTsmTree::Item&)> written, read;
};
class TsmReportDisturbed : public TsmReportTest, public testing::WithParamInterface<Disturbance> {};
TEST_P(TsmReportDisturbed, TakesNobodyElsesReport) {
  int times = 0, left = 1;
  const auto disturb = [&](auto& how, FakeTsmTree::Item& item) {
    if (!how || times == left) return;
    ++times;
    how(tree_, item);
  };
  tree_.after_write = [&](const std::string& name, auto& item) {
    if (name == "inblob") disturb(GetParam().written, item);
  };
  tree_.after_read = [&](auto& item) { disturb(GetParam().read, item); };
  const auto evidence = report();
  ASSERT_TRUE(evidence) << "the next entry was ours alone";
  EXPECT_EQ(evidence->report.report_data, kReportData);
  EXPECT_EQ(tree_.made, 2);

  times = 0;
  left = 1000;
  tree_.made = tree_.removed = 0;
  const auto never = report();
  ASSERT_FALSE(never);
  EXPECT_EQ(never.error().code, Errc::firmware_busy);
  EXPECT_EQ(tree_.made, TsmReport::kAttempts);
}
void write_other(FakeTsmTree&, FakeTsmTree::Item& item) {
  item.inblob.assign(64, 0x66);
  ++item.generation;
}
INSTANTIATE_TEST_SUITE_P(
    Table, TsmReportDisturbed,
    testing::Values(Disturbance{"BeforeTheRead", write_other, {}}, Disturbance{"AfterTheRead", {}, write_other},
                    Disturbance{"InPlaceOfOurs", [](auto&, auto& item) { item.inblob.assign(64, 0x66); }, {}},
                    Disturbance{"OtherLevel", [](auto&, auto& item) { item.privlevel = 3; }, {}}),
    [](const auto& row) { return row.param.name; });

TEST_F(TsmReportTest, AWriteThatTheKernelDroppedIsNoticed) {
  tree_.drops_inblob = true;
  const auto evidence = report();
  ASSERT_FALSE(evidence);
  EXPECT_EQ(evidence.error().code, Errc::firmware_busy);
  EXPECT_EQ(tree_.reads["outblob"], 0);
}

struct Failure {
  const char* name;
  std::function<void(FakeTsmTree&)> change;
  Errc code;
  std::uint64_t found;
};
class TsmReportErrors : public TsmReportTest, public testing::WithParamInterface<Failure> {};
TEST_P(TsmReportErrors, AreNamed) {
  GetParam().change(tree_);
  const auto evidence = report();
  ASSERT_FALSE(evidence);
  EXPECT_STREQ(error_name(evidence.error().code), error_name(GetParam().code));
  EXPECT_EQ(evidence.error().found, GetParam().found);
}
std::function<void(FakeTsmTree&)> outblob(int error) {
  return [error](auto& tree) { tree.read_errors["outblob"] = error; };
}
INSTANTIATE_TEST_SUITE_P(
    Table, TsmReportErrors,
    testing::Values(
        Failure{"NoTree", [](auto& tree) { tree.make_error = ENOENT; }, Errc::firmware_unreachable, ENOENT},
        Failure{"NoProvider", [](auto& tree) { tree.make_error = ENXIO; }, Errc::firmware_unreachable, ENXIO},
        Failure{"NotAllowed", [](auto& tree) { tree.make_error = EACCES; }, Errc::firmware_unreachable, EACCES},
        Failure{"NamesAllTaken", [](auto& tree) { tree.make_error = EEXIST; }, Errc::firmware_unreachable, EEXIST},
        Failure{"OtherProvider", [](auto& tree) { tree.provider = "tdx_guest"; }, Errc::bad_config, 0},
        Failure{"LongProvider", [](auto& tree) { tree.provider = std::string(32, 's'); }, Errc::firmware_reply, EFBIG},
        Failure{"ProviderGone", [](auto& tree) { tree.read_errors["provider"] = ENXIO; }, Errc::firmware_unreachable,
                ENXIO},
        Failure{"FloorIsNoNumber", [](auto& tree) { tree.floor = "x"; }, Errc::firmware_reply, 0},
        Failure{"GenerationIsNoNumber", [](auto& tree) { tree.generation = "1 2\n"; }, Errc::firmware_reply, 0},
        Failure{"GenerationIsEmpty", [](auto& tree) { tree.generation = ""; }, Errc::firmware_reply, 0},
        Failure{"GenerationStands", [](auto& tree) { tree.generation = "7\n"; }, Errc::firmware_busy, 3},
        Failure{"WrittenTooOften", [](auto& tree) { tree.write_errors["privlevel"] = EBUSY; }, Errc::firmware_busy, 3},
        Failure{"InblobTooLarge", [](auto& tree) { tree.write_errors["inblob"] = EFBIG; }, Errc::firmware_reply, EFBIG},
        Failure{"Status", outblob(EINVAL), Errc::firmware_refused, EINVAL},
        Failure{"Hypervisor", outblob(EIO), Errc::firmware_refused, EIO},
        Failure{"OtherStatus", outblob(ENXIO), Errc::firmware_unreachable, ENXIO},
        Failure{"BusyForAMinute", outblob(ETIMEDOUT), Errc::firmware_busy, ETIMEDOUT},
        Failure{"KeyWiped", outblob(ENOTTY), Errc::vmpck_lost, 0},
        Failure{"BadReply", outblob(EBADMSG), Errc::firmware_reply, EBADMSG},
        Failure{"NotCached", outblob(EWOULDBLOCK), Errc::firmware_busy, 3},
        Failure{"ShortReport", [](auto& tree) { tree.change = [](auto& r) { r.pop_back(); }; }, Errc::firmware_reply,
                1183},
        Failure{"LongReport", [](auto& tree) { tree.change = [](auto& r) { r.push_back(0); }; }, Errc::firmware_reply,
                EFBIG},
        Failure{"NoReport", [](auto& tree) { tree.change = [](auto& r) { r.clear(); }; }, Errc::firmware_reply, 0}),
    [](const auto& row) { return row.param.name; });

TEST_F(TsmReportTest, AReadThatWasInterruptedIsRepeated) {
  tree_.read_errors["outblob"] = EINTR;
  EXPECT_TRUE(report());
  EXPECT_EQ(tree_.reads["outblob"], 2);
}

TEST_F(TsmReportTest, AsksNothingAfterTheDeadline) {
  TsmReport provider(tree_, clock_, *pages_, 0);
  EXPECT_EQ(provider.report(kReportData, clock_.now()).error().code, Errc::deadline);
  EXPECT_EQ(tree_.made, 0);
}

TEST_F(TsmReportTest, AReportThatCameTooLateIsDropped) {
  tree_.takes = 61s;
  EXPECT_EQ(report().error().code, Errc::deadline);
  EXPECT_EQ(tree_.reads["auxblob"], 0);
}

}  // namespace
}  // namespace attestbed::guest
