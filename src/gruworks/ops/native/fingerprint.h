// A 64-bit hash of memory at the speed of reading it: how packed weights know that their source has changed, whoever
// wrote to it and by whatever way (an optimiser, `.data`, a NumPy view).
#pragma once

#include "simd.h"

namespace gruworks::GRUWORKS_ISA {

typedef uint64_t Words __attribute__((vector_size(kBytes)));
typedef uint64_t LooseWords __attribute__((vector_size(kBytes), aligned(1), may_alias));

inline uint64_t mixed(uint64_t a) {
  a = (a ^ (a >> 32)) * 0xd6e8feb86659fd93u;
  return a ^ (a >> 29);
}

inline uint64_t fingerprint(const void* data, long bytes) {
  const char* p = static_cast<const char*>(data);
  Words sums[4] = {};
  for (; bytes >= 4 * kBytes; bytes -= 4 * kBytes)
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i, p += kBytes) {
      sums[i] += *reinterpret_cast<const LooseWords*>(p);
      sums[i] = (sums[i] << 13 | sums[i] >> 51) + 0x9e3779b97f4a7c15u;
    }
  uint64_t hash = 0, word = 0;
  for (int i = 0; i < 4; ++i)
    for (unsigned j = 0; j < sizeof(Words) / 8; ++j) hash = mixed(hash + sums[i][j]);
  for (; bytes > 0; bytes -= 8, p += 8) {
    word = 0;
    memcpy(&word, p, bytes < 8 ? bytes : 8);
    hash = mixed(hash + word + 1);
  }
  return hash;
}

}  // namespace gruworks::GRUWORKS_ISA
