#include "core/cpu.h"

namespace gruworks {

std::vector<std::string> instruction_sets() {
  std::vector<std::string> found;
#if defined(__x86_64__) || defined(__i386__)
  // The builtin also checks that the operating system saves the wide registers (XGETBV).
  __builtin_cpu_init();
  if (__builtin_cpu_supports("sse4.2")) found.emplace_back("sse4.2");
  if (__builtin_cpu_supports("avx2")) found.emplace_back("avx2");
  if (__builtin_cpu_supports("fma")) found.emplace_back("fma");
  if (__builtin_cpu_supports("avx512f")) found.emplace_back("avx512f");
  if (__builtin_cpu_supports("avx512vnni")) found.emplace_back("avx512vnni");
  if (__builtin_cpu_supports("avx512bf16")) found.emplace_back("avx512bf16");
#elif defined(__aarch64__)
  found.emplace_back("neon");  // part of the base architecture
#endif
  return found;
}

}  // namespace gruworks
