// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/posix/clock.h"
#include "core/verify/verify.h"
#include "http-client/curl_handle.h"
#include "kds-client/complete.h"
#include "tools/attestbed/evidence.h"

namespace CLI {
class App;
}

namespace attestbed::tools {

/// KdsFlags are what a subcommand was told about KDS and CRLs.
struct KdsFlags {
  std::string url, cache, ca_file;
  bool offline = false;
  bool insecure_http = false;
  unsigned timeout_seconds = 60;
  std::vector<std::string> crls;  // files, or "kds"

  /// in_use holds if certificates may come from a KDS or its cache.
  bool in_use() const { return offline || !url.empty(); }
  /// own_url is the KDS that the user named, empty if that is AMD's or none.
  std::string own_url() const;
  bool wants_crl() const { return !crls.empty(); }
};
void add_kds_flags(CLI::App& command, KdsFlags& into);

/// require_certificates throws CLI::RequiredError unless certificates were named or a KDS may have those of a report.
void require_certificates(const EvidencePlaces& places, const KdsFlags& kds);

/// KdsAccess completes what the files of a command line leave out. What it gets is judged like any file.
class KdsAccess {
 public:
  /// make reads the flags and the CRL files. Errors: bad_config, io_failed, too_large.
  static verify::Checked<std::unique_ptr<KdsAccess>> make(const KdsFlags& flags);

  /// complete appends the VCEK and the intermediate of `report` to `certificates`, unless they are there already.
  /// Errors: those of kds::complete_endorsements.
  verify::Checked<void> complete(const snp::RawReport& report, const verify::TrustedRoots& roots,
                                 std::vector<verify::Certificate>& certificates);
  /// forget_refused is kds::forget_refused for what the last complete took from the cache.
  bool forget_refused(const verify::Refusal& refusal);

  /// check_revocation judges `vek` by the CRLs of the command line; without any it passes.
  verify::Checked<void> check_revocation(const verify::Vek& vek, verify::Time at, verify::Steps* passed);

 private:
  KdsAccess() = default;
  const http::Library library_;
  posix::SteadyClock clock_;
  Deadline until_ = kNever;
  std::unique_ptr<kds::Client> client_;  // null: files only
  std::vector<kds::Request> from_cache_;
  std::vector<verify::Crl> crls_;
  bool crl_from_kds_ = false;
  bool wants_crl_ = false;
};

}  // namespace attestbed::tools
