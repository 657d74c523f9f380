// Products of quantized weights with a row: for each kind, conversion of the row, dot product, scaling to float.
//
// int8 products are summed in 32-bit integers, so every build has the same sums: VNNI takes the row as unsigned bytes
// (with an offset of 128, corrected by the packed row sums), Arm's dot products as signed ones, AVX2 and AVX-512 multiply
// pairs of 16 bits, other vectors one byte of a word at a time.
#pragma once

#include "quantised/narrow_layer.h"
#include "core/simd.h"

#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)
#define GRUWORKS_VNNI
#elif defined(__ARM_FEATURE_DOTPROD)
#include <arm_neon.h>
#endif

namespace gruworks::GRUWORKS_ISA {

using V = Vec<float>;
using B = typename VecOf<float>::Bits;
constexpr Index kL = kLanes<float>;

GRUWORKS_INLINE B words_at(const uint32_t* p) { return (B)load(reinterpret_cast<const float*>(p)); }

struct Float32 {
  using Sum = V;
  using Row = float;
  static constexpr Index kRowWord = 1;  // entries of Row for a word
  static GRUWORKS_INLINE float read(Row* to, const float* from, Index K) {
    for (Index k = 0; k < K; k += kL) store(to + k, load_part(from + k, K - k));
    return 1;
  }
  static GRUWORKS_INLINE void add(Sum& s, B w, const Row* row) { s += (V)w * row[0]; }
  static GRUWORKS_INLINE V value(Sum s, const float*, const int32_t*, float) { return s; }
};

struct BFloat16 : Float32 {
  static constexpr Index kRowWord = 2;
  static GRUWORKS_INLINE void add(Sum& s, B w, const Row* row) {
    s += (V)(w << 16) * row[0];
    s += (V)(w & (int32_t)0xffff0000) * row[1];
  }
};

// v / scale rounded to whole numbers, ties to even, as numpy.rint; the product is rounded before the sum.
GRUWORKS_INLINE B whole(V v, float inverse) {
  constexpr float magic = Traits<float>::kMagic;
  V scaled = v * inverse;
  in_order(scaled);
  return (B)(scaled + magic) - (B)all<float>(magic);
}

struct Int8 {
  using Sum = B;
  using Row = int32_t;
#if defined(GRUWORKS_VNNI) || defined(__ARM_FEATURE_DOTPROD)
  static constexpr Index kRowWord = 1;
#elif defined(__AVX2__)
  static constexpr Index kRowWord = 2;
#else
  static constexpr Index kRowWord = 4;
#endif

  // Symmetric int8 quantization of the row; its scale is the largest absolute value over 127, and NaN for a row with a
  // NaN or an infinity, which propagates to every product.
  static GRUWORKS_NOINLINE float read(Row* to, const float* from, Index K) {
    V most = {}, poison = {};
    for (Index k = 0; k < K; k += kL) {
      const V v = load_part(from + k, K - k), size = (V)((B)v & 0x7fffffff);
      most = size > most ? size : most;
      poison += v * 0.0f;
    }
    float top = 0, bad = 0;
    for (Index i = 0; i < kL; ++i) top = most[i] > top ? most[i] : top, bad += poison[i];
    const bool some = top > 1e-30f && bad == 0;
    const float inverse = some ? 127.0f / top : 0.0f;
    for (Index k = 0; k < K; k += kL) {
      const V v = load_part(from + k, K - k);
      put(to, k, some ? whole(v, inverse) : B{});
    }
    return bad == 0 ? (some ? top / 127.0f : 0.0f) : bad;
  }

  static GRUWORKS_INLINE void put(Row* to, Index k, B q) {
#if defined(GRUWORKS_VNNI) || defined(__ARM_FEATURE_DOTPROD)
#if defined(GRUWORKS_VNNI)
    q += 128;
#endif
    typedef int8_t Bytes __attribute__((vector_size(kL)));
    const Bytes bytes = __builtin_convertvector(q, Bytes);
    std::memcpy(reinterpret_cast<char*>(to) + k, &bytes, kL);
#elif defined(__AVX2__)
    int16_t* pairs = reinterpret_cast<int16_t*>(to);  // 0 2 1 3 of each four
    for (Index i = 0; i < kL; ++i) pairs[(k + i) / 4 * 4 + i % 2 * 2 + i % 4 / 2] = static_cast<int16_t>(q[i]);
#else
    for (Index i = 0; i < kL; ++i) to[k + i] = q[i];
#endif
  }

  static GRUWORKS_INLINE void add(Sum& s, B w, const Row* row) {
#if defined(__AVX512VNNI__)
    s = (B)_mm512_dpbusd_epi32((__m512i)s, _mm512_set1_epi32(row[0]), (__m512i)w);
#elif defined(__AVXVNNI__)
    s = (B)_mm256_dpbusd_avx_epi32((__m256i)s, _mm256_set1_epi32(row[0]), (__m256i)w);
#elif defined(__ARM_FEATURE_DOTPROD)
    s = (B)vdotq_s32((int32x4_t)s, (int8x16_t)w, (int8x16_t)vdupq_n_s32(row[0]));
#elif defined(__AVX512BW__)
    const __m512i even = _mm512_srai_epi16(_mm512_slli_epi16((__m512i)w, 8), 8), odd = _mm512_srai_epi16((__m512i)w, 8);
    s += (B)_mm512_madd_epi16(even, _mm512_set1_epi32(row[0])) + (B)_mm512_madd_epi16(odd, _mm512_set1_epi32(row[1]));
#elif defined(__AVX2__)
    const __m256i even = _mm256_srai_epi16(_mm256_slli_epi16((__m256i)w, 8), 8), odd = _mm256_srai_epi16((__m256i)w, 8);
    s += (B)_mm256_madd_epi16(even, _mm256_set1_epi32(row[0])) + (B)_mm256_madd_epi16(odd, _mm256_set1_epi32(row[1]));
#else
    for (int i = 0; i < 4; ++i) s += ((w << (24 - 8 * i)) >> 24) * row[i];
#endif
  }

  static GRUWORKS_INLINE V value(Sum s, const float* scale, const int32_t* sum, float of_row) {
#if defined(GRUWORKS_VNNI)
    s -= (B)load(reinterpret_cast<const float*>(sum));
#else
    (void)sum;
#endif
    V scales = load(scale) * of_row;
    in_order(scales);
    return __builtin_convertvector(s, V) * scales;
  }
};

// Scratch memory as a converted row.
template <class F> GRUWORKS_INLINE typename F::Row* as(float* p) { return reinterpret_cast<typename F::Row*>(p); }

// to[i][g] = products of the gates' rows of one panel with row i. Few rows use several sums to hide the adder's
// latency.
template <class F, int R, int G>
GRUWORKS_NOINLINE void product(const NarrowPacked& w, Index panel, Index Hp, const typename F::Row* rows, Index stride,
                             const float* of_row, V (&to)[R][G]) {
  constexpr int U = R == 1 ? 4 : R == 2 ? 2 : 1;
  typename F::Sum sums[U][R][G] = {};
  const uint32_t* at = w.words + panel * w.count * G * kL;
  Index k = 0;
  for (; k + U <= w.count; k += U)
GRUWORKS_UNROLL(4)
    for (int u = 0; u < U; ++u, at += G * kL)
GRUWORKS_UNROLL(4)
      for (int g = 0; g < G; ++g) {
        const B word = words_at(at + g * kL);
GRUWORKS_UNROLL(8)
        for (int i = 0; i < R; ++i) F::add(sums[u][i][g], word, rows + i * stride + (k + u) * F::kRowWord);
      }
  for (; k < w.count; ++k, at += G * kL)
    for (int g = 0; g < G; ++g)
      for (int i = 0; i < R; ++i) F::add(sums[0][i][g], words_at(at + g * kL), rows + i * stride + k * F::kRowWord);
GRUWORKS_UNROLL(8)
  for (int i = 0; i < R; ++i)
GRUWORKS_UNROLL(4)
    for (int g = 0; g < G; ++g) {
      typename F::Sum s = sums[0][i][g];
GRUWORKS_UNROLL(4)
      for (int u = 1; u < U; ++u) s += sums[u][i][g];
      const Index column = g * Hp + panel * kL;
      to[i][g] = F::value(s, w.scale + column, w.sum + column, of_row[i]);
    }
}

}  // namespace gruworks::GRUWORKS_ISA
