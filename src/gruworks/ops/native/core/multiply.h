// Matrix product micro-kernel: a few rows times a panel of packed weights, accumulated in registers.
//
// Fraction of the FMA peak on a Zen 4 core at K = 256: 8 rows x 3 vectors 98 %, and no other shape of 24-28 registers
// more. Each sum runs over K in one order whatever the number of rows, except that 1-3 rows use several sums, for the
// adder's latency of 4 cycles would bound them otherwise.
#pragma once

#include "core/simd.h"

namespace gruworks::GRUWORKS_ISA {

constexpr int sums_for(int rows) { return rows == 1 ? 4 : rows <= 3 ? 2 : 1; }

// Memory to prefetch into the L2 cache, a few bytes with each k.
struct Ahead {
  const char* at;
  Index bytes;  // for each k
};

// sums[i][v] += sum over k of rows[i][k] * weights[k][v]; the vectors of one k stand `across` apart, k's `along`.
template <class T, int R, int V, bool Fetch = false>
GRUWORKS_INLINE void multiply_inline(Vec<T> (&sums)[R][V], const T* const* rows, const T* weights, Index across, Index along,
                              Index K, Ahead ahead = {}) {
  constexpr int U = sums_for(R);
  Vec<T> part[U][R][V];
  const T* row[R];
GRUWORKS_UNROLL(8)
  for (int i = 0; i < R; ++i) {
    row[i] = rows[i];
GRUWORKS_UNROLL(4)
    for (int v = 0; v < V; ++v) part[0][i][v] = sums[i][v];
GRUWORKS_UNROLL(4)
    for (int u = 1; u < U; ++u)
GRUWORKS_UNROLL(4)
      for (int v = 0; v < V; ++v) part[u][i][v] = Vec<T>{};
  }
  Index k = 0;
  for (; k + U <= K; k += U) {
    if constexpr (Fetch) __builtin_prefetch(ahead.at, 0, 2), ahead.at += ahead.bytes;
GRUWORKS_UNROLL(4)
    for (int u = 0; u < U; ++u) {
      Vec<T> w[V];
GRUWORKS_UNROLL(4)
      for (int v = 0; v < V; ++v) w[v] = load(weights + u * along + v * across);
GRUWORKS_UNROLL(8)
      for (int i = 0; i < R; ++i)
GRUWORKS_UNROLL(4)
        for (int v = 0; v < V; ++v) part[u][i][v] += w[v] * row[i][k + u];
    }
    weights += U * along;
  }
  if constexpr (U > 1) {
    for (; k < K; ++k) {
GRUWORKS_UNROLL(4)
      for (int v = 0; v < V; ++v) {
        const Vec<T> w = load(weights + v * across);
GRUWORKS_UNROLL(8)
        for (int i = 0; i < R; ++i) part[0][i][v] += w * row[i][k];
      }
      weights += along;
    }
  }
GRUWORKS_UNROLL(8)
  for (int i = 0; i < R; ++i)
GRUWORKS_UNROLL(4)
    for (int v = 0; v < V; ++v) {
      if constexpr (U == 4) sums[i][v] = (part[0][i][v] + part[1][i][v]) + (part[2][i][v] + part[3][i][v]);
      else if constexpr (U == 2) sums[i][v] = part[0][i][v] + part[1][i][v];
      else sums[i][v] = part[0][i][v];
    }
}

// The same in a function of its own, for float64 and all that is rare: inlined everywhere, a build of the kernels took
// twice as long to compile.
template <class T, int R, int V>
GRUWORKS_NOINLINE void multiply_apart(Vec<T> (&sums)[R][V], const T* const* rows, const T* weights, Index across,
                                      Index along, Index K) {
  multiply_inline<T, R, V>(sums, rows, weights, across, along, K);
}

template <class T, int R, int V, bool Fetch = false>
GRUWORKS_INLINE void multiply(Vec<T> (&sums)[R][V], const T* const* rows, const T* weights, Index across, Index along,
                              Index K, Ahead ahead = {}) {
  if constexpr (sizeof(T) == 8) multiply_apart<T, R, V>(sums, rows, weights, across, along, K);
  else multiply_inline<T, R, V, Fetch>(sums, rows, weights, across, along, K, ahead);
}

// One row times V panels of three vectors, `panel` apart, in the order of sums of kFewRows and more rows: the panels
// hide the adder's latency.
template <class T, int V>
GRUWORKS_NOINLINE void multiply_panels(Vec<T> (&sums)[V][3], const T* row, const T* weights, Index panel, Index K) {
  constexpr Index L = kLanes<T>;
  Vec<T> part[V][3];
GRUWORKS_UNROLL(3)
  for (int v = 0; v < V; ++v)
GRUWORKS_UNROLL(3)
    for (int g = 0; g < 3; ++g) part[v][g] = sums[v][g];
  for (Index k = 0; k < K; ++k, weights += 3 * L)
GRUWORKS_UNROLL(3)
    for (int v = 0; v < V; ++v)
GRUWORKS_UNROLL(3)
      for (int g = 0; g < 3; ++g) part[v][g] += load(weights + v * panel + g * L) * row[k];
GRUWORKS_UNROLL(3)
  for (int v = 0; v < V; ++v)
GRUWORKS_UNROLL(3)
    for (int g = 0; g < 3; ++g) sums[v][g] = part[v][g];
}

// Rows of one block. float64 takes blocks of 4 in every build, which halves its code.
template <class T> constexpr int kRowsOf = sizeof(T) == 4 ? kRows : 4;
constexpr int kFewRows = 4;

// Calls f.template operator()<R>() with the constant R that equals n in 1..Most.
template <int Most, int R = 1, class F> GRUWORKS_INLINE void with_rows(Index n, F&& f) {
  if (n == R) return f.template operator()<R>();
  if constexpr (R < Most) with_rows<Most, R + 1>(n, f);
}

// Cuts n rows into balanced blocks of at most Most (17 is 6 + 6 + 5): f.template operator()<R>(first).
template <int Most, class F> GRUWORKS_INLINE void in_blocks(Index n, F&& f) {
  const Index blocks = (n + Most - 1) / Most;
  for (Index i = 0, first = 0; i < blocks; ++i) {
    const Index size = (n - first + blocks - i - 1) / (blocks - i);
    with_rows<Most>(size, [&]<int R>() { f.template operator()<R>(first); });
    first += size;
  }
}

// Cuts n rows into blocks of Most, the last of what remains, or of kFewRows if that is less: its rows beyond n are copies.
// Blocks of kFewRows and more sum in one order.
template <int Most, class F> GRUWORKS_INLINE void in_exact_blocks(Index n, F&& f) {
  for (Index first = 0; first < n; first += Most) {
    const Index left = n - first;
    if (left >= Most) f.template operator()<Most>(first);
    else with_rows<Most, kFewRows>(left < kFewRows ? kFewRows : left, [&]<int R>() { f.template operator()<R>(first); });
  }
}

// Blocks of R rows of a list, the last filled up with copies of the last row, so that no row's sum depends on its block:
// f(first). The lists have room for R - 1 more.
template <int R, class... Lists, class F> GRUWORKS_INLINE void in_whole_blocks(Index n, F&& f, Lists*... lists) {
  for (Index i = n; n && i % R; ++i) ((lists[i] = lists[n - 1]), ...);
  for (Index first = 0; first < n; first += R) f(first);
}

// Cuts vectors [begin, end) into groups of 3, 2 or 1, or from the end on: f.template operator()<V>(first).
template <class F> GRUWORKS_INLINE void in_groups(Index begin, Index end, F&& f, bool backwards = false) {
  const Index threes = (end - begin) / 3;
  const auto rest = [&] {
    if ((end - begin) % 3 == 2) f.template operator()<2>(end - 2);
    if ((end - begin) % 3 == 1) f.template operator()<1>(end - 1);
  };
  if (backwards) rest();
  for (Index i = 0; i < threes; ++i) f.template operator()<3>(begin + 3 * (backwards ? threes - 1 - i : i));
  if (!backwards) rest();
}

}  // namespace gruworks::GRUWORKS_ISA
