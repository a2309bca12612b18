// SPDX-License-Identifier: Apache-2.0
#include "sim/options.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "core/posix/describe.h"
#include "sim/commands.h"
#include "sim/guest_image.h"

namespace attestbed::sim {
namespace {

std::variant<Command, int> parse(std::vector<std::string> words) {
  words.insert(words.begin(), "snp-sim");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  return parse_command_line(static_cast<int>(argv.size()), argv.data(), "1.2.3");
}

template <class Options>
Options parsed(const std::vector<std::string>& words) {
  const auto result = parse(words);
  const auto* command = std::get_if<Command>(&result);
  const auto* options = command == nullptr ? nullptr : std::get_if<Options>(command);
  EXPECT_NE(options, nullptr);
  return options == nullptr ? Options{} : *options;
}

TEST(SnpSimOptions, ReadsEveryFlagOfServe) {
  const auto options = parsed<ServeOptions>({"serve",          "--unix",    "/s",           "--force",
                                             "--ca",           "/ca",       "--product",    "genoa",
                                             "--image",        "x",         "--policy",     "0xb0000",
                                             "--host-data",    "0102",      "--seed",       "18446744073709551615",
                                             "--fault",        "1+:busy",   "--fault",      "2:flip_bit:7",
                                             "--idle-timeout", "9",         "--max-guests", "3",
                                             "--profile",      "gcp-milan", "--no-certs"});
  EXPECT_EQ(options.unix_path, "/s");
  EXPECT_TRUE(options.force);
  EXPECT_EQ(options.machine.ca_directory, "/ca");
  EXPECT_EQ(options.machine.product, snp::Product::genoa);
  EXPECT_EQ(options.guest.image, "x");
  EXPECT_EQ(options.guest.policy, 0xb0000U);
  EXPECT_EQ(options.guest.host_data, (HostData{1, 2}));
  EXPECT_EQ(options.guest.seed, 18446744073709551615U);
  EXPECT_EQ(options.host.faults, (std::vector<std::string>{"1+:busy", "2:flip_bit:7"}));
  EXPECT_EQ(options.idle_seconds, 9U);
  EXPECT_EQ(options.max_guests, 3U);
  EXPECT_EQ(options.host.profile, "gcp-milan");
  EXPECT_FALSE(options.host.certificates);
  const auto usual = parsed<ServeOptions>({"serve", "--unix", "/s"});
  EXPECT_EQ(usual.host.profile, "fast");
  EXPECT_TRUE(usual.host.certificates);
}

TEST(SnpSimOptions, ReadsWhatIsLaunchedFromFiles) {
  const auto options = parsed<ServeOptions>({"serve", "--unix", "/s", "--ovmf", "/o", "--kernel", "/k", "--initrd",
                                             "/i", "--append", "a b", "--vcpus", "2", "--vcpu-type", "EPYC-Milan"});
  EXPECT_EQ(options.guest.launch.ovmf, "/o");
  EXPECT_EQ(options.guest.launch.kernel, "/k");
  EXPECT_EQ(options.guest.launch.initrd, "/i");
  EXPECT_EQ(options.guest.launch.cmdline, "a b");
  EXPECT_EQ(options.guest.launch.vcpus, 2U);
  EXPECT_EQ(options.guest.launch.vcpu_type, "EPYC-Milan");
  EXPECT_EQ(parsed<FirmwareOptions>({"firmware", "--out", "/f"}).out, "/f");
  const auto refused = [](const std::vector<std::string>& words) { return std::get<int>(parse(words)) == 2; };
  EXPECT_TRUE(refused({"serve", "--unix", "/s", "--kernel", "/k"}));
  EXPECT_TRUE(refused({"serve", "--unix", "/s", "--ovmf", "/o", "--image", "x"}));
  EXPECT_TRUE(refused({"serve", "--unix", "/s", "--ovmf", "/o", "--initrd", "/i"}));
}

TEST(SnpSimOptions, ReadsEveryFlagOfCertsAndReport) {
  const auto certs = parsed<CertsOptions>(
      {"certs", "--out", "o", "--product", "Genoa", "--seed", "7", "--not-before", "2030-01-02T03:04:05Z"});
  EXPECT_EQ(certs.out, "o");
  EXPECT_EQ(certs.product, snp::Product::genoa);
  EXPECT_EQ(certs.seed, 7U);
  EXPECT_EQ(certs.not_before->time_since_epoch().count(), 1893553445);  // date -u -d 2030-01-02T03:04:05Z +%s
  const auto report =
      parsed<ReportOptions>({"report", "--out", "r", "--report-data", "ff", "--vmpl", "2", "--version", "3"});
  EXPECT_EQ(report.out, "r");
  EXPECT_EQ(report.report_data, snp::ReportData{0xff});
  EXPECT_EQ(report.vmpl, 2U);
}

TEST(SnpSimOptions, ReadsHowTheFirmwareIsConfigured) {
  const auto report = parsed<ReportOptions>({"report",
                                             "--out",
                                             "r",
                                             "--version",
                                             "5",
                                             "--key",
                                             "vlek",
                                             "--mask-chip-id",
                                             "--mask-chip-key",
                                             "--reported-tcb",
                                             "bl=4,ucode=219",
                                             "--committed-tcb",
                                             "snp=24",
                                             "--current-tcb",
                                             "fmc=1,tee=2",
                                             "--platform-info",
                                             "0x67",
                                             "--mitigation-vector",
                                             "f",
                                             "--committed-version",
                                             "1.55.40",
                                             "--current-version",
                                             "2.0.255"});
  EXPECT_EQ(report.key_sel, snp::kKeySelVlek);
  EXPECT_TRUE(report.machine.load_vlek && report.machine.mask_chip_id && report.machine.mask_chip_key);
  EXPECT_EQ(report.machine.report_version, 5U);
  EXPECT_EQ(report.machine.reported_tcb, (TcbChange{.boot_loader = 4, .microcode = 219}));
  EXPECT_EQ(report.machine.committed_tcb, (TcbChange{.snp = 24}));
  EXPECT_EQ(report.machine.current_tcb, (TcbChange{.fmc = 1, .tee = 2}));
  EXPECT_EQ(report.machine.platform_info, 0x67U);
  EXPECT_EQ(report.machine.mitigation_vector, 0xfU);
  const auto version = [](const std::optional<snp::FirmwareVersion>& read) {
    return read ? std::vector<int>{read->major, read->minor, read->build} : std::vector<int>{};
  };
  EXPECT_EQ(version(report.machine.committed_version), (std::vector<int>{1, 55, 40}));
  EXPECT_EQ(version(report.machine.current_version), (std::vector<int>{2, 0, 255}));
  EXPECT_EQ(parsed<ReportOptions>({"report", "--out", "r"}).key_sel, snp::kKeySelVlekIfLoaded);
  EXPECT_EQ(parsed<ReportOptions>({"report", "--out", "r", "--key", "vcek"}).key_sel, snp::kKeySelVcek);
  EXPECT_TRUE(parsed<CertsOptions>({"certs", "--out", "o", "--force"}).force);
  EXPECT_FALSE(parsed<CertsOptions>({"certs", "--out", "o"}).force);
  const auto certs = parsed<CertsOptions>({"certs", "--out", "o", "--tcb", "snp=25", "--csp-id", "CN=x.example"});
  EXPECT_EQ(certs.tcb, (TcbChange{.snp = 25}));
  EXPECT_EQ(certs.csp_id, "CN=x.example");
}

TEST(SnpSimOptions, ATcbNamesEachLevelOnceAndInFull) {
  const snp::Tcb base{.fmc = 0, .boot_loader = 1, .tee = 2, .snp = 3, .microcode = 4};
  const auto change = parse_tcb_change("ucode=255,bl=0");
  ASSERT_TRUE(change);
  EXPECT_EQ(changed(base, *change), (snp::Tcb{.fmc = 0, .boot_loader = 0, .tee = 2, .snp = 3, .microcode = 255}));
  for (const char* bad :
       {"", ",", "bl", "bl=", "bl=-1", "bl=256", "bl=1,", "bl=1,bl=1", "BL=1", "bl=1 ", "spl=1", "=1"}) {
    EXPECT_FALSE(parse_tcb_change(bad)) << bad;
  }
}

TEST(SnpSimOptions, RefusesWhatCannotBeUsedWithStatusTwo) {
  const std::vector<std::string> kBad[] = {
      {},
      {"bogus"},
      {"serve"},
      {"serve", "--unix", "/s", "--product", "Rome"},
      {"serve", "--unix", "/s", "--policy", "30000g"},
      {"serve", "--unix", "/s", "--policy", "10000000000000000"},
      {"serve", "--unix", "/s", "--policy", ""},
      {"serve", "--unix", "/s", "--host-data", "0"},
      {"serve", "--unix", "/s", "--host-data", std::string(66, '0')},
      {"serve", "--unix", "/s", "--seed", "-1"},
      {"serve", "--unix", "/s", "--seed", "x"},
      {"serve", "--unix", "/s", "--fault", "busy"},
      {"serve", "--unix", "/s", "--profile", "GCP"},
      {"serve", "--unix", "/s", "--idle-timeout", "0"},
      {"serve", "--unix", "/s", "--max-guests", "0"},
      {"serve", "--unix", "/s", "extra"},
      {"certs"},
      {"certs", "--out", "o", "--not-before", "2030-01-02"},
      {"report"},
      {"report", "--out", "r", "--report-data", std::string(130, '0')},
      {"report", "--out", "r", "--vmpl", "4"},
      {"report", "--out", "r", "--vmpl", "-1"},
      {"report", "--out", "r", "--version", "4"},
      {"report", "--out", "r", "--key", "none"},
      {"report", "--out", "r", "--reported-tcb", "bl"},
      {"report", "--out", "r", "--platform-info", "x"},
      {"report", "--out", "r", "--current-version", ""},
      {"report", "--out", "r", "--current-version", "1.55"},
      {"report", "--out", "r", "--current-version", "1.55."},
      {"report", "--out", "r", "--current-version", "1.55.256"},
      {"report", "--out", "r", "--current-version", "1.-5.1"},
      {"report", "--out", "r", "--committed-version", "1.55.29.0"},
      {"report", "--out", "r", "--committed-version", " 1.55.29"},
      {"certs", "--out", "o", "--tcb", "snp=256"},
      {"certs", "--out", "o", "--csp-id", ""},
      {"reports"},
      {"reports", "--out", "o", "--count", "0"},
      {"reports", "--out", "o", "--count", "10000"},
      {"measurement", "--out", "r"},
  };
  for (const auto& words : kBad) {
    const auto result = parse(words);
    const int* status = std::get_if<int>(&result);
    ASSERT_NE(status, nullptr) << testing::PrintToString(words);
    EXPECT_EQ(*status, 2) << testing::PrintToString(words);
  }
}

TEST(SnpSimOptions, ReadsEveryFlagOfIdBlocks) {
  const std::string measurement(96, 'a');
  const auto made = parsed<IdBlockOptions>({"id-block", "--measurement", measurement, "--id-key", "i", "--author-key",
                                            "a", "--family-id", "01", "--image-id", "02", "--guest-svn", "9",
                                            "--policy", "b0000", "--out-block", "b", "--out-auth", "c"});
  EXPECT_EQ(made.block.launch_digest[47], 0xaa);
  EXPECT_EQ(made.block.family_id, FamilyId{1});
  EXPECT_EQ(made.block.image_id, ImageId{2});
  EXPECT_EQ(made.block.guest_svn, 9U);
  EXPECT_EQ(made.block.policy, 0xb0000U);
  EXPECT_EQ(made.block.version, 1U);
  EXPECT_EQ(made.id_key + made.author_key + made.out_block + made.out_auth, "iabc");
  const auto report = parsed<ReportOptions>(
      {"report", "--out", "r", "--id-block", "b", "--id-auth", "c", "--author-key-enabled", "--vcek-disabled"});
  EXPECT_EQ(report.guest.id_block + report.guest.id_auth, "bc");
  EXPECT_TRUE(report.guest.author_key_enabled);
  EXPECT_TRUE(report.guest.vcek_disabled);
  for (const std::vector<std::string>& wrong :
       {std::vector<std::string>{"report", "--out", "r", "--id-block", "b"},
        {"report", "--out", "r", "--author-key-enabled"},
        {"id-block", "--measurement", "aa", "--id-key", "i", "--out-block", "b", "--out-auth", "c"}}) {
    const auto result = parse(wrong);
    const int* status = std::get_if<int>(&result);
    ASSERT_NE(status, nullptr);
    EXPECT_EQ(*status, 2);
  }
}

TEST(SnpSimOptions, HelpAndVersionAreNoErrors) {
  for (const std::vector<std::string>& words : {std::vector<std::string>{"--help"},
                                                {"--version"},
                                                {"serve", "--help"},
                                                {"certs", "--help"},
                                                {"reports", "--help"},
                                                {"id-block", "--help"},
                                                {"report", "--help"}}) {
    const auto result = parse(words);
    const int* status = std::get_if<int>(&result);
    ASSERT_NE(status, nullptr);
    EXPECT_EQ(*status, 0);
  }
}

TEST(SnpSimPrepare, RefusesAForeignProductAndAMissingDirectory) {
  const auto missing = prepare({.ca_directory = "/nonexistent", .product = {}}, {});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::io_failed);
  EXPECT_EQ(fail(missing.error()), 3);

  const std::string directory = testing::TempDir() + "attestbed-prepare-" + std::to_string(getpid());
  ASSERT_TRUE(CertificateAuthority::of_default_seed(snp::Product::genoa)->save(directory));
  const auto foreign = prepare({.ca_directory = directory, .product = snp::Product::milan}, {});
  ASSERT_FALSE(foreign);
  EXPECT_EQ(foreign.error().code, Errc::bad_config);
  EXPECT_EQ(fail(foreign.error()), 2);
  EXPECT_TRUE(prepare({.ca_directory = directory, .product = snp::Product::genoa}, {}));
}

TEST(SnpSimPrepare, ConfiguresTheMachine) {
  MachineOptions options;
  options.product = snp::Product::turin;
  options.reported_tcb = {.snp = 1};
  options.committed_tcb = {.snp = 2};
  options.current_tcb = {.fmc = 3};
  options.load_vlek = true;
  options.committed_version = {.build = 40, .minor = 55, .major = 1, .reserved = 0};
  const auto config = prepare(options, {});
  ASSERT_TRUE(config) << config.error().text;
  EXPECT_EQ(config->machine.authority->tcb().snp, 1);
  EXPECT_EQ(config->machine.committed_tcb.snp, 2);
  EXPECT_EQ(config->machine.current_tcb.snp, 2);
  EXPECT_EQ(config->machine.current_tcb.fmc, 3);
  EXPECT_TRUE(config->machine.vlek_loaded);
  EXPECT_EQ(config->machine.committed_version.build, 40);
  EXPECT_EQ(config->machine.current_version.build, 40) << "current is by default what is committed";

  MachineOptions older;
  older.current_version = {.build = 255, .minor = 54, .major = 1, .reserved = 0};
  const auto below_committed = prepare(older, {});
  ASSERT_FALSE(below_committed);
  EXPECT_EQ(below_committed.error().code, Errc::bad_config);

  options.current_tcb = {.snp = 1};
  const auto unordered = prepare(options, {});
  ASSERT_FALSE(unordered);
  EXPECT_EQ(unordered.error().code, Errc::bad_config);
  EXPECT_NE(unordered.error().text.find("COMMITTED_TCB above CURRENT_TCB"), std::string::npos)
      << unordered.error().text;
  EXPECT_EQ(fail(unordered.error()), 2);
  options.current_tcb = {.tee = 128};
  EXPECT_EQ(prepare(options, {}).error().code, Errc::bad_config);
}

TEST(SnpSimPrepare, RefusesPlatformBitsThatTheReportVersionReserves) {
  struct Row {
    std::uint32_t version;
    std::uint64_t bits;
    bool taken;
  };
  constexpr Row kRows[] = {{2, 0x1f, true}, {2, 0x20, false},  {3, 0x3f, true},        {3, 0x40, false},
                           {5, 0xff, true}, {5, 0x100, false}, {5, 1ULL << 63, false}, {2, 0, true}};
  for (const Row& row : kRows) {
    MachineOptions options;
    options.report_version = row.version;
    options.platform_info = row.bits;
    const auto config = prepare(options, {});
    EXPECT_EQ(config.has_value(), row.taken) << row.version << " " << row.bits;
    if (config) continue;
    EXPECT_EQ(config.error().code, Errc::bad_config);
    EXPECT_NE(config.error().text.find("PLATFORM_INFO"), std::string::npos) << config.error().text;
  }
  MachineOptions usual;
  usual.report_version = 2;
  usual.product = snp::Product::turin;
  EXPECT_TRUE(prepare(usual, {})) << "whoever asks for no bits gets those of the product that the version knows";
}

TEST(SnpSimPrepare, TheMeasurementIsTheImagesOwn) {
  const auto config = prepare({}, {});
  ASSERT_TRUE(config);
  const auto guest = launch_guest(*config, 1);
  ASSERT_TRUE(guest);
  EXPECT_EQ(guest->measurement, *measure(*synthetic_image(GuestOptions{}.image)));
}

}  // namespace
}  // namespace attestbed::sim
