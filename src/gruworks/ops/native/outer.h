// Gradients of the input and of the weights: matrix products over all steps and rows, the threads sharing out
// steps for the first and hidden units for the second, so that no two write the same place.
//
// Padding beyond a row's length is left out of the lists of addresses and so never read: a NaN there stays there.
#pragma once

#include "forward.h"

namespace gruworks::GRUWORKS_ISA {

// Steps summed in registers before they are added to the result. One running float32 sum over 10,000 steps lost a digit.
constexpr long kDepth = 128;

template <class T> class Outer {
  static constexpr long L = kLanes<T>, R = kRows;
  const Sequence<T>& s;
  const Gradient<T>& grad;
  Place place;
  const long Hp;
  const Share mine;  // panels of R hidden units
  const T* zeros;
  T *left, *right;   // packed: [slot][panel][depth][R] and [depth][3L]

  struct List {  // what one chunk of valid (step, row) pairs multiplies
    long n = 0;
    T* gates[kDepth];
    const T *x[kDepth], *h[kDepth];
  };

 public:
  static long scratch(const Sequence<T>& s, Place place) {
    const Share share(padded(s.H) / R, place.thread, place.threads);
    return kPad + kDepth * (4 * (share.end - share.begin) * R + 3 * L);
  }

  Outer(const Sequence<T>& sequence, const Gradient<T>& gradient, Place at, const T* zero, T* memory)
      : s(sequence), grad(gradient), place(at), Hp(padded(s.H)), mine(Hp / R, at.thread, at.threads), zeros(zero) {
    left = reinterpret_cast<T*>((reinterpret_cast<uintptr_t>(memory) + 63) & ~uintptr_t{63});
    right = left + kDepth * 4 * (mine.end - mine.begin) * R;
  }

  void run() {
    const long pairs = s.steps * s.batch;
    const Share steps(pairs, place.thread, place.threads);
    if (grad.x.data || grad.gi.data || grad.decay.data)
      for (long k = steps.begin; k < steps.end; k += kDepth / 2)
        input(k, k + kDepth / 2 < steps.end ? k + kDepth / 2 : steps.end);
    if (!grad.w_ih && !grad.w_hh && !grad.b_ih && !grad.b_hh) return;
    for (long k = 0; k == 0 || k < pairs; k += kDepth) {
      List list = gather(k, k + kDepth < pairs ? k + kDepth : pairs);
      weights(list, k == 0);
    }
  }

 private:
  bool valid(long k) const { return k / s.batch < s.length(k % s.batch); }

  List gather(long from, long to) {
    List list;
    for (long k = from; k < to; ++k) {
      if (!valid(k)) continue;
      const long t = k / s.batch, b = k % s.batch;
      list.gates[list.n] = s.saved + k * 4 * Hp;
      list.x[list.n] = s.x.data ? s.x.at(t, b) : nullptr;
      list.h[list.n++] = s.states ? s.states + k * s.H : past_state(s, t, b, zeros);
    }
    return list;
  }

  void input(long from, long to) {
    const T* gates[kDepth];
    T* x[kDepth];
    long n = 0;
    for (long k = from; k < to; ++k) {
      const long t = k / s.batch, b = k % s.batch;
      const bool runs = valid(k);
      if (grad.gi.data) terms(grad.gi.at(t, b), runs ? s.saved + k * 4 * Hp + Hp : nullptr);
      if (grad.decay.data && !runs) memset(grad.decay.at(t, b), 0, sizeof(T) * s.H);
      if (!grad.x.data) continue;
      if (!runs) memset(grad.x.at(t, b), 0, sizeof(T) * s.I);
      else gates[n] = s.saved + k * 4 * Hp + Hp, x[n++] = grad.x.at(t, b);
    }
    in_groups(0, n ? (s.I + L - 1) / L : 0, [&]<int V>(long v) {
      in_blocks(n, [&]<int R>(long first) {
        Vec<T> sums[R][V] = {};
        multiply<T, R, V>(sums, gates + first, s.w.back_x + v * 3 * Hp * L, 3 * Hp * L, L, 3 * Hp);
        for (int i = 0; i < R; ++i)
          for (int c = 0; c < V; ++c) store_part(x[first + i] + (v + c) * L, sums[i][c], s.I - (v + c) * L);
      });
    });
  }

  void terms(T* to, const T* from) {
    for (long g = 0; g < 3; ++g)
      from ? memcpy(to + g * s.H, from + g * Hp, sizeof(T) * s.H) : memset(to + g * s.H, 0, sizeof(T) * s.H);
  }

  void weights(const List& list, bool first) {
    const long gate_of[4] = {s.before ? -1 : 2, 0, 1, s.before ? 2 : -1};  // of the state's terms
    if (grad.b_ih || grad.b_hh) biases(list, first);
    const bool thin = s.I < L / 2;
    if (grad.w_ih && thin) thin_input(list, first);
    if (!grad.w_hh && (!grad.w_ih || thin)) return;
    pack_left(list);
    for (long n = 0; grad.w_ih && !thin && n < s.I; n += 3 * L) {
      pack_right(list.x, list.n, n, s.I);
      for (long slot = 1; slot < 4; ++slot) product(grad.w_ih, list.n, slot, slot - 1, n, s.I, first);
    }
    for (long n = 0; grad.w_hh && n < s.H; n += 3 * L) {
      pack_right(list.h, list.n, n, s.H);
      for (long slot = 0; slot < 3; ++slot)
        if (gate_of[slot] >= 0) product(grad.w_hh, list.n, slot, gate_of[slot], n, s.H, first);
    }
    for (long n = 0; grad.w_hh && s.before && n < s.H; n += 3 * L) {
      pack_right(list.gates, list.n, n, s.H);  // r * h lies in the first quarter
      product(grad.w_hh, list.n, 3, 2, n, s.H, first);
    }
  }

  void pack_left(const List& list) {
    const long panels = mine.end - mine.begin;
    for (long k = 0; k < list.n; ++k)
      for (long slot = 0; slot < 4; ++slot) {
        const T* from = list.gates[k] + slot * Hp + mine.begin * R;
        T* to = left + (slot * panels * kDepth + k) * R;
        for (long q = 0; q < panels; ++q, from += R, to += kDepth * R) memcpy(to, from, sizeof(T) * R);
      }
  }

  void pack_right(const T* const* from, long n, long column, long N) {
    for (long k = 0; k < n; ++k)
#pragma GCC unroll 3
      for (long v = 0; v < 3; ++v) {
        const long width = N - column - v * L;
        store(right + (k * 3 + v) * L, width > 0 ? load_part(from[k] + column + v * L, width) : Vec<T>{});
      }
  }

  void product(T* to, long depth, long slot, long gate, long column, long N, bool first) {
    const long panels = mine.end - mine.begin;
    for (long q = 0; q < panels; ++q) {
      const long unit = (mine.begin + q) * R;
      if (unit >= s.H) return;
      T* c = to + (gate * s.H + unit) * N + column;
      const T* a = left + (slot * panels + q) * kDepth * R;
      const long vectors = (N - column + L - 1) / L;
      if (vectors >= 3) block<3>(c, a, depth, s.H - unit, N, N - column, first);
      else if (vectors == 2) block<2>(c, a, depth, s.H - unit, N, N - column, first);
      else block<1>(c, a, depth, s.H - unit, N, N - column, first);
    }
  }

  template <int V> void block(T* c, const T* a, long depth, long units, long N, long width, bool first) {
    Vec<T> sums[R][V] = {};
    const T* b = right;
    for (long k = 0; k < depth; ++k, a += R, b += 3 * L) {
      Vec<T> w[V];
#pragma GCC unroll 3
      for (int v = 0; v < V; ++v) w[v] = load(b + v * L);
#pragma GCC unroll 8
      for (int i = 0; i < R; ++i)
#pragma GCC unroll 3
        for (int v = 0; v < V; ++v) sums[i][v] += w[v] * a[i];
    }
#pragma GCC unroll 8
    for (int i = 0; i < R; ++i) {
      if (i >= units) return;
#pragma GCC unroll 3
      for (int v = 0; v < V; ++v) {
        T* to = c + i * N + v * L;
        store_part(to, first ? sums[i][v] : sums[i][v] + load_part(to, width - v * L), width - v * L);
      }
    }
  }

  // Few inputs: the gates are the vectors then, and an input's entry is what multiplies them.
  void thin_input(const List& list, bool first) {
    for (long g = 0; g < 3; ++g)
      for (long j = mine.begin * R; j < mine.end * R && j < s.H; j += L) {
        const long width = left_of(j);
        for (long i = 0; i < s.I; ++i) {
          Vec<T> sum = {};
          for (long k = 0; k < list.n; ++k) sum += load_part(list.gates[k] + (g + 1) * Hp + j, width) * list.x[k][i];
          for (long c = 0; c < width; ++c) {
            T& to = grad.w_ih[(g * s.H + j + c) * s.I + i];
            to = first ? sum[c] : to + sum[c];
          }
        }
      }
  }

  long left_of(long j) const {
    const long stop = mine.end * R < s.H ? mine.end * R : s.H;
    return stop - j < L ? stop - j : L;
  }

  void biases(const List& list, bool first) {
    for (long slot = s.before ? 1 : 0; slot < 4; ++slot)
      for (long j = mine.begin * R; j < mine.end * R && j < s.H; j += L) {
        const long width = left_of(j);
        Vec<T> sums[8] = {};  // short sums of sums: one running one over the chunk lost half a digit
        for (long k = 0; k < list.n; ++k) sums[k % 8] += load_part(list.gates[k] + slot * Hp + j, width);
        const Vec<T> sum = ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
        if (grad.b_ih && slot > 0) add(grad.b_ih + (slot - 1) * s.H + j, sum, width, first);
        if (grad.b_hh && slot == (s.before ? 3 : 0)) add(grad.b_hh + 2 * s.H + j, sum, width, first);
        if (grad.b_hh && (slot == 1 || slot == 2)) add(grad.b_hh + (slot - 1) * s.H + j, sum, width, first);
      }
  }

  static void add(T* to, Vec<T> sum, long width, bool first) {
    store_part(to, first ? sum : sum + load_part(to, width), width);
  }
};

}  // namespace gruworks::GRUWORKS_ISA
