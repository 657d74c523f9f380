// Many rows of units so small that a vector would be half empty: a vector holds one hidden unit of as many rows as it
// has lanes. Inputs and outputs are transposed in registers. In inference, with nothing but x and h0.
#pragma once

#include "core/multiply.h"
#include "gru/pack.h"
#include "gru/problem.h"

namespace gruworks::GRUWORKS_ISA {

template <class T> class Across {
  static constexpr Index L = kLanes<T>, kInputs = 64;
  const Sequence<T>& s;
  const Index *const row, count;
  T *const states, *const inputs, *const next;  // [groups][H][L], [I][L], [H][L]

 public:
  static bool fits(const Sequence<T>& s, Index count) {
    return s.small() && s.x.data && !s.saved && 2 * s.H <= L && s.I <= kInputs && count > 1 && 2 * count >= L;
  }
  static Index scratch(const Sequence<T>& s, Index count) { return (groups(count) + 1) * s.H * L + padded(s.I) * L; }

  Across(const Sequence<T>& sequence, const Index* rows, Index n, T* memory)
      : s(sequence), row(rows), count(n), states(memory), inputs(states + groups(count) * s.H * L),
        next(inputs + padded(s.I) * L) {}

  void run() {
    for (Index first = 0; first < count; first += L) {
      T* const h = states + first * s.H;
      if (s.h0) read(h, first, s.H, [&](Index b) { return s.h0 + b * s.h0_b; });
      else memset(h, 0, sizeof(T) * s.H * L);
    }
    for (Index step = 0; step < s.steps; ++step) {
      const Index t = s.reverse ? s.steps - 1 - step : step;
      for (Index first = 0; first < count; first += L) {
        T* const h = states + first * s.H;
        read(inputs, first, s.I, [&](Index b) { return s.x.at(t, b); });
        in_groups(0, s.H, [&]<int N>(Index j) { units<N>(j, h); });
        memcpy(h, next, sizeof(T) * s.H * L);
        write(h, t, first);
      }
    }
  }

 private:
  static Index groups(Index count) { return (count + L - 1) / L; }

  // to[k] = element k of L rows; those beyond the last are copies of it.
  template <class From> GRUWORKS_INLINE void read(T* to, Index first, Index K, From&& from) {
    for (Index k = 0; k < K; k += L) {
      const Index width = K - k < L ? K - k : L;
      Vec<T> block[L];
GRUWORKS_UNROLL(16)
      for (Index i = 0; i < L; ++i) block[i] = load_part(from(row[first + i < count ? first + i : count - 1]) + k, width);
      transpose<T>(block);
GRUWORKS_UNROLL(16)
      for (Index i = 0; i < L; ++i)
        if (i < width) store(to + (k + i) * L, block[i]);
    }
  }

  GRUWORKS_INLINE void write(const T* h, Index t, Index first) {
    Vec<T> block[L];
GRUWORKS_UNROLL(16)
    for (Index i = 0; i < L; ++i) block[i] = i < s.H ? load(h + i * L) : Vec<T>{};
    transpose<T>(block);
GRUWORKS_UNROLL(16)
    for (Index i = 0; i < L; ++i)
      if (first + i < count) store_part(s.output.at(t, row[first + i]), block[i], s.H);
  }

  // Hidden units j..j + N of L rows.
  template <int N> GRUWORKS_NOINLINE void units(Index j, const T* h) {
    const Index Hp = padded(s.H);
    Vec<T> x[N][3], product[N][3], both[2 * N], r[N], a[N];
GRUWORKS_UNROLL(3)
    for (int c = 0; c < N; ++c)
GRUWORKS_UNROLL(3)
      for (int g = 0; g < 3; ++g)
        x[c][g] = all<T>(s.w.bias[g * Hp + j + c]), product[c][g] = g < 2 ? Vec<T>{} : all<T>(s.w.bias[3 * Hp + j + c]);
    add<N>(x, inputs, s.w.x + j, s.I);
    add<N>(product, h, s.w.h + j, s.H);
GRUWORKS_UNROLL(3)
    for (int c = 0; c < N; ++c) both[c] = x[c][0] + product[c][0], both[N + c] = x[c][1] + product[c][1];
    Fraction<T> open[2 * N], n[N];
    sigmoid_fractions<T, 2 * N>(both, open);
GRUWORKS_UNROLL(3)
    for (int c = 0; c < N; ++c) r[c] = open[c].value(), a[c] = x[c][2] + r[c] * product[c][2];
    tanh_fractions<T, N>(a, n);
GRUWORKS_UNROLL(3)
    for (int c = 0; c < N; ++c) {
      const Vec<T> candidate = n[c].value(), z = open[N + c].value();
      store(next + (j + c) * L, candidate + z * (load(h + (j + c) * L) - candidate));
    }
  }

  template <int N> GRUWORKS_INLINE void add(Vec<T> (&sums)[N][3], const T* from, const T* weights, Index K) {
    for (Index k = 0; k < K; ++k, weights += 3 * L) {
      const Vec<T> element = load(from + k * L);
GRUWORKS_UNROLL(3)
      for (int c = 0; c < N; ++c)
GRUWORKS_UNROLL(3)
        for (int g = 0; g < 3; ++g) sums[c][g] += element * weights[g * L + c];
    }
  }
};

}  // namespace gruworks::GRUWORKS_ISA
