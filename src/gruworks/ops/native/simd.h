// Vectors of the compiler, one width an instruction set, and the two functions that a gate needs.
//
// This file and all that include it are compiled once for each instruction set, in a namespace of that name
// (GRUWORKS_ISA): two builds of one inline function must never meet in the linker, which would keep either.
// For the same reason nothing here uses the standard library's templates.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif

#ifndef GRUWORKS_ISA
#define GRUWORKS_ISA portable
#endif

#define GRUWORKS_INLINE inline __attribute__((always_inline))

namespace gruworks::GRUWORKS_ISA {

// kRows rows of the batch by 3 vectors are summed in registers: 24 of AVX-512's 32, 12 of the others' 16.
#if defined(__AVX512F__)
constexpr int kBytes = 64, kRows = 8;
#elif defined(__AVX2__)
constexpr int kBytes = 32, kRows = 4;
#else
constexpr int kBytes = 16, kRows = 4;
#endif

template <class T> struct Traits;
template <> struct Traits<float> {
  using Bits = int32_t;
  static constexpr int kMantissa = 23;
  static constexpr float kMagic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
  static constexpr float kLimit = 60.0f;        // 2^60 * 2^60 does not overflow, and 2^-60 is nothing beside 1
  // (2^f - 1) / f on [-1/2, 1/2] through the Chebyshev nodes: relative error 1.2e-8.
  static constexpr float kPoly[] = {0.693147188026f,   0.240226507606f,   0.0555035711422f,
                                    0.00961808255728f, 0.00133908633647f, 0.000154531629451f};
};
template <> struct Traits<double> {
  using Bits = int64_t;
  static constexpr int kMantissa = 52;
  static constexpr double kMagic = 6755399441055744.0;
  static constexpr double kLimit = 500.0;
  // The same, error 2.7e-19.
  static constexpr double kPoly[] = {0.69314718055994530925,   0.24022650695910071233,   0.055504108664821627039,
                                     0.0096181291076284794928, 0.0013333558146406470697, 0.00015403530393370733411,
                                     1.5252733841556772589e-5, 1.321548680870556279e-6,  1.0178057087733941105e-7,
                                     7.0548973041554992774e-9, 4.455817908336064493e-10, 2.5729324177362304214e-11};
};

template <class T> struct VecOf;
template <> struct VecOf<float> {
  typedef float V __attribute__((vector_size(kBytes)));
  typedef float Loose __attribute__((vector_size(kBytes), aligned(4), may_alias));
  typedef int32_t Bits __attribute__((vector_size(kBytes)));
};
template <> struct VecOf<double> {
  typedef double V __attribute__((vector_size(kBytes)));
  typedef double Loose __attribute__((vector_size(kBytes), aligned(8), may_alias));
  typedef int64_t Bits __attribute__((vector_size(kBytes)));
};
template <class T> using Vec = typename VecOf<T>::V;
template <class T> constexpr long kLanes = kBytes / static_cast<long>(sizeof(T));

template <class T> GRUWORKS_INLINE Vec<T> load(const T* p) {
  return *reinterpret_cast<const typename VecOf<T>::Loose*>(p);
}
template <class T> GRUWORKS_INLINE void store(T* p, Vec<T> v) {
  *reinterpret_cast<typename VecOf<T>::Loose*>(p) = v;
}
template <class T> GRUWORKS_INLINE Vec<T> all(T a) { return Vec<T>{} + a; }

// The last vector of a row whose width is no multiple of the lanes: the n entries that exist, zeros for the others.
template <class T> GRUWORKS_INLINE Vec<T> load_part(const T* p, long n) {
  if (n >= kLanes<T>) return load(p);
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) return (Vec<T>)_mm512_maskz_loadu_ps((1u << n) - 1, p);
  else return (Vec<T>)_mm512_maskz_loadu_pd((1u << n) - 1, p);
#else
  Vec<T> v = {};
  for (long i = 0; i < n; ++i) v[i] = p[i];
  return v;
#endif
}
template <class T> GRUWORKS_INLINE void store_part(T* p, Vec<T> v, long n) {
  if (n >= kLanes<T>) return store(p, v);
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) _mm512_mask_storeu_ps(p, (1u << n) - 1, (__m512)v);
  else _mm512_mask_storeu_pd(p, (1u << n) - 1, (__m512d)v);
#else
  for (long i = 0; i < n; ++i) p[i] = v[i];
#endif
}

// 2^y as scale * (1 + rest): `rest` keeps its digits where 2^y is near 1, which tanh needs near 0.
template <class T> struct Power {
  Vec<T> scale, rest;
};
template <class T> GRUWORKS_INLINE Power<T> power_of_two(Vec<T> y) {
  using C = Traits<T>;
  using Bits = typename VecOf<T>::Bits;
  const Vec<T> limit = all<T>(C::kLimit);
  y = limit < y ? limit : y;  // so written, a NaN stays one
  y = -limit > y ? -limit : y;
  const Vec<T> shifted = y + C::kMagic;
  const Vec<T> f = y - (shifted - C::kMagic);
  const Vec<T> scale = (Vec<T>)(((Bits)shifted << C::kMantissa) + (Bits)all<T>(1));
  constexpr int n = sizeof(C::kPoly) / sizeof(T);
  Vec<T> q = all<T>(C::kPoly[n - 1]);
#pragma GCC unroll 16
  for (int i = n - 2; i >= 0; --i) q = q * f + C::kPoly[i];
  return {scale, q * f};
}

constexpr double kLog2e = 1.4426950408889634074;

// 1 + e^-a, whose inverse is the logistic function.
template <class T> GRUWORKS_INLINE Vec<T> sigmoid_denominator(Vec<T> a) {
  const Power<T> e = power_of_two<T>(a * T(-kLog2e));
  return e.scale * e.rest + (e.scale + T(1));
}
template <class T> GRUWORKS_INLINE Vec<T> sigmoid(Vec<T> a) { return T(1) / sigmoid_denominator<T>(a); }

// tanh(a) = top / bottom, from e^2a - 1 without cancellation.
template <class T> struct Fraction {
  Vec<T> top, bottom;
};
template <class T> GRUWORKS_INLINE Fraction<T> tanh_fraction(Vec<T> a) {
  const Power<T> e = power_of_two<T>(a * T(2 * kLog2e));
  const Vec<T> top = e.scale * e.rest + (e.scale - T(1));
  return {top, top + T(2)};
}

}  // namespace gruworks::GRUWORKS_ISA
