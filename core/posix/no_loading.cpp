// SPDX-License-Identifier: Apache-2.0
// What a statically linked program must never do: load code, or look names up. OpenSSL's archive refers to these
// functions from parts that no such program uses (engines, provider modules, socket BIOs). The C library's own would
// come with the linker's warning that they load shared libraries at run time, whatever is linked statically. So the
// linker has every such reference come here (--wrap, attestbed_link_statically), where they fail by definition.
#include <dlfcn.h>
#include <netdb.h>

// NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the names are the linker's.
extern "C" {

void* __wrap_dlopen(const char*, int) {
  return nullptr;
}
void* __wrap_dlsym(void* __restrict, const char* __restrict) {
  return nullptr;
}
int __wrap_dlclose(void*) {
  return -1;
}
char* __wrap_dlerror() {
  static char text[] = "this program loads no code";
  return text;
}
int __wrap_dladdr(const void*, Dl_info*) {
  return 0;
}
int __wrap_getaddrinfo(const char*, const char*, const addrinfo*, addrinfo**) {
  return EAI_FAIL;
}
void __wrap_freeaddrinfo(addrinfo*) {}
const char* __wrap_gai_strerror(int) {
  return "this program looks no names up";
}
int __wrap_getnameinfo(const sockaddr*, socklen_t, char*, socklen_t, char*, socklen_t, int) {
  return EAI_FAIL;
}
hostent* __wrap_gethostbyname(const char*) {
  return nullptr;
}
servent* __wrap_getservbyname(const char*, const char*) {
  return nullptr;
}

}  // extern "C"
// NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)
