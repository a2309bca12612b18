// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <toml++/toml.h>

#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "mock-kbs/options.h"

// Reading a configuration file: where a node stands, and values of one type with one kind of message.
namespace attestbed::kbs {

/// Source is one file being read: where a node stands, and what to say about it.
struct Source {
  std::string path;
  std::filesystem::path folder;

  std::string place(const toml::node& node) const { return path + ":" + std::to_string(node.source().begin.line); }
  std::string at(const toml::node& node, const std::string& key) const { return place(node) + ": " + key; }
  Refusal wrong(const toml::node& node, const std::string& key, std::string expected, std::string found) const {
    return {Errc::bad_config, at(node, key), std::move(expected), std::move(found)};
  }
  std::string file(const std::string& name) const {
    // A name that is no path stands for itself: `amd` is the roots that ship with the program.
    return name == "amd" ? name : (folder / name).lexically_normal().string();
  }
};

inline std::string kind_of(const toml::node& node) {
  std::ostringstream text;
  text << node.type();
  return text.str();
}

inline Checked<std::string> text_at(const Source& source, const toml::node& node, const std::string& key) {
  const auto* text = node.as_string();
  if (text == nullptr) return source.wrong(node, key, "a string", kind_of(node));
  return text->get();
}

inline Checked<bool> flag_at(const Source& source, const toml::node& node, const std::string& key) {
  const auto* flag = node.as_boolean();
  if (flag == nullptr) return source.wrong(node, key, "true or false", kind_of(node));
  return flag->get();
}

inline Checked<std::uint32_t> number_at(const Source& source, const toml::node& node, const std::string& key) {
  constexpr std::int64_t kMost = 1'000'000;
  const auto* number = node.as_integer();
  const std::string expected = "an integer from 1 to " + std::to_string(kMost);
  if (number == nullptr) return source.wrong(node, key, expected, kind_of(node));
  if (number->get() < 1 || number->get() > kMost)
    return source.wrong(node, key, expected, std::to_string(number->get()));
  return static_cast<std::uint32_t>(number->get());
}

/// texts_at: a list of strings may also be written as one string.
inline Checked<std::vector<std::string>> texts_at(const Source& source, const toml::node& node,
                                                  const std::string& key) {
  std::vector<std::string> texts;
  if (const auto* list = node.as_array()) {
    for (const toml::node& item : *list) texts.push_back(TRY(text_at(source, item, key)));
  } else {
    texts.push_back(TRY(text_at(source, node, key)));
  }
  return texts;
}

inline Checked<std::vector<std::string>> files_at(const Source& source, const toml::node& node,
                                                  const std::string& key) {
  std::vector<std::string> files = TRY(texts_at(source, node, key));
  for (std::string& file : files) file = source.file(file);
  return files;
}

/// read_policy_table reads [policy]; read_broker_key one of the top-level keys about nonces, appraisal and shared
/// resources. Errors: bad_config. read_broker_key is false if `name` is none of them.
Checked<void> read_policy_table(const Source& source, const toml::node& node, Options& options);
Checked<bool> read_broker_key(const Source& source, const std::string& name, const toml::node& node, Options& options);

/// read_tcb reads {bootloader, tee, snp, microcode, fmc}, each 0 to 255 and 0 if absent.
Checked<snp::Tcb> read_tcb(const Source& source, const toml::node& node, const std::string& key);

}  // namespace attestbed::kbs
