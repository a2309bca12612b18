// SPDX-License-Identifier: Apache-2.0
#include "guest/summary.h"

#include "core/base/json.h"
#include "core/posix/describe.h"

namespace attestbed::guest {
namespace {

std::string milliseconds(std::chrono::nanoseconds took) {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(took).count();
  const std::string fraction = std::to_string(us % 1000);
  return std::to_string(us / 1000) + "." + std::string(3 - fraction.size(), '0') + fraction;
}

// The name of an attestation; none before the challenge is known.
std::string attestation_of(const Summary& summary) {
  if (!summary.trace.challenge) return {};
  const Result<protocol::AttestationId> id = protocol::attestation_id(*summary.trace.challenge);
  return id ? std::string(id->text()) : std::string();
}

class SummaryJson {
 public:
  SummaryJson(const Summary& summary, Writer& out) : summary_(summary), out_(out), json_(out) {}

  void write() {
    json_.begin_object();
    text("outcome", summary_.outcome());
    number("exit", static_cast<std::uint64_t>(summary_.exit()));
    error();
    text_or_null("attestation", attestation_of(summary_));
    json_.name("authenticated");
    json_.boolean(summary_.authenticated);
    json_.name("simulated_firmware");
    json_.boolean(summary_.simulated_firmware);
    text_or_null("firmware", summary_.firmware);
    number("negotiation_requests", summary_.trace.negotiation_requests);
    secret();
    phases();
    frames();
    json_.name("terms");
    protocol::write_terms(json_, summary_.terms);
    const auto& report_data = summary_.trace.report_data;
    text_or_null("report_data", report_data ? posix::to_hex(*report_data) : std::string());
    json_.end_object();
  }

 private:
  void text(std::string_view name, std::string_view value) {
    json_.name(name);
    json_.string(value);
  }
  void text_or_null(std::string_view name, std::string_view value) {
    json_.name(name);
    value.empty() ? json_.null() : json_.string(value);
  }
  void number(std::string_view name, std::uint64_t value) {
    json_.name(name);
    json_.number(value);
  }

  void error() {
    if (!summary_.error) return;
    const ErrorRow& row = error_row(summary_.error->code);
    text("code", row.name);
    text("field", summary_.error->where);
    number("expected", summary_.error->expected);
    number("found", summary_.error->found);
    text("meaning", row.meaning);
    text("remedy", row.remedy);
    const auto& host = summary_.trace.host_error;
    text_or_null("detail", host ? host->detail() : std::string_view());
  }

  void secret() {
    json_.name("secret");
    if (!summary_.secret) return json_.null();
    json_.begin_object();
    number("octets", summary_.secret->octets);
    text_or_null("kept_in", summary_.kept_in);
    json_.end_object();
  }

  void phase(std::string_view name, std::chrono::nanoseconds took) {
    json_.begin_object();
    text("name", name);
    json_.name("ms");
    out_.text(milliseconds(took));
    json_.end_object();
  }

  void phases() {
    json_.name("phases");
    json_.begin_array();
    if (summary_.connected) {
      phase("connected", *summary_.connected - summary_.started);
      for (std::size_t step = 1; step <= static_cast<std::size_t>(summary_.trace.reached); ++step) {
        phase(attest_step_name(static_cast<AttestStep>(step)), summary_.trace.at[step] - summary_.trace.at[step - 1]);
      }
    }
    json_.end_array();
  }

  void frames() {
    static constexpr const char* kMessages[] = {"NegotiationRequest", "NegotiationResponse", "AttestationRequest",
                                                "AttestationResponse"};
    json_.name("frames");
    json_.begin_array();
    for (std::size_t i = 0; i < summary_.frames; ++i) {
      json_.begin_object();
      text("message", kMessages[i]);
      text("from", i % 2 == 0 ? "guest" : "host");
      number("octets", summary_.frame_octets[i]);
      json_.end_object();
    }
    json_.end_array();
  }

  const Summary& summary_;
  Writer& out_;
  JsonWriter json_;
};

}  // namespace

const char* Summary::outcome() const {
  if (released()) return "released";
  return exit() == 1 ? "refused" : "failed";
}

Result<Bytes> write_summary_json(const Summary& summary, MutBytes into) {
  Writer out(into);
  SummaryJson(summary, out).write();
  return out.finish("result");
}

std::string summary_line(const Summary& summary) {
  const std::string id = attestation_of(summary);
  const std::string name = id.empty() ? std::string() : " (attestation " + id + ")";
  if (summary.error) {
    std::string line = std::string(summary.outcome()) + name + ": " + posix::describe(*summary.error);
    if (const auto& host = summary.trace.host_error; host && host->detail_size > 0) {
      line += "; the host says: " + std::string(host->detail());
    }
    return line;
  }
  const Instant opened = summary.trace.at[static_cast<std::size_t>(AttestStep::opened)];
  return "released" + name + ": " + std::to_string(summary.secret->octets) + " octets, " +
         (summary.kept_in.empty() ? "dropped (no --out, no --stdout)" : "to " + summary.kept_in) + ", " +
         (summary.authenticated ? "authenticated" : "not authenticated (--secret-auth none)") +
         (summary.simulated_firmware ? ", simulated firmware, " : ", ") + milliseconds(opened - summary.started) +
         " ms";
}

}  // namespace attestbed::guest
