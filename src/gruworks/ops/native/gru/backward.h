// Back-propagation through time: the rows and columns of one thread, last step first.
//
// Then follow the gradients of input and weights (outer.h), matrix products over all steps.
#pragma once

#include "gru/activations.h"
#include "gru/outer.h"

namespace gruworks::GRUWORKS_ISA {

template <class T> class Backward {
  static constexpr Index L = kLanes<T>;
  const Sequence<T>& s;
  const Gradient<T>& grad;
  Place place;
  Rows<T> rows;
  const Index Hp;
  const Share mine;
  const Index begin, end;  // the same in columns, without padding
  const bool whole;
  T *zeros, *partial, *rest, *gains = nullptr;
  Index summed = 0;  // rows accumulated in `gains`

 public:
  static Index scratch(const Sequence<T>& s, Place place) {
    const Share share(s.batch, place.group, place.groups);
    const Index count = share.end - share.begin;
    return Rows<T>::scratch(count) + kPad + padded(s.H) * (1 + count + (s.gain ? 6 : 0)) + Outer<T>::scratch(s, place);
  }

  Backward(const Sequence<T>& sequence, const Gradient<T>& gradient, Place at, T* memory)
      : s(sequence), grad(gradient), place(at), rows(sequence, at, memory), Hp(padded(s.H)),
        mine(Hp / L, at.member, at.members), begin(mine.begin * L < s.H ? mine.begin * L : s.H),
        end(mine.end * L < s.H ? mine.end * L : s.H), whole(in_one_pass(s, at, kOnePass)) {
    zeros = memory + Rows<T>::scratch(rows.count);
    memset(zeros, 0, sizeof(T) * Hp);
    partial = zeros + Hp;
    rest = partial + rows.count * Hp;
    if (!s.gain) return;
    gains = rest, rest += 6 * Hp;
    memset(gains, 0, sizeof(T) * 6 * Hp);
  }

  void run() {
    if (!grad.weights_only) through_time();
    s.gain ? normed_outer() : Outer<T>(s, grad, place, zeros, rest).run();
  }

 private:
  void through_time() {
    for (Index i = 0; i < rows.count && !grad.continued; ++i) open(rows.row[i]);
    for (Index step = rows.steps - 1; step >= 0; --step) {
      rows.at(step, zeros);
      for (Index i = 0; i < rows.active; ++i)
        for (Index v = mine.begin; v < mine.end; ++v) s.before ? candidate(i, v, step) : gates(i, v, step);
      if (s.gain) s.before ? unnorm<1>(3) : unnorm<3>(0);
      s.before ? before_step(step) : after_step(step);
      if (s.gain) unnorm_inputs();
      if (s.decay.data) undecay(step);
      if (s.resets.data) unreplace(step);
    }
    for (Index i = 0; grad.h0 && i < rows.count; ++i)
      memcpy(grad.h0 + rows.row[i] * s.H + begin, carry(rows.row[i]) + begin, sizeof(T) * (end - begin));
    if (s.gain) add_gains();
    if (place.threads > 1) place.meet(1);
  }

  T* carry(Index b) { return grad.carry + b * Hp; }

  void open(Index b) {
    memset(carry(b) + mine.begin * L, 0, sizeof(T) * (mine.end - mine.begin) * L);
    if (grad.final) memcpy(carry(b) + begin, grad.final + b * grad.final_b + begin, sizeof(T) * (end - begin));
    if (grad.replacement) memset(grad.replacement + b * s.H + begin, 0, sizeof(T) * (end - begin));
  }

  // Gradient of the state after the step; `width` is the number of valid columns of the vector.
  GRUWORKS_INLINE Vec<T> arriving(Index i, Index v, Index step, Index width) {
    const Index b = rows.row[i];
    const Vec<T> later = load_part(carry(b) + v * L, width);
    if (!grad.output.data) return later;
    return later + load_part(grad.output.at(s.time(b, step), b) + v * L, width);
  }

  // Gradient of layer norm for the state's products from `slot` on, all rows of the step.
  template <int G> void unnorm(Index slot) {
    for (Index i = 0; i < rows.active; ++i) {
      const T *from[G], *weight[G];
      T *to[G], *sums[G], scale[G];
      for (int g = 0; g < G; ++g) {
        const Index gate = s.before ? slot + g - 1 : (g + 2) % 3;
        from[g] = rows.work[i] + (slot + g) * Hp, weight[g] = s.gain + gate * s.H;
        to[g] = rows.terms[i] + (slot + g) * Hp, sums[g] = gains + gate * Hp, scale[g] = rows.scales(i)[gate];
      }
      normalise_back<T, G>(from, weight, to, to, sums, scale, s.H);
    }
  }

  // The same for x's products, once all gates are done.
  void unnorm_inputs() {
    for (Index i = 0; s.inputs && i < rows.active; ++i) {
      const T *from[3], *weight[3];
      T *to[3], *sums[3], scale[3];
      for (int g = 0; g < 3; ++g) {
        from[g] = rows.work[i] + (g + 1) * Hp, weight[g] = s.input_gain + g * s.H;
        to[g] = rows.inputs[i] + (g + 1) * Hp, sums[g] = gains + (3 + g) * Hp, scale[g] = rows.scales(i)[4 + g];
      }
      normalise_back<T, 3>(from, weight, to, to, sums, scale, s.H);
    }
    if ((summed += rows.active) >= kDepth) add_gains();
  }

  // A single sum over all steps loses a decimal digit.
  void add_gains() {
    T* const to = grad.gains + place.group * 6 * Hp;
    for (Index j = 0; j < 6 * Hp; ++j) to[j] += gains[j], gains[j] = 0;
    summed = 0;
  }

  // Gradients of the weights and of x from those of the products, all others from those of the pre-activations.
  void normed_outer() {
    Gradient<T> gates = grad, recurrent{}, input{};
    gates.w_hh = gates.w_ih = nullptr, gates.x = {};
    recurrent.w_hh = grad.w_hh, input.w_ih = grad.w_ih, input.x = grad.x;
    outer(s.saved, gates), outer(s.terms, recurrent);
    if (s.inputs) outer(s.inputs, input);
  }
  void outer(T* terms, const Gradient<T>& wanted) {
    Sequence<T> from = s;
    from.saved = terms;
    Outer<T>(from, wanted, place, zeros, rest).run();
  }

  // "after": all gates at once. Gradients are those of the pre-activations.
  void gates(Index i, Index v, Index step) {
    const Index width = s.H - v * L;
    T* kept = rows.work[i] + v * L;
    const Vec<T> dh = arriving(i, v, step, width), h = load_part(rows.skip[i] + v * L, width);
    const auto part = [&](Index quarter) { return load_part(kept + quarter * Hp, width); };  // the padding may be NaN
    const Vec<T> product = part(0), r = part(1), z = part(2), n = part(3);
    const Staying<T> old = staying<T>(rows, i, v, z, width);
    const Vec<T> dn = through_candidate<T>(s.activations, dh * (T(1) - old.stays), n);
    store(kept, dn * r);
    store(kept + Hp, through_gate<T>(s.activations, dn * product, r));
    store(kept + 2 * Hp, through_gate<T>(s.activations, dh * old.decided * (h - n), z));
    store(kept + 3 * Hp, dn);
    store(carry(rows.row[i]) + v * L, dh * old.stays);
  }

  // "before": z and n; r requires the gradient of r * h.
  void candidate(Index i, Index v, Index step) {
    const Index width = s.H - v * L;
    T* kept = rows.work[i] + v * L;
    const Vec<T> dh = arriving(i, v, step, width), h = load_part(rows.skip[i] + v * L, width);
    const Vec<T> z = load_part(kept + 2 * Hp, width), n = load_part(kept + 3 * Hp, width);
    const Staying<T> old = staying<T>(rows, i, v, z, width);
    store(kept + 2 * Hp, through_gate<T>(s.activations, dh * old.decided * (h - n), z));
    store(kept + 3 * Hp, through_candidate<T>(s.activations, dh * (T(1) - old.stays), n));
    store(carry(rows.row[i]) + v * L, dh * old.stays);
  }

  template <int Most = kRowsOf<T>, class Block> void over_columns(Block&& block, bool backwards = false) {
    in_groups(mine.begin, mine.end, [&]<int V>(Index v) {
      in_blocks<Most>(rows.active, [&]<int R>(Index first) { block.template operator()<R, V>(first, v); });
    }, backwards);
  }

  void after_step(Index step) {
    if (whole) {
      if (place.members > 1) place.publish(), place.wait_group();
      return over_columns([&]<int R, int V>(Index i, Index v) { carry_block<R, V, Sum::whole>(i, v, 0, 3); }, step % 2);
    }
    place.publish();
    over_columns<kFewRows>([&]<int R, int V>(Index i, Index v) { carry_block<R, V, Sum::own>(i, v, 0, 3); });
    place.wait_group();
    over_columns<kFewRows>([&]<int R, int V>(Index i, Index v) { carry_block<R, V, Sum::rest>(i, v, 0, 3); });
  }

  void before_step(Index step) {
    if (whole) {
      if (place.members > 1) place.publish(), place.wait_group();
      over_columns([&]<int R, int V>(Index i, Index v) { reset_block<R, V, Sum::whole>(i, v); }, step % 2);
      if (s.gain) unnorm<2>(1);
      if (place.members > 1) place.publish(), place.wait_group();
      return over_columns([&]<int R, int V>(Index i, Index v) { carry_block<R, V, Sum::whole>(i, v, 1, 2); }, step % 2);
    }
    place.publish();
    over_columns<kFewRows>([&]<int R, int V>(Index i, Index v) { reset_block<R, V, Sum::own>(i, v); });
    place.wait_group();
    over_columns<kFewRows>([&]<int R, int V>(Index i, Index v) { reset_block<R, V, Sum::rest>(i, v); });
    place.publish();
    over_columns<kFewRows>([&]<int R, int V>(Index i, Index v) { carry_block<R, V, Sum::own>(i, v, 1, 2); });
    place.wait_group();
    over_columns<kFewRows>([&]<int R, int V>(Index i, Index v) { carry_block<R, V, Sum::rest>(i, v, 1, 2); });
  }

  // sums += gradients of `count` gates, from quarter `slot` of the saved rows on, times W_hh's rows `gate`...
  template <Sum S, int R, int V>
  GRUWORKS_INLINE void product(Vec<T> (&sums)[R][V], Index first, Index v, Index slot, Index gate, Index count) {
    constexpr bool kFetch = S == Sum::whole && R >= kFused;
    const T* w = s.w.back_h + v * 3 * Hp * L;
    const T* at[R];
    const Index b = mine.begin * L, e = mine.end * L;
    auto part = [&](Index g, Index from, Index to) __attribute__((always_inline)) {
      for (int i = 0; i < R; ++i) at[i] = rows.terms[first + i] + (slot + g) * Hp + from;
      const T* const weights = w + ((gate + g) * Hp + from) * L;
      if constexpr (S != Sum::whole) return multiply_apart<T, R, V>(sums, at, weights, 3 * Hp * L, L, to - from);
      const Ahead ahead = kFetch ? earlier<R, V>(first, v, count) : Ahead();
      multiply<T, R, V, kFetch>(sums, at, weights, 3 * Hp * L, L, to - from, ahead);
    };
    if constexpr (S == Sum::whole) return part(0, 0, count * Hp);
    for (Index g = 0; g < count; ++g) {
      if constexpr (S == Sum::own) part(g, b, e);
      else part(g, 0, b), part(g, e, Hp);
    }
  }

  // Prefetches the saved values of the previous step, a part with each block of columns.
  template <int R, int V> GRUWORKS_INLINE Ahead earlier(Index first, Index v, Index count) {
    const Index bytes = R * 4 * Hp * static_cast<Index>(sizeof(T)), columns = mine.end - mine.begin;
    const Index step = (s.reverse ? 1 : -1) * s.batch * 4 * Hp;
    const char* const rows_of_it = reinterpret_cast<const char*>(rows.work[first] + step);
    return {rows_of_it + bytes / columns * (v - mine.begin), bytes / columns * V / (count * Hp)};
  }

  // The state's gradient through the matrix product. The direct path through z is added after the sum: as its
  // initial value it would round the 3H small addends to its precision, with 3 times torch's error of h0's gradient.
  template <int R, int V, Sum S> void carry_block(Index first, Index v, Index slot, Index count) {
    Vec<T> sums[R][V];
    begin_sums<S>(sums, first, v);
    product<S, R, V>(sums, first, v, slot, 0, count);
    for (int i = 0; i < R; ++i)
      for (int c = 0; c < V; ++c) {
        T* on = carry(rows.row[first + i]) + (v + c) * L;
        if constexpr (S == Sum::own) store(partial + (first + i) * Hp + (v + c) * L, sums[i][c]);
        else store(on, load(on) + masked(first + i, v + c, sums[i][c]));
      }
  }

  // From the gradient of the decayed or masked state to that of the state.
  GRUWORKS_INLINE Vec<T> masked(Index i, Index v, Vec<T> through) {
    if (!s.mask) return through;
    const Index width = s.H - v * L;
    return through * load_part(s.mask + rows.row[i] * s.mask_b + v * L, width);
  }

  template <Sum S, int R, int V> GRUWORKS_INLINE void begin_sums(Vec<T> (&sums)[R][V], Index first, Index v) {
    for (int i = 0; i < R; ++i)
      for (int c = 0; c < V; ++c)
        sums[i][c] = S == Sum::rest ? load(partial + (first + i) * Hp + (v + c) * L) : Vec<T>{};
  }

  // "before": gradient of r * h, hence of r, and its contribution to that of h.
  template <int R, int V, Sum S> void reset_block(Index first, Index v) {
    Vec<T> sums[R][V];
    begin_sums<S>(sums, first, v);
    product<S, R, V>(sums, first, v, 3, 2, 1);
    for (int i = 0; i < R; ++i)
      for (int c = 0; c < V; ++c) {
        if constexpr (S == Sum::own) store(partial + (first + i) * Hp + (v + c) * L, sums[i][c]);
        else reset(first + i, v + c, sums[i][c]);
      }
  }

  GRUWORKS_NOINLINE void reset(Index i, Index v, Vec<T> drh) {
    const Index width = s.H - v * L;
    T* kept = rows.work[i] + v * L;
    T* on = carry(rows.row[i]) + v * L;
    const Vec<T> r = load_part(kept + Hp, width), h = load_part(rows.h[i] + v * L, width);
    store(kept + Hp, only<T>(through_gate<T>(s.activations, drh * h, r), width));
    store(on, load(on) + masked(i, v, drh * r));
  }

  // The replacement of a state takes its gradient.
  void unreplace(Index step) {
    for (Index i = 0; i < rows.active; ++i) {
      const Index b = rows.row[i];
      if (!replaced(s, s.time(b, step), b)) continue;
      T* const on = carry(b);
      for (Index j = begin; grad.replacement && j < end; ++j) grad.replacement[b * s.H + j] += on[j];
      memset(on + begin, 0, sizeof(T) * (end - begin));
    }
  }

  void undecay(Index step) {
    for (Index i = 0; i < rows.active; ++i) {
      const Index b = rows.row[i], t = s.time(b, step);
      const T *d = s.decay.at(t, b), *instead = s.replacement ? s.replacement + b * s.replacement_b : zeros;
      T* on = carry(b);
      for (Index j = begin; j < end; ++j) {
        if (grad.decay.data) grad.decay.at(t, b)[j] = on[j] * (rows.past[i][j] - instead[j]);
        if (grad.replacement) grad.replacement[b * s.H + j] += on[j] * (1 - d[j]);
        on[j] *= d[j];
      }
    }
  }
};

template <class T> void backward(const Sequence<T>& s, const Gradient<T>& grad, Place place, T* scratch) {
  Backward<T>(s, grad, place, scratch).run();
}
template <class T> Index backward_scratch(const Sequence<T>& s, Place place) { return Backward<T>::scratch(s, place); }

}  // namespace gruworks::GRUWORKS_ISA
