// SPDX-License-Identifier: Apache-2.0
// Does attest() allocate? malloc and its family are interposed for the whole process, so calls from every library are
// seen; operator new of libstdc++ arrives there too. Counted are calls of the thread that is in attest() and not in
// GuestRequestPort::call, apart by who called: code of libcrypto (told by the return address; one that jumps to malloc
// on behalf of its own caller counts as the caller), or anybody else. The most of several attempts counts: every way
// through attest(), each by a guest that makes its first and its second; the first of all is the process's first.
#include <link.h>

#include <openssl/evp.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <string_view>

#include "bench/guest.h"
#include "bench/interleaved.h"

// glibc's own names of what we interpose.
extern "C" {
void* __libc_malloc(std::size_t size);                           // NOLINT(bugprone-reserved-identifier)
void* __libc_calloc(std::size_t count, std::size_t size);        // NOLINT(bugprone-reserved-identifier)
void* __libc_realloc(void* old, std::size_t size);               // NOLINT(bugprone-reserved-identifier)
void* __libc_memalign(std::size_t alignment, std::size_t size);  // NOLINT(bugprone-reserved-identifier)
}

namespace attestbed::bench {
namespace {

struct Range {
  std::uintptr_t from = 0, to = 0;
  bool holds(const void* address) const {
    const auto at = reinterpret_cast<std::uintptr_t>(address);
    return at >= from && at < to;
  }
};
Range libcrypto;

int find_libcrypto(dl_phdr_info* object, std::size_t, void*) {
  if (std::string_view(object->dlpi_name).find("libcrypto.so") == std::string_view::npos) return 0;
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const auto& header = object->dlpi_phdr[i];
    if (header.p_type != PT_LOAD || (header.p_flags & PF_X) == 0) continue;
    libcrypto = {object->dlpi_addr + header.p_vaddr, object->dlpi_addr + header.p_vaddr + header.p_memsz};
  }
  return 1;
}

thread_local bool counting = false;
thread_local std::size_t by_libcrypto = 0, by_others = 0;

void count(const void* caller) {
  if (!counting) return;
  ++(libcrypto.holds(caller) ? by_libcrypto : by_others);
}

}  // namespace
}  // namespace attestbed::bench

extern "C" {

[[gnu::noinline]] void* malloc(std::size_t size) {
  attestbed::bench::count(__builtin_return_address(0));
  return __libc_malloc(size);
}
[[gnu::noinline]] void* calloc(std::size_t number, std::size_t size) {
  attestbed::bench::count(__builtin_return_address(0));
  return __libc_calloc(number, size);
}
[[gnu::noinline]] void* realloc(void* old, std::size_t size) {
  attestbed::bench::count(__builtin_return_address(0));
  return __libc_realloc(old, size);
}
[[gnu::noinline]] void* memalign(std::size_t alignment, std::size_t size) {
  attestbed::bench::count(__builtin_return_address(0));
  return __libc_memalign(alignment, size);
}
[[gnu::noinline]] void* aligned_alloc(std::size_t alignment, std::size_t size) {
  attestbed::bench::count(__builtin_return_address(0));
  return __libc_memalign(alignment, size);
}
[[gnu::noinline]] int posix_memalign(void** into, std::size_t alignment, std::size_t size) {
  attestbed::bench::count(__builtin_return_address(0));
  *into = __libc_memalign(alignment, size);
  return *into == nullptr ? ENOMEM : 0;
}

}  // extern "C"

namespace attestbed::bench {
namespace {

// So that a zero is believed: the same counters see an allocation of ours and one of libcrypto's.
bool counters_work() {
  by_others = by_libcrypto = 0;
  counting = true;
  benchmark::DoNotOptimize(std::make_unique<int>(1));
  EVP_MD_CTX_free(EVP_MD_CTX_new());
  counting = false;
  return by_others == 1 && by_libcrypto == 1;
}

void target_allocations(benchmark::State& state) {
  dl_iterate_phdr(find_libcrypto, nullptr);
  if (!counters_work()) return state.SkipWithError("the counters see nothing");
  for (auto _ : state) {
    std::size_t most = 0;
    std::string label = "calls in a guest's first and second attempt: ";
    for (const Way& way : kWays) {
      Guest guest([] { counting = false; }, [] { counting = true; });
      RehearsedHost host(way.line, negotiation_response(way), aproxy_case().attestation_response);
      AttestConfig config{.secret_auth = SecretAuth::none};
      config.terms = terms_of(way);
      config.line = way.line;
      if (!guest.launch()) return state.SkipWithError("no guest");
      label += way.name();
      for (int i = 0; i < 2; ++i) {
        by_others = by_libcrypto = 0;
        counting = true;
        const bool released = guest.releases(host, config);
        counting = false;
        if (!released) return state.SkipWithError("nothing released");
        most = std::max(most, by_others);
        label +=
            (i == 0 ? " " : " and ") + std::to_string(by_others) + " (libcrypto " + std::to_string(by_libcrypto) + ")";
      }
      label += "; ";
    }
    state.counters["guest.allocations"] = static_cast<double>(most);
    state.SetLabel(label.substr(0, label.size() - 2));
  }
}
BENCHMARK(target_allocations)->Name("target/guest.allocations")->Iterations(1);

}  // namespace
}  // namespace attestbed::bench
