// Random masks of 0 or a value by a counter-based generator, independent of the number of threads.
#pragma once

#include "core/simd.h"

namespace gruworks::GRUWORKS_ISA {

// Wellons's "lowbias32" (public domain), the least biased of the hashes of two multiplications that he searched.
inline uint32_t scrambled(uint32_t x) {
  x = (x ^ (x >> 16)) * 0x7feb352du;
  x = (x ^ (x >> 15)) * 0x846ca68bu;
  return x ^ (x >> 16);
}
// Steele, Lea and Flood 2014, SplitMix64's finalizer: similar seeds give uncorrelated streams.
inline uint64_t spread_out(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

template <class T> void chance(T* to, Index n, double share, T value, uint64_t seed) {
  const uint64_t key = spread_out(seed);
  const uint32_t low = static_cast<uint32_t>(key), high = static_cast<uint32_t>(key >> 32);
  const uint32_t limit = static_cast<uint32_t>(share * 4294967295.0 + 0.5);
  for (uint32_t i = 0; i < static_cast<uint32_t>(n); ++i)
    to[i] = scrambled(scrambled(i + low) ^ high) < limit ? value : T(0);
}

}  // namespace gruworks::GRUWORKS_ISA
