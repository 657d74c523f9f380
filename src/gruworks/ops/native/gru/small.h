// Steps of one row whose weights lie in the L1 cache: small units, and nothing but x, h0 and ready input terms.
//
// The time is the latency from one state to the next: a product, two activation functions one after the other, a store
// and the loads of it. So nothing is looked up between steps, polynomials are evaluated in pairs, and the weight of the
// old state is ready before the candidate is.
#pragma once

#include "core/multiply.h"
#include "gru/problem.h"

namespace gruworks::GRUWORKS_ISA {

template <class T> class Small {
  static constexpr Index L = kLanes<T>;
  const Sequence<T>& s;
  const Index b, Hp, vectors;
  const T* h;
  alignas(64) T states[2][kSmall];

 public:
  // Row b from the given state [H]; the output of a single step may be where that state is.
  Small(const Sequence<T>& sequence, Index row, const T* state)
      : s(sequence), b(row), Hp(padded(s.H)), vectors((s.saved ? Hp : s.H + L - 1) / L), h(state) {
    if (vectors <= 3) return;
    for (Index v = 0; v < s.H; v += L) store(states[0] + v, load_part(h + v, s.H - v));
    h = states[0];
  }

  // Steps begin..end; `projected` has the input's terms of each, panel by panel, and is null where x or gi is read.
  void steps(Index begin, Index end, const T* projected) {
    switch (vectors) {
      case 1: return some_steps<1>(begin, end, projected);
      case 2: return some_steps<2>(begin, end, projected);
      case 3: return some_steps<3>(begin, end, projected);
      default: return some_steps<0>(begin, end, projected);
    }
  }

 private:
  // V vectors of columns, or any number for 0.
  template <int V> GRUWORKS_NOINLINE void some_steps(Index begin, Index end, const T* projected) {
    for (Index step = begin; step < end; ++step) {
      const Index t = s.reverse ? s.steps - 1 - step : step;
      T* const out = s.output.at(t, b);
      T* const kept = s.saved ? s.saved + (t * s.batch + b) * 4 * Hp : nullptr;
      T* const next = states[(step + 1) % 2];
      const T* const x = s.x.data ? s.x.at(t, b) : s.gi.at(t, b);
      if constexpr (V > 0) columns<V>(0, x, projected, next, out, kept);
      else in_groups(0, vectors, [&]<int N>(Index p) { apart<N>(p, x, projected, next, out, kept); }, (step + s.turn) % 2);
      if (projected) projected += 3 * Hp;
      h = next;
    }
  }

  template <int V>
  GRUWORKS_NOINLINE void apart(Index p, const T* x, const T* projected, T* next, T* out, T* kept) {
    columns<V>(p, x, projected, next, out, kept);
  }

  GRUWORKS_INLINE void input(Vec<T> (&sums)[1][3], Index p, const T* x, const T* projected) {
    const Index width = s.H - p * L;
GRUWORKS_UNROLL(3)
    for (int g = 0; g < 3; ++g) {
      if (projected) sums[0][g] = load(projected + (3 * p + g) * L);
      else sums[0][g] = load(s.w.bias + g * Hp + p * L);
      if (!s.x.data) sums[0][g] += load_part(x + g * s.H + p * L, width);
    }
    if (s.x.data && !projected) multiply<T, 1, 3>(sums, &x, s.w.x + p * s.I * 3 * L, L, 3 * L, s.I);
  }

  template <int V>
  GRUWORKS_INLINE void columns(Index p, const T* x, const T* projected, T* next, T* out, T* kept) {
    Vec<T> both[2 * V], products[V], inputs[V], r[V], a[V];
GRUWORKS_UNROLL(3)
    for (int c = 0; c < V; ++c) {
      Vec<T> sums[1][3];
      input(sums, p + c, x, projected);
      inputs[c] = sums[0][2];
      sums[0][2] = load(s.w.bias + 3 * Hp + (p + c) * L);
      multiply<T, 1, 3>(sums, &h, s.w.h + (p + c) * s.H * 3 * L, L, 3 * L, s.H);
      both[c] = sums[0][0], both[V + c] = sums[0][1], products[c] = sums[0][2];
    }
    Fraction<T> open[2 * V], n[V];
    sigmoid_fractions<T, 2 * V, true>(both, open);
GRUWORKS_UNROLL(3)
    for (int c = 0; c < V; ++c) r[c] = open[c].value(), a[c] = inputs[c] + r[c] * products[c];
    tanh_fractions<T, V, true>(a, n);
GRUWORKS_UNROLL(3)
    for (int c = 0; c < V; ++c) {
      const Index v = (p + c) * L, width = s.H - v;
      const Vec<T> z = open[V + c].value(), old = z * load_part(h + v, width), candidate = n[c].value();
      const Vec<T> state = old + (T(1) - z) * candidate;
      store(next + v, state);
      store_part(out + v, state, width);
      if (!kept) continue;
      store(kept + v, products[c]), store(kept + Hp + v, r[c]);
      store(kept + 2 * Hp + v, z), store(kept + 3 * Hp + v, candidate);
    }
  }
};

// A stream's step; the output is where the state is.
template <class T> void small_step(const Sequence<T>& s) { Small<T>(s, 0, s.h0).steps(0, 1, nullptr); }

}  // namespace gruworks::GRUWORKS_ISA
