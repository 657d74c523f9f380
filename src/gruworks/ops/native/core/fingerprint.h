// Detection of changed weights: a 64-bit hash of memory near the speed of reading it.
//
// It detects changes by any writer (an optimizer, `.data`, a NumPy view, another process); the last three do not change
// the version counters of tensors.
//
// Each 64-bit lane is a chain. A word is combined with the state (t = state ^ word ^ constant), the halves of t are
// multiplied with each other, and t is added, so that a half that is 0 loses no information; the constant changes the
// state over zeros. A difference at one word is multiplied again at every later one: patterned writes (signs flipped in
// pairs, doublings, rows exchanged, blocks shifted) collide with probability 2^-64, 2^-32 in adjacent words of a lane.
#pragma once

#include "core/simd.h"

namespace gruworks::GRUWORKS_ISA {

typedef uint64_t Words __attribute__((vector_size(kBytes)));
typedef uint64_t LooseWords __attribute__((vector_size(kBytes), aligned(1), may_alias));

// Products of the lower halves.
GRUWORKS_INLINE Words half_products(Words a, Words b) {
#if defined(__AVX512F__)
  return (Words)_mm512_mul_epu32((__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
  return (Words)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#elif defined(__SSE2__)
  return (Words)_mm_mul_epu32((__m128i)a, (__m128i)b);
#else
  return (a & 0xffffffffu) * (b & 0xffffffffu);
#endif
}

GRUWORKS_INLINE Words chained(Words state, Words word) {
  const Words t = state ^ word ^ (Words{} + 0x9e3779b97f4a7c15u);
  return half_products(t, t >> 32) + t;
}

inline uint64_t mixed(uint64_t a) {
  a = (a ^ (a >> 32)) * 0xd6e8feb86659fd93u;
  return a ^ (a >> 29);
}

constexpr int kChains = 8;  // vectors: enough to hide the latency of a chain

// Initial states, different in each lane (splitmix64).
struct Beginnings {
  alignas(64) uint64_t words[kChains * kBytes / 8];
  constexpr Beginnings() : words() {
    uint64_t state = 0;
    for (uint64_t& word : words) {
      uint64_t a = state += 0x9e3779b97f4a7c15u;
      a = (a ^ (a >> 30)) * 0xbf58476d1ce4e5b9u;
      a = (a ^ (a >> 27)) * 0x94d049bb133111ebu;
      word = a ^ (a >> 31);
    }
  }
};
constexpr Beginnings kBeginnings;

inline uint64_t fingerprint(const void* data, Index bytes) {
  const char* p = static_cast<const char*>(data);
  uint64_t hash = mixed(static_cast<uint64_t>(bytes));
  Words chains[kChains], last = {};
  memcpy(chains, kBeginnings.words, sizeof(chains));
  for (; bytes >= static_cast<Index>(sizeof(chains)); bytes -= sizeof(chains))
GRUWORKS_UNROLL(8)
    for (int i = 0; i < kChains; ++i, p += kBytes)
      chains[i] = chained(chains[i], *reinterpret_cast<const LooseWords*>(p));
  int i = 0;
  for (; bytes >= kBytes; bytes -= kBytes, p += kBytes, ++i)
    chains[i] = chained(chains[i], *reinterpret_cast<const LooseWords*>(p));
  if (bytes > 0) memcpy(&last, p, static_cast<size_t>(bytes)), chains[i] = chained(chains[i], last);
  Words all = chains[0];
GRUWORKS_UNROLL(8)
  for (i = 1; i < kChains; ++i) all = chained(all, chains[i]);
  for (unsigned j = 0; j < sizeof(Words) / 8; ++j) hash = mixed(hash + all[j]);
  return hash;
}

}  // namespace gruworks::GRUWORKS_ISA
