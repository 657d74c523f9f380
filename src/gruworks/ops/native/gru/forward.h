// Forward pass of the recurrence: the rows and columns of one thread, over all steps.
//
// Rows of the batch are independent, so groups of threads with different rows never synchronize. With too few rows for
// all threads, the columns of the state are split among the members of a group, which then synchronize once a step
// ("before": twice). A member first sums over its own columns and then waits for the others'; with many columns it
// waits first and sums once, reading its weights in alternating directions, so that the last ones are still in its
// cache: (100, 1, 512, 512) takes 2.38 ms, and 2.59 ms in two sums.
//
// The input's product is summed in the same registers as the state's (no [T, B, 3H] in memory). With fewer than
// kFused rows that would read the input's weights once for each row and step; then kChunk steps are projected at once.
// The same holds for more rows if both weights together exceed the last-level cache.
#pragma once

#include "gru/across.h"
#include "gru/activations.h"
#include "gru/rows.h"
#include "gru/small.h"

namespace gruworks::GRUWORKS_ISA {

constexpr Index kPast = Index{4} << 20;  // bytes of `saved` from which on it is written by non-temporal stores
constexpr Index kFused = 4, kFusedLarge = 17, kChunk = 32;
constexpr Index kLarge = Index{16} << 20;  // bytes of both weights from which on rows below kFusedLarge are projected
constexpr int kTogether = kRows / 2;  // rows whose gates are computed interleaved

enum class Sum { whole, own, rest };  // over all columns of the state, this member's, or the others'

template <class T> class Forward {
  static constexpr Index L = kLanes<T>;
  const Sequence<T>& s;
  Place place;
  Rows<T> rows;
  const Index Hp;
  const Share mine;  // vectors of columns
  const Index begin, end;
  T *zeros, *chunk;
  const bool whole;  // sums over all columns of the state at once
  bool chunked;
  const bool past;  // non-temporal stores of `saved`, which would evict the weights from the caches

 public:
  static Index scratch(const Sequence<T>& s, Place place) {
    const Share share(s.batch, place.group, place.groups);
    const Index count = share.end - share.begin;
    const Index projected = count < fused(s) ? count : 0;
    const Index in_steps = padded(s.H) + kPad + kChunk * projected * 3 * padded(s.H);
    return Rows<T>::scratch(count) + (Across<T>::fits(s, count) ? kPad + padded(s.H) + Across<T>::scratch(s, count) : in_steps);
  }

  // Number of rows from which on the input's product is fused into each step.
  static Index fused(const Sequence<T>& s) {
    return 3 * padded(s.H) * (padded(s.H) + s.I) * static_cast<Index>(sizeof(T)) < kLarge ? kFused : kFusedLarge;
  }

  Forward(const Sequence<T>& sequence, Place at, T* memory)
      : s(sequence), place(at), rows(sequence, at, memory), Hp(padded(s.H)), mine(Hp / L, at.member, at.members),
        begin(mine.begin * L < s.H ? mine.begin * L : s.H), end(mine.end * L < s.H ? mine.end * L : s.H),
        whole(in_one_pass(s, at, s.before ? kOnePass : kOnePassAfter)),
        past(s.saved && at.members == 1 && reinterpret_cast<uintptr_t>(s.saved) % 64 == 0 &&
             s.steps * s.batch * 4 * Hp * static_cast<Index>(sizeof(T)) > kPast) {
    zeros = memory + Rows<T>::scratch(rows.count);
    memset(zeros, 0, sizeof(T) * Hp);
    chunk = zeros + Hp;
    chunked = s.x.data && !s.inputs && rows.count < fused(s) && (rows.steps > 1 || s.exact);
  }

  void run() {
    if (rows.count == 1 && rows.steps > 0 && place.members == 1 && !past && s.small()) return small_row();
    if (Across<T>::fits(s, rows.count)) return across_rows();
    begin_exchange();
    prepare(0);
    for (Index step = 0; step < rows.steps; ++step) {
      if (chunked && step % kChunk == 0) project(step);
      if (s.inputs) norm_inputs();
      if (s.gain) s.before ? normed_before_step() : normed_after_step();
      else s.before ? before_step(step) : after_step(step);
      if (step + 1 < rows.steps) prepare(step + 1);
    }
    for (Index i = 0; i < rows.count; ++i) close(rows.row[i]);
    if (past) fence();
  }

 private:
  void across_rows() {
    Across<T>(s, rows.row, rows.count, chunk).run();
    for (Index i = 0; i < rows.count; ++i) close(rows.row[i]);
  }

  void small_row() {
    const Index b = rows.row[0];
    Small<T> row(s, b, s.h0 ? s.h0 + b * s.h0_b : zeros);
    for (Index step = 0, end; step < rows.steps; step = end) {
      end = chunked && step + kChunk < rows.steps ? step + kChunk : rows.steps;
      if (chunked) project(step);
      row.steps(step, end, chunked ? chunk : nullptr);
    }
    close(b);
  }

  void begin_exchange() {
    for (Index i = 0; s.exchange && i < rows.count; ++i)
      memcpy(rows.exchanged(rows.row[i], 0) + begin, (s.h0 ? s.h0 + rows.row[i] * s.h0_b : zeros) + begin,
             sizeof(T) * (end - begin));
  }

  // Addresses and decayed states of a step, which are then in memory for the other members.
  void prepare(Index step) {
    rows.at(step, zeros);
    if (s.states) s.mask ? mask_state(rows, begin, end) : decay_state(rows, step, begin, end);
    if (place.members == 1) return;
    place.publish();
    if (step + 1 < rows.steps) claim(step + 1);
  }

  // Prefetches the next step's output for writing. A store that misses the cache delays the flag after it.
  void claim(Index step) {
    constexpr Index line = 64 / sizeof(T);
    for (Index i = 0; i < rows.active; ++i) {
      const Index b = rows.row[i];
      if (step >= s.length(b)) return;
      const Index t = s.time(b, step);
      for (Index j = begin; j < end; j += line) __builtin_prefetch(s.output.at(t, b) + j, 1);
      for (Index g = 0; s.saved && g < 4; ++g)
        for (Index j = begin; j < end; j += line)
          __builtin_prefetch(s.saved + (t * s.batch + b) * 4 * Hp + g * Hp + j, 1);
    }
  }

  template <int Most = kRowsOf<T>, class Block> void over_panels(Block&& block, bool backwards = false) {
    for (Index i = mine.begin; i < mine.end; ++i) {
      const Index p = backwards ? mine.end - 1 - (i - mine.begin) : i;
      blocks<Most>([&]<int R>(Index first) { block.template operator()<R>(first, p); });
    }
  }

  template <int Most, class Block> void blocks(Block&& block) {
    s.exact ? in_exact_blocks<Most>(rows.active, block) : in_blocks<Most>(rows.active, block);
  }

  bool backwards(Index step) const { return (step + s.turn) % 2; }

  void after_step(Index step) {
    if (whole) {
      if (place.members > 1) place.wait_group();
      if (s.exact && rows.active == 1 && (chunked || !s.x.data))
        return in_groups(mine.begin, mine.end, [&]<int V>(Index p) { exact_columns<V>(step, p); }, backwards(step));
      return over_panels([&]<int R>(Index i, Index p) { after_block<R, Sum::whole>(step, i, p); }, backwards(step));
    }
    over_panels<kFewRows>([&]<int R>(Index i, Index p) { after_block<R, Sum::own>(step, i, p); });
    place.wait_group();
    over_panels<kFewRows>([&]<int R>(Index i, Index p) { after_block<R, Sum::rest>(step, i, p); });
  }

  // One row in exact mode; its input is projected or given.
  template <int V> GRUWORKS_NOINLINE void exact_columns(Index step, Index p) {
    Vec<T> sums[V][3], input[V];
    for (int c = 0; c < V; ++c) {
      Vec<T> row[1][3];
      start<1>(row, step, 0, p + c);
      input[c] = row[0][2];
      sums[c][0] = row[0][0], sums[c][1] = row[0][1], sums[c][2] = load(s.w.bias + 3 * Hp + (p + c) * L);
    }
    multiply_panels<T, V>(sums, rows.h[0], s.w.h + p * s.H * 3 * L, s.H * 3 * L, s.H);
    for (int c = 0; c < V; ++c) {
      const Vec<T> one[1][3] = {{sums[c][0], sums[c][1], sums[c][2]}}, of_input[1] = {input[c]};
      finish<1>(one, of_input, 0, p + c);
    }
  }

  void before_step(Index step) {
    if (whole) {
      if (place.members > 1) place.wait_group();
      over_panels([&]<int R>(Index i, Index p) { reset_block<R, Sum::whole>(step, i, p); }, backwards(step));
      if (place.members > 1) place.publish(), place.wait_group();
      return over_columns<Sum::whole>(backwards(step));
    }
    over_panels<kFewRows>([&]<int R>(Index i, Index p) { reset_block<R, Sum::own>(step, i, p); });
    place.wait_group();
    over_panels<kFewRows>([&]<int R>(Index i, Index p) { reset_block<R, Sum::rest>(step, i, p); });
    place.publish();
    over_columns<Sum::own>();
    place.wait_group();
    over_columns<Sum::rest>();
  }

  template <Sum S> void over_columns(bool backwards = false) {
    in_groups(mine.begin, mine.end, [&]<int V>(Index v) {
      blocks<S == Sum::whole ? kRowsOf<T> : kFewRows>([&]<int R>(Index first) { candidate_block<R, V, S>(first, v); });
    }, backwards);
  }

  // sums += state * weights over the columns of S.
  template <Sum S, int R, int V>
  GRUWORKS_INLINE void product(Vec<T> (&sums)[R][V], const T* const* state, const T* w, Index across, Index along) {
    if constexpr (S == Sum::whole) return multiply<T, R, V>(sums, state, w, across, along, s.H);
    const T* shifted[R];
    const Index from = S == Sum::own ? begin : end, to = S == Sum::own ? end : s.H;
    if constexpr (S == Sum::rest) multiply_apart<T, R, V>(sums, state, w, across, along, begin);
    for (int i = 0; i < R; ++i) shifted[i] = state[i] + from;
    multiply_apart<T, R, V>(sums, shifted, w + from * along, across, along, to - from);
  }

  // Input projections of r, z, n with biases, fused or precomputed.
  template <int R> GRUWORKS_INLINE void start(Vec<T> (&sums)[R][3], Index step, Index first, Index p) {
    const Index width = s.H - p * L;
GRUWORKS_UNROLL(8)
    for (int i = 0; i < R; ++i)
GRUWORKS_UNROLL(3)
      for (int g = 0; g < 3; ++g) {
        const Vec<T> bias = load(s.w.bias + g * Hp + p * L);
        if (chunked) sums[i][g] = load(projected(step, actual(first + i)) + ((p - mine.begin) * 3 + g) * L);
        else if (s.x.data || width <= 0) sums[i][g] = bias;
        else sums[i][g] = bias + load_part(rows.x[first + i] + g * s.H + p * L, width);
      }
    if (s.x.data && !chunked)
      multiply<T, R, 3>(sums, rows.x + first, s.w.x + p * s.I * 3 * L, L, 3 * L, s.I);
  }

  Index actual(Index i) const { return s.exact && i >= rows.active ? rows.active - 1 : i; }  // beyond: copies of the last

  T* projected(Index step, Index i) {
    return chunk + (step % kChunk * rows.count + i) * (mine.end - mine.begin) * 3 * L;
  }

  void project(Index step) {
    constexpr int R = kRowsOf<T>;
    const T* from[kChunk * kFusedLarge + R];
    T* to[kChunk * kFusedLarge + R];
    Index n = 0;
    for (Index later = step; later < step + kChunk && later < rows.steps; ++later)
      for (Index i = 0; i < rows.count && s.length(rows.row[i]) > later; ++i) {
        from[n] = s.x.at(s.time(rows.row[i], later), rows.row[i]);
        to[n++] = projected(later, i);
      }
    for (Index p = mine.begin; p < mine.end; ++p)
      in_whole_blocks<R>(n, [&](Index first) {
        Vec<T> sums[R][3];
        for (int i = 0; i < R; ++i)
          for (int g = 0; g < 3; ++g) sums[i][g] = load(s.w.bias + g * Hp + p * L);
        multiply<T, R, 3>(sums, from + first, s.w.x + p * s.I * 3 * L, L, 3 * L, s.I);
        for (int i = 0; i < R; ++i)
          for (int g = 0; g < 3; ++g) store(to[first + i] + ((p - mine.begin) * 3 + g) * L, sums[i][g]);
      }, from, to);
  }

  template <int R, Sum S> void after_block(Index step, Index first, Index p) {
    Vec<T> sums[R][3], input[R];
    if constexpr (S == Sum::rest) {
GRUWORKS_UNROLL(8)
      for (int i = 0; i < R; ++i) {
        const T* kept = rows.work[first + i] + p * L;
        sums[i][0] = load(kept + Hp), sums[i][1] = load(kept + 2 * Hp), sums[i][2] = load(kept);
      }
    } else {
      start<R>(sums, step, first, p);
GRUWORKS_UNROLL(8)
      for (int i = 0; i < R; ++i) {
        input[i] = sums[i][2];
        sums[i][2] = load(s.w.bias + 3 * Hp + p * L);
      }
    }
    product<S, R, 3>(sums, rows.h + first, s.w.h + p * s.H * 3 * L, L, 3 * L);
    if constexpr (S == Sum::own) {
GRUWORKS_UNROLL(8)
      for (int i = 0; i < R; ++i) {
        T* kept = rows.work[first + i] + p * L;
        store(kept, sums[i][2]), store(kept + Hp, sums[i][0]);
        store(kept + 2 * Hp, sums[i][1]), store(kept + 3 * Hp, input[i]);
      }
    } else {
      if constexpr (S == Sum::rest)
GRUWORKS_UNROLL(8)
        for (int i = 0; i < R; ++i) input[i] = load(rows.work[first + i] + p * L + 3 * Hp);
      finish<R>(sums, input, first, p);
    }
  }

  // Gates and new states of R rows, a few at a time.
  template <int R, int From = 0> GRUWORKS_INLINE void finish(const Vec<T> (&sums)[R][3], const Vec<T> (&input)[R], Index first, Index p) {
    constexpr int N = R - From < kTogether ? R - From : kTogether;
    s.activations.usual() ? some_states<N, true>(sums + From, input + From, first + From, p)
                          : some_states<N, false>(sums + From, input + From, first + From, p);
    if constexpr (From + N < R) finish<R, From + N>(sums, input, first, p);
  }

  // Not inlined into each of the blocks, whose accumulators it would compete with for registers.
  template <int N, bool Usual>
  GRUWORKS_NOINLINE void some_states(const Vec<T> (*sums)[3], const Vec<T>* input, Index first, Index p) {
    const Index width = s.H - p * L;
    Vec<T> both[2 * N], r[N], a[N];
    Fraction<T> open[2 * N];
GRUWORKS_UNROLL(8)
    for (int i = 0; i < N; ++i) both[i] = sums[i][0], both[N + i] = sums[i][1];
    if constexpr (Usual) sigmoid_fractions<T, 2 * N>(both, open);
    else gate_fractions<T, 2 * N>(s.activations, both, open);
GRUWORKS_UNROLL(8)
    for (int i = 0; i < N; ++i) r[i] = open[i].value(), a[i] = input[i] + r[i] * sums[i][2];
    Fraction<T> n[N];
    if constexpr (Usual) tanh_fractions<T, N>(a, n);
    else candidate_fractions<T, N>(s.activations, a, n);
GRUWORKS_UNROLL(8)
    for (int i = 0; i < N; ++i) {
      const Index row = first + i;
      const Vec<T> h = load_part(rows.skip[row] + p * L, width), candidate = n[i].value(), z = open[N + i].value();
      keep_state(row, p, candidate + staying<T>(rows, row, p, z, width).stays * (h - candidate), width);
      if (s.saved) {
        T* kept = rows.work[row] + p * L;
        const auto keep = [&](Index quarter, Vec<T> v) __attribute__((always_inline)) {
          past ? store_past(kept + quarter * Hp, v) : store(kept + quarter * Hp, v);
        };
        keep(0, sums[i][2]), keep(1, r[i]), keep(2, z), keep(3, candidate);
      }
    }
  }

  // "before", first half: r and z, r * h for the second half's product, and the input projection of n.
  template <int R, Sum S> void reset_block(Index step, Index first, Index p) {
    Vec<T> sums[R][2];
    if constexpr (S == Sum::rest) {
      for (int i = 0; i < R; ++i)
        for (int g = 0; g < 2; ++g) sums[i][g] = load(rows.work[first + i] + (g + 1) * Hp + p * L);
    } else {
      Vec<T> input[R][3];
      start<R>(input, step, first, p);
GRUWORKS_UNROLL(8)
      for (int i = 0; i < R; ++i) {
        sums[i][0] = input[i][0], sums[i][1] = input[i][1];
        store(rows.work[first + i] + 3 * Hp + p * L, input[i][2] + load(s.w.bias + 3 * Hp + p * L));
      }
    }
    product<S, R, 2>(sums, rows.h + first, s.w.h + p * s.H * 2 * L, L, 2 * L);
    for (int i = 0; i < R; ++i)
      if constexpr (S == Sum::own) {
        T* kept = rows.work[first + i] + p * L;
        store(kept + Hp, sums[i][0]), store(kept + 2 * Hp, sums[i][1]);
      } else {
        resets(first + i, p, sums[i]);
      }
  }

  GRUWORKS_NOINLINE void resets(Index i, Index p, const Vec<T> (&sums)[2]) {
    Fraction<T> gates[2];
    gate_fractions<T, 2>(s.activations, sums, gates);
    T* kept = rows.work[i] + p * L;
    const Vec<T> r = gates[0].value();
    store(kept, r * load_part(rows.h[i] + p * L, s.H - p * L));
    store(kept + Hp, r), store(kept + 2 * Hp, gates[1].value());
  }

  // "before", second half: the candidate from r * h, and the new state. The input projection is added
  // after the sum: as its initial value it would increase the rounding errors (twice the error at T = 200).
  template <int R, int V, Sum S> void candidate_block(Index first, Index v) {
    Vec<T> sums[R][V] = {};
    product<S, R, V>(sums, rows.work + first, s.w.n + v * s.H * L, s.H * L, L);
    for (int i = 0; i < R && first + i < rows.active; ++i)  // beyond: copies, of which `renew` has overwritten the terms
      for (int c = 0; c < V; ++c) {
        T* kept = rows.work[first + i] + (v + c) * L;
        const Vec<T> sum = load(kept + 3 * Hp) + sums[i][c];
        if constexpr (S == Sum::own) store(kept + 3 * Hp, sum);
        else renew(first + i, v + c, kept, sum);
      }
  }

  GRUWORKS_NOINLINE void renew(Index i, Index v, T* kept, Vec<T> sum) {
    const Index width = s.H - v * L;
    const Vec<T> sums[1] = {sum}, z = load(kept + 2 * Hp);
    Fraction<T> candidate[1];
    candidate_fractions<T, 1>(s.activations, sums, candidate);
    const Vec<T> n = candidate[0].value();
    const Vec<T> h = load_part(rows.skip[i] + v * L, width);
    keep_state(i, v, n + staying<T>(rows, i, v, z, width).stays * (h - n), width);
    if (s.saved) store(kept + 3 * Hp, n);
  }

  // Layer norm needs the whole row of a gate, so all products of a step are computed first, then normalized row by row
  // and turned into gates. They are stored where the backward writes their gradients: n|r|z, or rh|r|z|n.
  void normed_after_step() {
    over_panels([&]<int R>(Index first, Index p) {
      Vec<T> sums[R][3] = {};
      multiply_apart<T, R, 3>(sums, rows.h + first, s.w.h + p * s.H * 3 * L, L, 3 * L, s.H);
GRUWORKS_UNROLL(8)
      for (int i = 0; i < R; ++i) {
        T* to = rows.terms[first + i] + p * L;
        store(to + Hp, sums[i][0]), store(to + 2 * Hp, sums[i][1]), store(to, sums[i][2]);
      }
    });
    for (Index i = 0; i < rows.active; ++i) {
      T* const a[3] = {rows.terms[i], rows.terms[i] + Hp, rows.terms[i] + 2 * Hp};
      T scale[3];
      normalise<T, 3>(a, a, s.H, scale);
      if (s.saved) keep_scales(i, scale[1], scale[2], scale[0]);
      in_groups(0, Hp / L, [&]<int V>(Index v) { normed_gates<V>(i, v); });
    }
  }

  // Products of x in the same layout: -|r|z|n.
  void norm_inputs() {
    over_panels([&]<int R>(Index first, Index p) {
      Vec<T> sums[R][3] = {};
      multiply_apart<T, R, 3>(sums, rows.x + first, s.w.x + p * s.I * 3 * L, L, 3 * L, s.I);
GRUWORKS_UNROLL(8)
      for (int i = 0; i < R; ++i)
GRUWORKS_UNROLL(3)
        for (int g = 0; g < 3; ++g) store(rows.inputs[first + i] + (g + 1) * Hp + p * L, sums[i][g]);
    });
    for (Index i = 0; i < rows.active; ++i) {
      T* const a[3] = {rows.inputs[i] + Hp, rows.inputs[i] + 2 * Hp, rows.inputs[i] + 3 * Hp};
      T scale[3];
      normalise<T, 3>(a, a, s.H, scale);
      for (Index g = 0; s.saved && g < 3; ++g) rows.scales(i)[4 + g] = scale[g];
    }
  }

  void keep_scales(Index i, T r, T z, T n) {
    T* const to = rows.scales(i);
    to[0] = r, to[1] = z, to[2] = n;
  }

  // Bias plus gain times the normalized product of the state; and the input projection.
  GRUWORKS_INLINE Vec<T> normed(Index v, Index gate, const T* product, const T* bias) {
    const Index n = s.H - v * L;
    return load(bias + v * L) + load_part(s.gain + gate * s.H + v * L, n) * load(product + v * L);
  }
  GRUWORKS_INLINE Vec<T> given(Index i, Index v, Index gate) {
    const Index n = s.H - v * L;
    const Vec<T> bias = gate == 2 ? load(s.w.bias + 2 * Hp + v * L) : Vec<T>{};  // the others are in `normed`
    if (!s.inputs) return bias + load_part(rows.x[i] + gate * s.H + v * L, n);
    return bias + load_part(s.input_gain + gate * s.H + v * L, n) * load(rows.inputs[i] + (gate + 1) * Hp + v * L);
  }

  template <int V> void normed_gates(Index i, Index v) {
    Vec<T> both[2 * V], products[V], a[V];
    Fraction<T> open[2 * V];
    const T* const terms = rows.terms[i];
GRUWORKS_UNROLL(3)
    for (int c = 0; c < V; ++c) {
      both[c] = given(i, v + c, 0) + normed(v + c, 0, terms + Hp, s.w.bias);
      both[V + c] = given(i, v + c, 1) + normed(v + c, 1, terms + 2 * Hp, s.w.bias + Hp);
      products[c] = normed(v + c, 2, terms, s.w.bias + 3 * Hp);
    }
    gate_fractions<T, 2 * V>(s.activations, both, open);
GRUWORKS_UNROLL(3)
    for (int c = 0; c < V; ++c) both[c] = open[c].value(), a[c] = given(i, v + c, 2) + both[c] * products[c];
    Fraction<T> n[V];
    candidate_fractions<T, V>(s.activations, a, n);
GRUWORKS_UNROLL(3)
    for (int c = 0; c < V; ++c) {
      const Index width = s.H - (v + c) * L;
      const Vec<T> candidate = n[c].value(), z = open[V + c].value();
      const Vec<T> h = load_part(rows.skip[i] + (v + c) * L, width);
      keep_state(i, v + c, candidate + staying<T>(rows, i, v + c, z, width).stays * (h - candidate), width);
      if (!s.saved) continue;
      T* kept = rows.work[i] + (v + c) * L;
      store(kept, products[c]), store(kept + Hp, both[c]), store(kept + 2 * Hp, z), store(kept + 3 * Hp, candidate);
    }
  }

  void normed_before_step() {
    over_panels([&]<int R>(Index first, Index p) {
      Vec<T> sums[R][2] = {};
      multiply_apart<T, R, 2>(sums, rows.h + first, s.w.h + p * s.H * 2 * L, L, 2 * L, s.H);
      for (int i = 0; i < R; ++i)
        for (int g = 0; g < 2; ++g) store(rows.terms[first + i] + (g + 1) * Hp + p * L, sums[i][g]);
    });
    for (Index i = 0; i < rows.active; ++i) {
      T* const a[2] = {rows.terms[i] + Hp, rows.terms[i] + 2 * Hp};
      T scale[2];
      normalise<T, 2>(a, a, s.H, scale);
      if (s.saved) keep_scales(i, scale[0], scale[1], 0);
      for (Index v = 0; v < Hp / L; ++v) normed_resets(i, v);
    }
    in_groups(mine.begin, mine.end, [&]<int V>(Index v) {
      blocks<kRowsOf<T>>([&]<int R>(Index first) {
        Vec<T> sums[R][V] = {};
        multiply_apart<T, R, V>(sums, rows.terms + first, s.w.n + v * s.H * L, s.H * L, L, s.H);
        for (int i = 0; i < R; ++i)
          for (int c = 0; c < V; ++c) store(rows.terms[first + i] + 3 * Hp + (v + c) * L, sums[i][c]);
      });
    });
    for (Index i = 0; i < rows.active; ++i) {
      T* const a[1] = {rows.terms[i] + 3 * Hp};
      T scale[1];
      normalise<T, 1>(a, a, s.H, scale);
      if (s.saved) rows.scales(i)[2] = scale[0];
      for (Index v = 0; v < Hp / L; ++v)
        renew(i, v, rows.work[i] + v * L, given(i, v, 2) + normed(v, 2, a[0], s.w.bias + 3 * Hp));
    }
  }

  GRUWORKS_INLINE void normed_resets(Index i, Index v) {
    const Index width = s.H - v * L;
    T *terms = rows.terms[i], *kept = rows.work[i] + v * L;
    const Vec<T> sums[2] = {given(i, v, 0) + normed(v, 0, terms + Hp, s.w.bias),
                            given(i, v, 1) + normed(v, 1, terms + 2 * Hp, s.w.bias + Hp)};
    Fraction<T> gates[2];
    gate_fractions<T, 2>(s.activations, sums, gates);
    const Vec<T> r = gates[0].value(), z = gates[1].value(), rh = r * load_part(rows.h[i] + v * L, width);
    store(terms + v * L, rh), store(kept, rh), store(kept + Hp, r), store(kept + 2 * Hp, z);
  }

  GRUWORKS_INLINE void keep_state(Index i, Index v, Vec<T> state, Index width) {
    if (width > 0) store_part(rows.out[i] + v * L, state, width);
    if (rows.next[i]) store(rows.next[i] + v * L, state);
  }

  // Final state at the row's own end; zero outputs beyond it.
  void close(Index b) {
    const Index length = s.length(b);
    const T* last = length ? s.output.at(s.time(b, length - 1), b) : s.h0 ? s.h0 + b * s.h0_b : zeros;
    memcpy(s.final + b * s.H + begin, last + begin, sizeof(T) * (end - begin));
    for (Index t = length; t < s.steps; ++t) memset(s.output.at(t, b) + begin, 0, sizeof(T) * (end - begin));
  }
};

template <class T> void forward(const Sequence<T>& s, Place place, T* scratch) {
  Forward<T>(s, place, scratch).run();
}
template <class T> Index forward_scratch(const Sequence<T>& s, Place place) { return Forward<T>::scratch(s, place); }

}  // namespace gruworks::GRUWORKS_ISA
