// One step of some sessions, up to four at once: both reset forms, every kind of weights.
#pragma once

#include <type_traits>

#include "quantised/narrow.h"

namespace gruworks::GRUWORKS_ISA {

struct Projected {};  // x holds precomputed input projections

// Scratch memory of one thread for a block of kTogether sessions.
constexpr int kTogether = 4;
struct NarrowScratch {
  Index Ip, Hp;  // of a row, in 32-bit elements
  float *x, *h, *r_h, *z, *gx;

  NarrowScratch(const NarrowLayer& w, float* memory) : Ip(padded(w.I)), Hp(padded(w.H)) {
    x = memory, h = x + kTogether * Ip, r_h = h + kTogether * Hp, z = r_h + kTogether * Hp, gx = z + kTogether * Hp;
  }
  static Index size(const NarrowLayer& w) {
    return kTogether * (padded(w.I) + padded(w.H) * (w.before ? 4 : 1));
  }
};

struct Opened {
  V r, z;
};
GRUWORKS_NOINLINE inline Opened gates(const V* gx, const V* gh) {
  const V sums[2] = {gx[0] + gh[0], gx[1] + gh[1]};
  Fraction<float> of[2];
  sigmoid_fractions<float, 2>(sums, of);
  return {of[0].value(), of[1].value()};
}

GRUWORKS_NOINLINE inline void new_state(float* h, Index width, V a, V z) {
  const V n = tanh_fraction<float>(a).value();
  store_part(h, n + z * (load_part(h, width) - n), width);
}

template <class X, class F, int R> struct Sessions {
  const NarrowLayer& w;
  const NarrowScratch& to;
  const float* x;
  float* h;
  float of_x[R], of_h[R];

  GRUWORKS_INLINE Sessions(const NarrowLayer& layer, const NarrowScratch& scratch, const float* input, float* state)
      : w(layer), to(scratch), x(input), h(state) {
    for (int i = 0; i < R; ++i) {
      if constexpr (!std::is_same_v<X, Projected>) of_x[i] = X::read(as<X>(to.x) + i * to.Ip, x + i * w.I, w.I);
      of_h[i] = F::read(as<F>(to.h) + i * to.Hp, h + i * w.H, w.H);
    }
  }

  GRUWORKS_INLINE V bias(int g, Index panel) const { return load(w.bias + g * to.Hp + panel * kL); }

  // Input projections with biases; for r and z the sum of both biases.
  GRUWORKS_INLINE void input(Index panel, V (&gx)[R][3]) const {
    if constexpr (std::is_same_v<X, Projected>)
      for (int i = 0; i < R; ++i)
        for (int g = 0; g < 3; ++g) gx[i][g] = load_part(x + (3 * i + g) * w.H + panel * kL, w.H - panel * kL);
    else product<X, R, 3>(w.x, panel, to.Hp, as<X>(to.x), to.Ip, of_x, gx);
GRUWORKS_UNROLL(4)
    for (int i = 0; i < R; ++i)
GRUWORKS_UNROLL(3)
      for (int g = 0; g < 3; ++g) gx[i][g] += bias(g, panel);
  }

  void finish(int i, Index panel, V a, V z) const { new_state(h + i * w.H + panel * kL, w.H - panel * kL, a, z); }

  GRUWORKS_INLINE void after() const {
    for (Index panel = 0; panel * kL < w.H; ++panel) {
      V gx[R][3], gh[R][3];
      input(panel, gx);
      product<F, R, 3>(w.h, panel, to.Hp, as<F>(to.h), to.Hp, of_h, gh);
      for (int i = 0; i < R; ++i) {
        const Opened open = gates(gx[i], gh[i]);
        finish(i, panel, gx[i][2] + open.r * (gh[i][2] + bias(3, panel)), open.z);
      }
    }
  }

  GRUWORKS_INLINE void before() const {
    for (Index panel = 0; panel * kL < w.H; ++panel) {
      V gx[R][3], gh[R][2];
      input(panel, gx);
      product<F, R, 2>(w.h, panel, to.Hp, as<F>(to.h), to.Hp, of_h, gh);
      for (int i = 0; i < R; ++i) {
        const Index at = i * to.Hp + panel * kL;
        const Opened open = gates(gx[i], gh[i]);
        store(to.r_h + at, open.r * load_part(h + i * w.H + panel * kL, w.H - panel * kL));
        store(to.z + at, open.z);
        store(to.gx + at, gx[i][2] + bias(3, panel));
      }
    }
    float of_r_h[R];
    for (int i = 0; i < R; ++i) of_r_h[i] = F::read(as<F>(to.h) + i * to.Hp, to.r_h + i * to.Hp, w.H);
    for (Index panel = 0; panel * kL < w.H; ++panel) {
      V gh[R][1];
      product<F, R, 1>(w.n, panel, to.Hp, as<F>(to.h), to.Hp, of_r_h, gh);
      for (int i = 0; i < R; ++i) {
        const Index at = i * to.Hp + panel * kL;
        finish(i, panel, load(to.gx + at) + gh[i][0], load(to.z + at));
      }
    }
  }
};

template <class X, class F, int R>
void some_sessions(const NarrowLayer& w, const float* x, float* h, const NarrowScratch& to) {
  const Sessions<X, F, R> sessions(w, to, x, h);
  w.before ? sessions.before() : sessions.after();
}

template <class X, class F> void all_sessions(const NarrowLayer& w, const float* x, float* h, Index rows, float* memory) {
  const NarrowScratch to(w, memory);
  const Index width = w.input == Narrow::projected ? 3 * w.H : w.I;
  for (; rows >= 4; rows -= 4, x += 4 * width, h += 4 * w.H) some_sessions<X, F, 4>(w, x, h, to);
  if (rows & 2) some_sessions<X, F, 2>(w, x, h, to), x += 2 * width, h += 2 * w.H;
  if (rows & 1) some_sessions<X, F, 1>(w, x, h, to);
}

inline void narrow_step(const NarrowLayer& w, const float* x, float* h, Index rows, float* memory) {
  if (w.kind == Narrow::bfloat16)
    return w.input == Narrow::projected ? all_sessions<Projected, BFloat16>(w, x, h, rows, memory)
                                    : all_sessions<BFloat16, BFloat16>(w, x, h, rows, memory);
  if (w.input == Narrow::projected) return all_sessions<Projected, Int8>(w, x, h, rows, memory);
  return w.input == Narrow::int8 ? all_sessions<Int8, Int8>(w, x, h, rows, memory)
                                 : all_sessions<Float32, Int8>(w, x, h, rows, memory);
}

}  // namespace gruworks::GRUWORKS_ISA
