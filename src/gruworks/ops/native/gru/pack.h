// Packing of torch's weights into zero-padded panels in the order of the inner loops.
//
// A forward panel is a transposed block. Element by element that takes 2.4 ms at H = 512, as long as the forward
// itself; so L x L elements are transposed in registers, see docs/performance.md.
#pragma once

#include "gru/problem.h"
#include "core/simd.h"

namespace gruworks::GRUWORKS_ISA {

// This thread's part [begin, end) of n items.
struct Share {
  Index begin, end;
  Share(Index n, int index, int count) : begin(n * index / count), end(n * (index + 1) / count) {}
};

// Transposition in log2(L) rounds, each interleaving the first half of the vectors with the second.
template <class T> GRUWORKS_INLINE void transpose(Vec<T> (&v)[kLanes<T>]) {
  constexpr Index L = kLanes<T>;
  const auto low = [](Index i) { return i / 2 + i % 2 * L; };
  const auto high = [](Index i) { return L / 2 + i / 2 + i % 2 * L; };
GRUWORKS_UNROLL(4)
  for (Index round = 1; round < L; round *= 2) {
    Vec<T> next[L];
GRUWORKS_UNROLL(8)
    for (Index i = 0; i < L / 2; ++i) {
      next[2 * i] = shuffle<T>(v[i], v[i + L / 2], low);
      next[2 * i + 1] = shuffle<T>(v[i], v[i + L / 2], high);
    }
GRUWORKS_UNROLL(16)
    for (Index i = 0; i < L; ++i) v[i] = next[i];
  }
}

// to[k * along] = column k of L rows of `from` [rows, K], for every k; rows beyond `rows` are zeros.
template <class T> void pack_columns(T* to, Index along, const T* from, Index rows, Index K) {
  constexpr Index L = kLanes<T>;
  for (Index k = 0; k < K; k += L) {
    const Index width = K - k < L ? K - k : L;
    Vec<T> block[L];
GRUWORKS_UNROLL(16)
    for (Index c = 0; c < L; ++c) block[c] = c < rows ? load_part(from + c * K + k, width) : Vec<T>{};
    transpose<T>(block);
GRUWORKS_UNROLL(16)
    for (Index i = 0; i < L; ++i)
      if (i < width) store(to + (k + i) * along, block[i]);
  }
}

// L columns at v of the rows `first`..+H of `from` [., N], then zero rows up to Hp.
template <class T> void pack_rows(T* to, const T* from, Index first, Index H, Index N, Index v) {
  constexpr Index L = kLanes<T>;
  for (Index j = 0; j < padded(H); ++j) {
    const Index width = N - v * L;
    const bool none = j >= H || width <= 0;
    store(to + j * L, none ? Vec<T>{} : load_part(from + (first + j) * N + v * L, width));
  }
}

template <class T> void pack_bias(const Weights<T>& w, T* bias) {
  const Index Hp = padded(w.H);
  memset(bias, 0, sizeof(T) * 4 * Hp);
  for (Index j = 0; j < w.H; ++j) {
    for (Index g = 0; g < 2; ++g)
      bias[g * Hp + j] = (w.b_ih ? w.b_ih[g * w.H + j] : 0) + (w.b_hh ? w.b_hh[g * w.H + j] : 0);
    bias[2 * Hp + j] = w.b_ih ? w.b_ih[2 * w.H + j] : 0;
    bias[3 * Hp + j] = w.b_hh ? w.b_hh[2 * w.H + j] : 0;
  }
}

template <class T> void pack_forward(const Weights<T>& w, const Packed<T>& to, Place place) {
  constexpr Index L = kLanes<T>;
  const Index gates = w.before ? 2 : 3;
  const Share panels(padded(w.H) / L, place.thread, place.threads);
  if (place.thread == 0) pack_bias(w, to.bias);
  for (Index p = panels.begin; p < panels.end; ++p) {
    for (Index g = 0; g < 3; ++g) {
      const Index row = g * w.H + p * L, rows = w.H - p * L;
      if (w.w_ih) pack_columns(to.x + (p * w.I * 3 + g) * L, 3 * L, w.w_ih + row * w.I, rows, w.I);
      if (g < gates) pack_columns(to.h + (p * w.H * gates + g) * L, gates * L, w.w_hh + row * w.H, rows, w.H);
      else pack_columns(to.n + p * w.H * L, L, w.w_hh + row * w.H, rows, w.H);
    }
  }
}

template <class T> void pack_backward(const Weights<T>& w, const Packed<T>& to, Place place) {
  constexpr Index L = kLanes<T>;
  const Index Hp = padded(w.H), first = w.before ? 0 : 2;  // the gate whose rows come first: r, or n ("after")
  const Share h(Hp / L, place.thread, place.threads), x(padded(w.I) / L, place.thread, place.threads);
  for (Index v = h.begin; v < h.end; ++v)
    for (Index g = 0; g < 3; ++g)
      pack_rows(to.back_h + (v * 3 + g) * Hp * L, w.w_hh, (g + first) % 3 * w.H, w.H, w.H, v);
  for (Index v = x.begin; w.w_ih && v < x.end; ++v)
    for (Index g = 0; g < 3; ++g) pack_rows(to.back_x + (v * 3 + g) * Hp * L, w.w_ih, g * w.H, w.H, w.I, v);
}

template <class T> void pack(const Weights<T>& w, const Packed<T>& to, bool backward, Place place) {
  backward ? pack_backward(w, to, place) : pack_forward(w, to, place);
}

}  // namespace gruworks::GRUWORKS_ISA
