// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cerrno>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "guest/tsm_tree.h"
#include "sim/make_report.h"
#include "sim/manual_clock.h"
#include "sim/seeded_entropy.h"

// For tests: the kernel's configfs-tsm as its source (report.c, sev-guest.c) describes it, over simulated firmware.
namespace attestbed::guest {

/// FakeTsmTree makes real reports, counts accepted writes, and lets a test be somebody else or break one thing.
class FakeTsmTree final : public TsmTree {
 public:
  struct Item {
    std::vector<std::uint8_t> inblob;
    std::uint32_t privlevel = 0;
    std::uint64_t generation = 0;
  };

  explicit FakeTsmTree(sim::ManualClock& clock) : clock_(clock) {}

  int make(const std::string& entry) override {
    if (make_error != 0) return make_error;
    if (items.contains(entry)) return EEXIST;
    items[entry] = {};
    ++made;
    return 0;
  }
  int remove(const std::string& entry) override {
    ++removed;
    return items.erase(entry) == 1 ? 0 : ENOENT;
  }

  int write(const std::string& entry, const char* attribute, Bytes octets) override {
    if (!items.contains(entry)) return ENOENT;
    Item& item = items[entry];
    const std::string name = attribute;
    if (const auto error = write_errors.find(name); error != write_errors.end()) return error->second;
    if (name == "inblob") {
      if (octets.size() > 64) return EFBIG;
      if (drops_inblob) return 0;  // as the kernel does with what a close returns
      item.inblob.assign(octets.begin(), octets.end());
    } else if (name == "privlevel") {
      const std::string text(octets.begin(), octets.end());
      const unsigned long level = std::stoul(text);
      if (level < std::stoul(floor) || level > 3) return EINVAL;
      item.privlevel = static_cast<std::uint32_t>(level);
    } else {
      return EACCES;
    }
    ++item.generation;
    after_write(name, item);
    return 0;
  }

  int read(const std::string& entry, const char* attribute, MutBytes into, std::size_t& got) override {
    got = 0;
    if (!items.contains(entry)) return ENOENT;
    Item& item = items[entry];
    const std::string name = attribute;
    ++reads[name];
    if (name == "outblob") clock_.advance(takes);
    if (const auto error = read_errors.find(name); error != read_errors.end()) {
      const int code = error->second;
      if (code == EINTR) read_errors.erase(error);
      return code;
    }
    if (name == "provider") return give(provider + "\n", into, got);
    if (name == "privlevel_floor") return give(floor + "\n", into, got);
    if (name == "generation") return give(generation ? *generation : std::to_string(item.generation) + "\n", into, got);
    if (name == "auxblob") return give(std::string(certs.begin(), certs.end()), into, got);
    if (name != "outblob") return ENOENT;
    if (item.inblob.size() != 64) return EINVAL;
    const std::vector<std::uint8_t> report = report_for(item);
    const int error = give(std::string(report.begin(), report.end()), into, got);
    after_read(item);
    return error;
  }

  std::map<std::string, Item> items;
  std::map<std::string, int> write_errors, read_errors, reads;
  int make_error = 0, made = 0, removed = 0;
  std::string provider = "sev_guest", floor = "0";
  std::optional<std::string> generation;
  std::vector<std::uint8_t> certs;
  bool drops_inblob = false;
  std::chrono::nanoseconds takes{0};
  std::function<void(const std::string&, Item&)> after_write = [](auto&, auto&) {};
  std::function<void(Item&)> after_read = [](auto&) {};
  std::function<void(std::vector<std::uint8_t>&)> change = [](auto&) {};

 private:
  static int give(const std::string& octets, MutBytes into, std::size_t& got) {
    if (octets.size() > into.size()) return EFBIG;
    std::memcpy(into.data(), octets.data(), octets.size());
    got = octets.size();
    return 0;
  }
  std::vector<std::uint8_t> report_for(const Item& item) {
    static const sim::Machine machine = sim::Machine::of(std::make_shared<const sim::CertificateAuthority>(
        *sim::CertificateAuthority::of_default_seed(snp::Product::milan)));
    static const sim::GuestContext context = [] {
      sim::SeededEntropy entropy(1, "tsm tree");
      auto launch = sim::Launch::start(machine, sim::kDefaultPolicy, entropy);
      if (!launch || !launch->update({sim::PageType::zero, 0x1000, {}, {}})) throw std::runtime_error("launch");
      return (*std::move(launch)).finish(sim::HostData{1});
    }();
    snp::ReportData report_data;
    std::memcpy(report_data.data(), item.inblob.data(), report_data.size());
    const auto report = sim::make_report(machine, context, {.vmpl = item.privlevel, .report_data = report_data});
    const Bytes octets = snp::octets_of(*report);
    std::vector<std::uint8_t> out(octets.begin(), octets.end());
    change(out);
    return out;
  }

  sim::ManualClock& clock_;
};

}  // namespace attestbed::guest
