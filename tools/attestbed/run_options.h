// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tools/attestbed/run_report.h"
#include "tools/launch/failure.h"

namespace attestbed::tools {

enum class Form { text, json };

/// ScenarioOptions are what `attestbed run` and `attestbed vm` have in common.
///   broken   the value of --break, "list" for the table
///   timeout  what was asked for; the default is that of Inputs
struct ScenarioOptions {
  Scenario scenario;
  std::string secret_file;
  std::string keep;
  std::string broken;
  std::optional<unsigned> timeout;
  ShowSecret show = ShowSecret::no;
  Form form = Form::text;
};

/// add_named_option adds a flag whose values are names, and says which there are when another one is given.
template <class T>
CLI::Option* add_named_option(CLI::App& command, const std::string& flag, T& into,
                              std::vector<std::pair<std::string, T>> names, const std::string& about) {
  std::string usual, all;
  for (const auto& [name, value] : names) {
    if (value == into) usual = name;
    all += (all.empty() ? "" : ", ") + name;
  }
  const auto take = [flag, &into, names = std::move(names), all](const std::string& text) {
    for (const auto& [name, value] : names) {
      if (name != text) continue;
      into = value;
      return;
    }
    throw CLI::ValidationError(flag + " " + text, "there is: " + all);
  };
  return command.add_option_function<std::string>(flag, take, about)->type_name("NAME")->default_str(usual);
}

/// add_scenario_options adds their flags; `lines` are the values of --transport, and `about_lines` its help.
void add_scenario_options(CLI::App& command, ScenarioOptions& into, const std::vector<LineType>& lines,
                          const std::string& about_lines);

/// complete does what the flags alone cannot: reads the secret, looks the break up. Returns the mistake in one line,
/// empty if there is none.
std::string complete(ScenarioOptions& options);

/// usage and could_not_run print an error of `attestbed COMMAND` and return the exit status that belongs to it.
int usage(const char* command, const std::string& what);
int could_not_run(const char* command, const launch::Failure& failure);

/// print_result writes the result to standard output, and what of --break and --fault was not met to standard
/// error; returns the
/// exit status.
int print_result(const char* command, const RunResult& result, const ScenarioOptions& options);

}  // namespace attestbed::tools
