// SPDX-License-Identifier: Apache-2.0
#include "mock-kbs/service_config.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace attestbed::kbs {
namespace {

class ServiceConfigTest : public testing::Test {
 protected:
  ServiceConfigTest() {
    char name[] = "/tmp/attestbed-service-XXXXXX";
    directory_ = ::mkdtemp(name);
  }
  ~ServiceConfigTest() override { std::filesystem::remove_all(directory_); }
  std::string token(const std::string& text) {
    const std::string path = directory_ + "/token";
    std::ofstream(path) << text;
    return path;
  }
  std::string directory_;
};

TEST_F(ServiceConfigTest, IsPlainWithoutAWord) {
  const auto config = make_service_config({});
  ASSERT_TRUE(config);
  EXPECT_TRUE(config->faults.faults.empty());
  EXPECT_FALSE(config->tls);
  EXPECT_FALSE(config->admin);
}

TEST_F(ServiceConfigTest, TakesTheTokenWithoutItsLineEnd) {
  for (const char* end : {"", "\n", "\r\n"}) {
    ServiceOptions options;
    options.admin_listen = "[::1]:0";
    options.admin_token_file = token(std::string("0123456789abcdef") + end);
    const auto config = make_service_config(options);
    ASSERT_TRUE(config) << config.error().text();
    EXPECT_EQ(text_of(config->admin->token->expose()), "0123456789abcdef");
  }
}

TEST_F(ServiceConfigTest, LaysOneOverTheOther) {
  ServiceOptions file;
  file.faults = {"auth:1:close"};
  file.fault_seed = 1;
  file.tls_certificate = "a";
  file.tls_key = "b";
  ServiceOptions line;
  line.faults = {"auth:2:close"};
  line.fault_seed = 2;
  line.tls_key = "c";
  file.over(line);
  const auto config = make_service_config(file);
  ASSERT_TRUE(config);
  EXPECT_EQ(config->faults.faults.size(), 2U);
  EXPECT_EQ(config->faults.seed, 2U);
  EXPECT_EQ(config->tls->certificate, "a");
  EXPECT_EQ(config->tls->key, "c");
}

struct Wrong {
  const char* name;
  ServiceOptions options;
  const char* field;
};

TEST_F(ServiceConfigTest, NamesWhatIsWrong) {
  const std::string good = token("0123456789abcdef");
  const auto made = [](auto set) {
    ServiceOptions options;
    set(options);
    return options;
  };
  const auto with_token = [&](const std::string& text) {
    const std::string path = directory_ + "/" + std::to_string(text.size());
    std::ofstream(path) << text;
    return made([&](ServiceOptions& o) { o.admin_listen = "127.0.0.1:0", o.admin_token_file = path; });
  };
  const Wrong kWrong[] = {
      {"Fault", made([](ServiceOptions& o) { o.faults = {"auth:1:explode"}; }), "fault: kind"},
      {"Faults", made([](ServiceOptions& o) { o.faults.assign(65, "auth:1:close"); }), "faults"},
      {"CertificateAlone", made([](ServiceOptions& o) { o.tls_certificate = "a"; }), "tls"},
      {"KeyAlone", made([](ServiceOptions& o) { o.tls_key = "a"; }), "tls"},
      {"ClientCaAlone", made([](ServiceOptions& o) { o.tls_client_ca = "a"; }), "tls"},
      {"AdminWithoutToken", made([](ServiceOptions& o) { o.admin_listen = "127.0.0.1:0"; }), "admin"},
      {"AdminWithoutAddress", made([&](ServiceOptions& o) { o.admin_token_file = good; }), "admin"},
      {"AdminAddress", made([&](ServiceOptions& o) { o.admin_listen = "localhost:1", o.admin_token_file = good; }),
       "admin.listen"},
      {"AdminBeyondLoopback", made([&](ServiceOptions& o) { o.admin_listen = "0.0.0.0:1", o.admin_token_file = good; }),
       "admin.listen"},
      {"Parity", made([](ServiceOptions& o) { o.parity = "trustee"; }), "parity"},
      {"TokenShort", with_token("0123456789abcde"), "/15"},
      {"TokenLong", with_token(std::string(1025, 'x')), "/1025"},
      {"TokenWithSpaces", with_token("0123456789 abcdef"), "/17"},
      {"TokenOfTwoLines", with_token("0123456789\nabcdefg"), "/18"},
  };
  for (const Wrong& wrong : kWrong) {
    SCOPED_TRACE(wrong.name);
    const auto config = make_service_config(wrong.options);
    ASSERT_FALSE(config);
    EXPECT_EQ(config.error().code, Errc::bad_config);
    EXPECT_TRUE(config.error().field.ends_with(wrong.field)) << config.error().field;
    EXPECT_EQ(config.error().found.find("0123456789"), std::string::npos);
  }
}

}  // namespace
}  // namespace attestbed::kbs
