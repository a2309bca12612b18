// SPDX-License-Identifier: Apache-2.0
#include "guest/init/words.h"

#include <algorithm>
#include <array>

#include "guest/init/word_values.h"

namespace attestbed::guest {
namespace {

/// Word is one `attest.*` word: what reads its value, and the form that a value must have.
struct Word {
  std::string_view name;
  bool (*read)(std::string_view value, Words& into);
  const char* form;
};

constexpr Word kWords[] = {
    {"attest.transport", read_transport, "com3, serial:DEVICE, uart:PORT, virtio-serial[:NAME] or vsock[:CID:PORT]"},
    {"attest.firmware", read_firmware, "auto, sev-guest[:DEVICE], tsm[:DIRECTORY], simulated or simulated-inside"},
    {"attest.binding", read_binding, "svsm-sha512 or kbs-sha384"},
    {"attest.key", read_key, "P-521, P-256 or RSA-3072"},
    {"attest.resource", read_resource, "three parts of A-Z a-z 0-9 _ - . with '/' between them"},
    {"attest.secret_auth", read_secret_auth, "none, chosen by name: nothing proves yet who sent the secret"},
    {"attest.timeout", read_timeout, "a number of seconds, 1 to 86400"},
    {"attest.vmpl", read_vmpl, "a number, 0 to 3"},
    {"attest.secret", read_secret, "drop, file:PATH, fifo:PATH, key:NAME or port:NAME; paths begin with /"},
    {"attest.next", read_next, "poweroff, exec:PATH or switch_root:DIRECTORY:INIT; paths begin with /"},
    {"attest.debug_exit", read_debug_exit, "an I/O port, 0x1 to 0xffff"},
};

Failure refuse(const char* where, std::string text, std::string remedy) {
  return {{Errc::bad_config, where}, std::move(text), std::move(remedy)};
}

std::string known_words() {
  std::string text;
  for (const Word& word : kWords) text += (text.empty() ? "" : " ") + std::string(word.name);
  return text;
}

/// Reading is the pass over one of the two texts.
class Reading {
 public:
  Reading(const char* source, ParsedWords& into) : source_(source), into_(into) {}

  void word(std::string_view text) {
    const std::size_t equals = text.find('=');
    const std::string_view name = text.substr(0, equals);
    const auto* const known = std::ranges::find(kWords, name, &Word::name);
    if (known == std::end(kWords)) {
      return fail("unknown word '" + printable(name) + "'", "these are known: " + known_words());
    }
    if (equals == std::string_view::npos) return fail(std::string(name) + " has no value", form_of(*known));
    bool& seen = seen_[static_cast<std::size_t>(known - std::begin(kWords))];
    if (seen) return fail(std::string(name) + " is there twice", "say it once: which one is meant cannot be known");
    seen = true;
    const std::string_view value = text.substr(equals + 1);
    if (!known->read(value, into_.words)) {
      fail(std::string(name) + " has no value '" + printable(value) + "'", form_of(*known));
    }
  }

  void fail(std::string text, std::string remedy) {
    if (into_.failure) return;
    into_.failure = refuse(source_, std::string(source_) + ": " + std::move(text), std::move(remedy));
  }

 private:
  static std::string form_of(const Word& word) { return std::string(word.name) + "= takes " + word.form; }

  const char* source_;
  ParsedWords& into_;
  std::array<bool, std::size(kWords)> seen_{};
};

constexpr std::string_view kSpace = " \t\n\r\v\f";

// The next word of `text` between white space, which is taken off; empty at the end.
std::string_view next_word(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
  const std::string_view word = text.substr(0, text.find_first_of(kSpace));
  text.remove_prefix(word.size());
  return word;
}

void read_file(std::string_view text, Reading& reading) {
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    line = line.substr(0, line.find('#'));
    const std::string_view word = next_word(line);
    if (word.empty()) continue;
    if (const std::string_view more = next_word(line); !more.empty()) {
      reading.fail("'" + printable(more) + "' follows a word", "one word a line");
    }
    reading.word(word);
  }
}

void read_command_line(std::string_view text, Reading& reading) {
  constexpr std::string_view kOurs = "attest.";
  for (std::string_view word = next_word(text); !word.empty(); word = next_word(text)) {
    if (word.starts_with(kOurs)) reading.word(word);
  }
}

// The parts of `path` after the folder, empty if it is not below.
std::string_view below(std::string_view path, std::string_view folder) {
  while (folder.ends_with('/')) folder.remove_suffix(1);
  if (!path.starts_with(folder)) return {};
  path.remove_prefix(folder.size());
  if (!path.starts_with('/')) return {};
  return path.substr(std::min(path.find_first_not_of('/'), path.size()));
}

// Whether a secret's place is there after a switch_root: what lies in the initramfs is removed, and what lies in the
// next root under a folder that moves there is hidden by it. A path with `.` or `..` is taken for neither.
bool survives(const SecretWord& secret, std::string_view root) {
  if (secret.type != SecretWord::Type::file && secret.type != SecretWord::Type::fifo) return true;
  constexpr std::string_view kHidden[] = {"dev", "proc", "sys", "run"};
  const std::string_view place = secret.place;
  for (const std::string_view part : {"/./", "/../"}) {
    if (place.find(part) != std::string_view::npos) return false;
  }
  if (!below(place, "/run").empty()) return true;
  const std::string_view in_root = below(place, root);
  return !in_root.empty() && std::ranges::find(kHidden, in_root.substr(0, in_root.find('/'))) == std::end(kHidden);
}

std::optional<Failure> together(const Words& words) {
  if (!words.secret_auth_none) {
    return refuse("attest.secret_auth", "attest.secret_auth is missing",
                  "say attest.secret_auth=none, since nothing proves yet who sent the secret");
  }
  if (!protocol::check_pair(words.terms.binding, words.terms.key)) {
    return refuse("attest.binding", "attest.binding and attest.key do not go together",
                  "the pairs are svsm-sha512 with P-521, kbs-sha384 with P-521, P-256 or RSA-3072");
  }
  // What is in memory alone, and gone with the power.
  const bool lost = words.secret.type == SecretWord::Type::fifo || words.secret.type == SecretWord::Type::key;
  if (lost && words.next.type == NextWord::Type::poweroff) {
    const std::string kind = words.secret.type == SecretWord::Type::fifo ? "fifo" : "key";
    return refuse("attest.secret",
                  "attest.secret=" + kind + ": and attest.next=poweroff leave nobody to read the secret",
                  "name the program that reads it: attest.next=exec:PATH or switch_root:DIRECTORY:INIT");
  }
  if (words.next.type == NextWord::Type::switch_root && !survives(words.secret, words.next.root)) {
    return refuse("attest.secret",
                  "attest.secret: attest.next=switch_root removes or hides " + printable(words.secret.place),
                  "name a path below /run, which moves into the next root, or below " + printable(words.next.root) +
                      " and there not in dev, proc, sys or run");
  }
  const bool same_port = words.secret.type == SecretWord::Type::port &&
                         words.line.type == LineWord::Type::virtio_port && words.secret.place == words.line.place;
  if (same_port) {
    return refuse("attest.secret", "attest.secret=port: names the line to the proxy",
                  "give the secret a virtio port of its own");
  }
  return std::nullopt;
}

}  // namespace

ParsedWords parse_words(std::string_view file, std::string_view command_line) {
  ParsedWords parsed;
  Reading conf("guest.conf", parsed), kernel("kernel command line", parsed);
  for (auto [text, reading] : {std::pair{&file, &conf}, std::pair{&command_line, &kernel}}) {
    if (text->size() <= kMaxWordsBytes) continue;
    reading->fail("is longer than 16384 octets", "shorten it: no configuration needs that much");
    *text = {};
  }
  read_file(file, conf);
  read_command_line(command_line, kernel);
  if (!parsed.failure) parsed.failure = together(parsed.words);
  return parsed;
}

std::string words_text(const Words& words) {
  std::string text;
  const auto say = [&text](const char* name, const std::string& value) {
    text += "attest." + std::string(name) + "=" + value + "\n";
  };
  say("transport", transport_text(words.line));
  say("firmware", firmware_text(words.firmware));
  say("binding", protocol::binding_name(words.terms.binding));
  say("key", protocol::key_type_name(words.terms.key));
  say("resource", std::string(words.terms.resource.text()));
  if (words.secret_auth_none) say("secret_auth", "none");
  say("timeout", std::to_string(words.timeout.count()));
  say("vmpl", std::to_string(words.vmpl));
  say("secret", secret_text(words.secret));
  say("next", next_text(words.next));
  if (words.debug_exit) say("debug_exit", port_text(*words.debug_exit));
  return text;
}

}  // namespace attestbed::guest
