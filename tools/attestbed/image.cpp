// SPDX-License-Identifier: Apache-2.0
#include "guest/image/image.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/posix/describe.h"
#include "tools/attestbed/exit_code.h"
#include "tools/attestbed/image_defaults.h"
#include "tools/attestbed/subcommands.h"
#include "tools/launch/siblings.h"

namespace attestbed::tools {
namespace {

namespace fs = std::filesystem;
using guest::Failure;
using guest::Outcome;
using nlohmann::ordered_json;

constexpr char kFooter[] =
    "The same files give the same octets, so that the launch digest can be computed before (attestbed measure).\n"
    "Examples:\n"
    "  attestbed image --out image\n"
    "  attestbed image --kernel kernel-package/ --no-simulation --config guest.conf --out image\n"
    "  attestbed image --add snpguest=/bin/snpguest --out image\n"
    "Exit codes: 0 made; 2 usage, or a file that is not what it must be; 3 no kernel, or a file that cannot be read.\n";

struct Options {
  std::string kernel, guest, device, config, out;
  bool no_simulation = false, json = false;
  std::vector<std::string> added;
};

Outcome<std::string> sibling(const std::string& named, const char* name) {
  if (!named.empty()) return named;
  launch::Outcome<std::string> path = launch::sibling_program(name);
  if (path) return *std::move(path);
  return Failure{{Errc::io_failed, name}, path.error().text(), "or name it with an option"};
}

Outcome<guest::ImageRequest> request_of(const Options& options) {
  guest::ImageRequest request;
  request.kernel = options.kernel;
  if (request.kernel.empty()) request.kernel = TRY(default_kernel());
  request.guest = TRY(sibling(options.guest, "attest-guest"));
  if (!options.no_simulation) request.device = TRY(sibling(options.device, "snp-sim-device"));
  request.config = options.config;
  for (const std::string& text : options.added) {
    const std::optional<guest::AddedFile> added = parse_added(text);
    if (!added) {
      return Failure{
          {Errc::bad_config, "--add"}, "--add '" + text + "' is not HOST=GUEST", "write --add tool=/bin/tool"};
    }
    request.added.push_back(*added);
  }
  return request;
}

Outcome<void> write(const std::string& path, const std::string& octets) {
  const Status written = posix::replace_file_private(path, bytes_of(octets));
  if (!written) return guest::failure_at(path, written.error());
  return {};
}

Outcome<guest::Image> make(const Options& options) {
  const guest::ImageRequest request = TRY(request_of(options));
  guest::Image image = TRY(guest::build_image(request));
  std::error_code failed;
  fs::create_directories(options.out, failed);
  if (failed) {
    return guest::failure_at(options.out, {Errc::io_failed, "mkdir", static_cast<std::uint64_t>(failed.value())});
  }
  TRY(write(options.out + "/" + kImageKernel, image.kernel));
  TRY(write(options.out + "/" + kImageInitramfs, image.initramfs));
  return image;
}

ordered_json json_of(const guest::Image& image, const Options& options) {
  ordered_json inputs = ordered_json::array();
  for (const guest::ImageInput& input : image.inputs) {
    inputs.push_back({{"role", input.role}, {"path", input.path}, {"octets", input.octets}, {"sha256", input.sha256}});
  }
  const auto file = [&](const char* name, const std::string& octets, const std::string& digest) {
    return ordered_json{{"path", options.out + "/" + name}, {"octets", octets.size()}, {"sha256", digest}};
  };
  ordered_json initramfs = file(kImageInitramfs, image.initramfs, image.initramfs_sha256);
  initramfs["unpacked"] = image.unpacked;
  return {{"release", image.release.empty() ? ordered_json() : ordered_json(image.release)},
          {"kernel", file(kImageKernel, image.kernel, image.kernel_sha256)},
          {"initramfs", initramfs},
          {"inputs", inputs},
          {"lacking", image.lacking}};
}

void print_text(const guest::Image& image, const Options& options) {
  const auto line = [](const std::string& what, std::size_t octets, const std::string& digest) {
    std::printf("%-42s %9zu  %s\n", what.c_str(), octets, digest.c_str());
  };
  for (const guest::ImageInput& input : image.inputs) line(input.role, input.octets, input.sha256);
  std::printf("\n");
  line(options.out + "/" + kImageKernel, image.kernel.size(), image.kernel_sha256);
  line(options.out + "/" + kImageInitramfs, image.initramfs.size(), image.initramfs_sha256);
  std::printf("in all %.1f MiB, kernel %s, initramfs unpacked %.1f MiB\n",
              static_cast<double>(image.kernel.size() + image.initramfs.size()) / 1048576.0,
              image.release.empty() ? "(a single file, without modules)" : image.release.c_str(),
              static_cast<double>(image.unpacked) / 1048576.0);
  for (const std::string& each : image.lacking) std::printf("without %s\n", each.c_str());
}

int image_command(const Options& options) {
  const Outcome<guest::Image> image = make(options);
  if (!image) {
    const Failure& failure = image.error();
    std::fprintf(stderr, "attestbed image: %s: %s; %s\n", error_name(failure.error.code), failure.text.c_str(),
                 failure.remedy.c_str());
    // Nothing is judged here: what is no kernel, module or program is a file of the user's own.
    const int code = exit_code_of(failure.error.code);
    return code == kExitRefused ? kExitUsage : code;
  }
  if (options.json) {
    std::printf("%s\n", json_of(*image, options).dump(2).c_str());
  } else {
    print_text(*image, options);
  }
  return kExitOk;
}

constexpr const char *kSimulationKernel = "kernel", *kSnpKernel = "kernel-snp";

fs::path build_folder() {
  std::error_code failed;
  // bin, the preset's folder, build
  return fs::read_symlink("/proc/self/exe", failed).parent_path().parent_path().parent_path();
}

// The file that fetch_kernel.sh leaves last.
bool is_fetched(const fs::path& kernel) {
  std::error_code failed;
  return fs::exists(kernel / "version", failed);
}

}  // namespace

guest::Outcome<std::string> default_kernel() {
  const fs::path build = build_folder();
  for (const char* const kernel : {kSimulationKernel, kSnpKernel}) {
    if (is_fetched(build / kernel)) return (build / kernel).string();
  }
  return Failure{
      {Errc::io_failed, "--kernel"},
      "there is no kernel that ./run kernel fetched (" + (build / kSimulationKernel / "version").string() + ")",
      "name a kernel, or an unpacked kernel package, with --kernel; in a build tree ./run kernel fetches one"};
}

std::vector<std::string> kernel_folders() {
  fs::path build = build_folder();
  if (!is_fetched(build / kSimulationKernel) && !is_fetched(build / kSnpKernel)) build = "build";
  return {build / kSimulationKernel, build / kSnpKernel};
}

std::optional<guest::AddedFile> parse_added(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) return std::nullopt;
  return guest::AddedFile{text.substr(0, equals), text.substr(equals + 1)};
}

void add_image(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("image", "Make kernel and initramfs of a guest whose PID 1 is attest-guest");
  command->add_option("--kernel", options->kernel, "A kernel, or an unpacked kernel package; by default build/kernel")
      ->type_name("FILE|DIR");
  command->add_option("--out", options->out, "Directory for bzImage and initramfs.zst")->required()->type_name("DIR");
  command->add_option("--guest", options->guest, "attest-guest, linked statically")->type_name("PROGRAM");
  CLI::Option* device =
      command->add_option("--sim-device", options->device, "snp-sim-device, linked statically")->type_name("PROGRAM");
  command->add_flag("--no-simulation", options->no_simulation, "Leave the simulated /dev/sev-guest out")
      ->excludes(device);
  command->add_option("--add", options->added, "Another file, and its path in the image; repeatable")
      ->type_name("HOST=GUEST")
      ->allow_extra_args(false);
  command->add_option("--config", options->config, "The guest's words, one a line (guest.conf)")->type_name("FILE");
  command->add_flag("--json", options->json, "One JSON object instead of text");
  command->footer(kFooter);
  command->callback([options, &exit_code] { exit_code = image_command(*options); });
}

}  // namespace attestbed::tools
