#include "core/cpu.h"

#include <algorithm>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

namespace gruworks {

#if defined(__x86_64__) || defined(__i386__)
static bool avx_vnni() {  // no name in __builtin_cpu_supports of older compilers
  unsigned a = 0, b, c, d;
  return __builtin_cpu_supports("avx2") && __get_cpuid_count(7, 1, &a, &b, &c, &d) && a >> 4 & 1;
}
#elif defined(__aarch64__)
static bool dot_products() {
#if defined(__linux__)
  return getauxval(AT_HWCAP) >> 20 & 1;  // HWCAP_ASIMDDP
#elif defined(__APPLE__)
  return true;  // in every processor of Apple's that runs macOS
#else
  return false;
#endif
}
#endif

std::vector<std::string> instruction_sets() {
  std::vector<std::string> found;
#if defined(__x86_64__) || defined(__i386__)
  // The builtin also checks that the operating system saves the wide registers (XGETBV).
  __builtin_cpu_init();
#define GRUWORKS_SUPPORTS(name) \
  if (__builtin_cpu_supports(name)) found.emplace_back(name)
  GRUWORKS_SUPPORTS("sse4.2");
  GRUWORKS_SUPPORTS("avx2");
  GRUWORKS_SUPPORTS("fma");
  if (avx_vnni()) found.emplace_back("avxvnni");
  GRUWORKS_SUPPORTS("avx512f");
  GRUWORKS_SUPPORTS("avx512bw");
  GRUWORKS_SUPPORTS("avx512dq");
  GRUWORKS_SUPPORTS("avx512vl");
  GRUWORKS_SUPPORTS("avx512vnni");
#elif defined(__aarch64__)
  found.emplace_back("neon");  // part of the base architecture
  if (dot_products()) found.emplace_back("dotprod");
#endif
  return found;
}

bool supports(const char* instruction_set) {
  static const std::vector<std::string> sets = instruction_sets();
  return std::find(sets.begin(), sets.end(), instruction_set) != sets.end();
}

}  // namespace gruworks
