// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/run_options.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "core/posix/describe.h"
#include "core/protocol/frame.h"
#include "core/protocol/resource_path.h"
#include "tools/attestbed/run_break.h"
#include "tools/attestbed/run_verdict.h"

namespace attestbed::tools {
namespace {

std::string break_names() {
  std::string names;
  for (const BreakRow& row : break_rows()) names += std::string(names.empty() ? "" : " ") + row.what;
  return names;
}

// What a guest's console or another program said could steer the terminal that it is shown on.
std::string for_terminal(std::string text) {
  std::ranges::replace_if(
      text, [](unsigned char c) { return (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f; }, '?');
  return text;
}

std::string complete_break(ScenarioOptions& options) {
  Inputs& inputs = options.scenario.inputs;
  options.scenario.broken = break_named(options.broken);
  if (options.scenario.broken == nullptr) {
    return "--break " + options.broken + " does not exist; there is: " + break_names();
  }
  if (options.broken == "key" && options.scenario.key != protocol::KeyType::p521) {
    return "--break key puts another P-521 key in the place of the guest's: leave --key out";
  }
  if (options.scenario.guests != 1) return "--break breaks one guest's attempt: leave --guests out";
  const auto guest_timeout = inputs.guest_timeout, proxy_timeout = inputs.proxy_timeout;
  options.scenario.broken->apply(inputs);
  if (options.timeout && (inputs.guest_timeout != guest_timeout || inputs.proxy_timeout != proxy_timeout)) {
    return "--break " + options.broken + " sets a time limit of its own: leave --timeout out";
  }
  return {};
}

}  // namespace

void add_scenario_options(CLI::App& command, ScenarioOptions& into, const std::vector<LineType>& lines,
                          const std::string& about_lines) {
  std::vector<std::pair<std::string, LineType>> names;
  for (const LineType type : lines) names.emplace_back(line_name(type), type);
  command.add_flag_callback(
      "--json", [&into] { into.form = Form::json; }, "One JSON object instead of text");
  command.add_flag_callback(
      "--show-secret", [&into] { into.show = ShowSecret::yes; }, "Show the secret that the guest received");
  command.add_option("--keep", into.keep, "Keep logs, report and certificates in a new directory")->type_name("DIR");
  auto* text = command
                   .add_option("--secret", into.scenario.secret,
                               "Secret to release; other users of this machine see it in the process list")
                   ->type_name("TEXT")
                   ->capture_default_str();
  command.add_option("--secret-file", into.secret_file, "Secret to release, at most 32 KiB")
      ->type_name("FILE")
      ->excludes(text);
  command.add_option("--resource", into.scenario.resource, "Resource path: repository/type/tag")->capture_default_str();
  using protocol::Binding, protocol::KeyType;
  std::vector<std::pair<std::string, Binding>> bindings;
  for (const Binding binding : {Binding::svsm_sha512, Binding::kbs_sha384}) {
    bindings.emplace_back(binding_name(binding), binding);
  }
  add_named_option(command, "--binding", into.scenario.binding, bindings,
                   "How the report binds key and challenge: svsm-sha512, or kbs-sha384 as Trustee has it");
  std::vector<std::pair<std::string, KeyType>> keys;
  for (const KeyType key : {KeyType::p521, KeyType::p256, KeyType::rsa3072}) keys.emplace_back(key_type_name(key), key);
  add_named_option(command, "--key", into.scenario.key, keys,
                   "The guest's key: P-521; with kbs-sha384 also P-256 or RSA-3072");
  command.add_option("--product", into.scenario.product, "Simulated machine: Milan or Genoa")
      ->check(CLI::IsMember({"Milan", "Genoa"}))
      ->capture_default_str();
  command.add_option("--break", into.broken, "Break one input; 'list' says which, who notices and with which code")
      ->type_name("WHAT");
  add_named_option(command, "--transport", into.scenario.line, names, about_lines);
  command
      .add_option(
          "--timeout", into.timeout,
          "Seconds for each guest, of which the proxy gives its broker three quarters; not with --break firmware "
          "or timeout, which set their own")
      ->check(CLI::Range(static_cast<int>(kMinTimeout.count()), 3600))
      ->default_str(std::to_string(Inputs{}.guest_timeout.count()));
}

std::string complete(ScenarioOptions& options) {
  if (!options.secret_file.empty()) {
    Result<std::string> secret = posix::read_file(options.secret_file, protocol::kMaxCiphertextBytes);
    if (!secret) return "--secret-file " + options.secret_file + ": " + posix::describe(secret.error());
    options.scenario.secret = *std::move(secret);
  }
  if (options.scenario.secret.empty()) return "the secret has no octets, and guests refuse an empty one";
  if (const auto path = protocol::ResourcePath::parse(options.scenario.resource, "--resource"); !path) {
    return "--resource '" + options.scenario.resource +
           "' is not three parts of A-Z a-z 0-9 _ - . with '/' between them, at most " +
           std::to_string(protocol::kMaxResourcePathBytes) + " octets together";
  }
  if (const Status pair = check_pair(options.scenario.binding, options.scenario.key); !pair) {
    return std::string("--binding ") + binding_name(options.scenario.binding) + " --key " +
           key_type_name(options.scenario.key) + ": " + pair.error().where;
  }
  Inputs& inputs = options.scenario.inputs;
  if (options.timeout) {
    inputs.guest_timeout = std::chrono::seconds(*options.timeout);
    inputs.proxy_timeout = proxy_share(inputs.guest_timeout);
  }
  if (!options.broken.empty()) {
    if (std::string mistake = complete_break(options); !mistake.empty()) return mistake;
  }
  std::error_code failed;
  if (!options.keep.empty() && std::filesystem::exists(options.keep, failed) &&
      !std::filesystem::is_empty(options.keep, failed)) {
    return "--keep " + options.keep + ": exists and is not an empty directory";
  }
  return {};
}

int usage(const char* command, const std::string& what) {
  std::fprintf(stderr, "attestbed %s: %s (see attestbed %s --help)\n", command, what.c_str(), command);
  return 2;
}

int could_not_run(const char* command, const launch::Failure& failure) {
  std::fprintf(stderr, "attestbed %s: %s\n", command, for_terminal(failure.text()).c_str());
  if (!failure.tail.empty()) std::fprintf(stderr, "its last lines:\n%s\n", for_terminal(failure.tail).c_str());
  return 3;
}

int print_result(const char* command, const RunResult& result, const ScenarioOptions& options) {
  const std::string text =
      options.form == Form::json ? run_json(result, options.show) + "\n" : run_text(result, options.show);
  std::fputs(text.c_str(), stdout);
  if (result.scenario.broken != nullptr && !result.guests.empty()) {
    const std::string unmet = break_unmet(*result.scenario.broken, result.guests.front());
    if (!unmet.empty()) std::fprintf(stderr, "attestbed %s: %s\n", command, unmet.c_str());
  }
  for (const std::string& unmet : faults_unmet(result.faults)) {
    std::fprintf(stderr, "attestbed %s: %s\n", command, unmet.c_str());
  }
  return result.exit();
}

}  // namespace attestbed::tools
