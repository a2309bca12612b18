// SPDX-License-Identifier: Apache-2.0
#include "tools/attestbed/run_testbed.h"

#include <algorithm>

#include "core/snp/report.h"
#include "tools/attestbed/subcommands.h"
#include "tools/launch/siblings.h"

namespace attestbed::tools {

using launch::Outcome;

namespace {

constexpr std::size_t kMaxSecretBytes = 64 * 1024;

}  // namespace

Testbed::Testbed(Scenario scenario, launch::ScratchDir scratch, Clock& clock, int stop_fd)
    : scenario_(std::move(scenario)),
      clock_(clock),
      parts_(std::move(scratch), clock, stop_fd),
      lines_(scenario_.line, scenario_.inputs.tamper, scenario_.guests) {}

Outcome<void> Testbed::start_machine() {
  const Inputs& inputs = scenario_.inputs;
  TRY(parts_.make_certificates(scenario_.product));
  measurement_ = TRY(parts_.start_firmware(inputs, {"--image", inputs.launched_image}));
  if (inputs.launched_image != std::string_view(inputs.registered_image)) {
    const std::string digest =
        TRY(parts_.simulate("snp-sim measurement", {"measurement", "--image", inputs.registered_image}));
    measurement_ = digest.substr(0, digest.find('\n'));
  }
  return {};
}

Outcome<void> Testbed::start() {
  TRY(start_machine());
  TRY(parts_.start_broker(scenario_, measurement_));
  TRY(lines_.prepare(parts_.scratch()));
  const pid_t proxy = TRY(parts_.start_proxy(scenario_, lines_.proxy_flags()));
  return lines_.connect(proxy, clock_, clock_.now() + scenario_.inputs.guest_timeout + 2 * kPatience);
}

std::string Testbed::guest_file(std::string_view stem, unsigned guest, std::string_view extension) const {
  std::string name(stem);
  if (scenario_.guests > 1) {
    const std::string number = std::to_string(guest + 1);
    name += "-" + std::string(3 - number.size(), '0') + number;
  }
  return name += extension;
}

Outcome<launch::Child*> Testbed::start_guest(unsigned guest) {
  const bool on_uart = scenario_.line == LineType::uart;
  std::string program = TRY(launch::sibling_program(on_uart ? "attestbed" : "attest-guest"));
  std::vector<std::string> args;
  if (on_uart) {
    args = {kUartGuestCommand, "--firmware", parts_.firmware_socket()};
  } else {
    args = {"--firmware", "unix:" + parts_.firmware_socket(), "--secret-auth", "none", "--json"};
  }
  std::ranges::move(lines_.guest_flags(guest), std::back_inserter(args));
  args.insert(args.end(),
              {"--resource", scenario_.resource, "--timeout", std::to_string(scenario_.inputs.guest_timeout.count()),
               "--vmpl", std::to_string(scenario_.inputs.vmpl), "--out", parts_.file(guest_file("released", guest)),
               "--report", parts_.file(guest_file("report", guest, ".bin"))});
  if (scenario_.binding != protocol::Binding::svsm_sha512) {
    args.insert(args.end(), {"--binding", binding_name(scenario_.binding), "--key", key_type_name(scenario_.key)});
  }
  return parts_.children().start(
      {.name = guest_file("attest-guest", guest), .program = std::move(program), .args = std::move(args)});
}

Outcome<std::vector<GuestOutput>> Testbed::run_guests(const std::function<void(const GuestsSoFar&)>& tell) {
  const Instant begin = clock_.now();
  for (unsigned i = 0; i < scenario_.guests; ++i) {
    launch::Child* guest = TRY(start_guest(i));
    guests_.push_back(guest);
  }
  const auto ended_now = [&](std::size_t count) {
    tell({.ended = count, .words = guests_.size() == 1 ? std::string_view(guests_[0]->err().text()) : ""});
  };
  const Outcome<void> ended =
      parts_.children().wait_all(guests_, clock_.now() + scenario_.inputs.guest_timeout + kPatience, ended_now);
  if (!ended && ended.error().stopped) return ended.error();
  guests_took_ = clock_.now() - begin;

  std::vector<GuestOutput> outputs;
  for (unsigned i = 0; i < scenario_.guests; ++i) {
    launch::Child& guest = *guests_[i];
    const launch::Exit exit = parts_.children().end(guest, std::chrono::seconds(1));
    outputs.push_back({.exit = exit,
                       .result = guest.out().text(),
                       .words = guest.err().text(),
                       .secret = read_if_there(parts_.file(guest_file("released", i)), kMaxSecretBytes),
                       .report = read_if_there(parts_.file(guest_file("report", i, ".bin")), snp::kReportBytes),
                       .peer = lines_.peer(i, guest.pid())});
  }
  return outputs;
}

void Testbed::stop() {
  lines_.stop();
  parts_.stop();
}

std::string Testbed::log(std::string_view program) const {
  return program == "relay" ? lines_.relay_log() : parts_.log(program);
}

Outcome<void> Testbed::keep_in(const std::string& folder) const {
  TRY(parts_.keep_in(folder));
  for (unsigned i = 0; i < scenario_.guests; ++i) {
    const std::string name = guest_file("report", i, ".bin");
    if (const auto report = read_if_there(parts_.file(name), snp::kReportBytes)) {
      TRY(keep_file(folder, name, *report));
    }
  }
  if (const std::string relay = log("relay"); !relay.empty()) TRY(keep_file(folder, "relay.log", relay));
  return {};
}

}  // namespace attestbed::tools
