// Step of an attention decoder for some rows, from the last token to the best next ones: the work of one thread.
//
// Only the weights are large, 3 MB of float32 and the output layer at H = 256, so they are read once for kChunk rows,
// panel by panel, and intermediate results stay in the L1 and L2 caches.
#pragma once

#include "attention_decoder/layer.h"
#include "core/multiply.h"
#include "quantised/narrow.h"
#include "core/norm.h"

namespace gruworks::GRUWORKS_ISA {

constexpr Index kChunk = 24;  // rows whose logits for 8,000 tokens fit into an L2 cache of 1 MB

inline Index panels_of(Index N) { return padded(N) / kL; }

inline void pack_affine(const float* w, Index K, Index N, float* to) {
  in_groups(0, panels_of(N), [&]<int G>(Index v) {
    for (Index k = 0; k < K; ++k)
      for (int c = 0; c < G; ++c) {
        const Index width = N - (v + c) * kL;
        store(to + v * K * kL + (k * G + c) * kL, width > 0 ? load_part(w + k * N + (v + c) * kL, width) : V{});
      }
  });
}

// Calls put(i, v, sums) for every row i and vector v with sums = init(i, v) + rows[i] W.
template <class Init, class Put>
GRUWORKS_INLINE void affine(const Affine& w, Index n, const float* const* rows, Init&& init, Put&& put) {
  in_groups(0, panels_of(w.N), [&]<int G>(Index v) {
    in_blocks<kRows>(n, [&]<int R>(Index first) {
      V sums[R][G];
GRUWORKS_UNROLL(8)
      for (int i = 0; i < R; ++i)
GRUWORKS_UNROLL(3)
        for (int c = 0; c < G; ++c) sums[i][c] = init(first + i, v + c);
      multiply_apart<float, R, G>(sums, rows + first, w.panels + v * w.K * kL, kL, G * kL, w.K);
      for (int i = 0; i < R; ++i)
        for (int c = 0; c < G; ++c) put(first + i, v + c, sums[i][c]);
    });
  });
}

template <int N> GRUWORKS_INLINE void exponentials(const V (&a)[N], V (&to)[N]) {
  V y[N];
  Power<float> e[N];
GRUWORKS_UNROLL(8)
  for (int j = 0; j < N; ++j) y[j] = a[j] * static_cast<float>(kLog2e);
  power_of_two<float, N>(y, e);
GRUWORKS_UNROLL(8)
  for (int j = 0; j < N; ++j) to[j] = e[j].scale + e[j].scale * e[j].rest;
}

// Of n elements, a multiple of the lanes.
inline float largest(const float* a, Index n) {
  V most = load(a);
  for (Index j = kL; j < n; j += kL) {
    const V v = load(a + j);
    most = v > most ? v : most;
  }
  float top = most[0];
  for (Index i = 1; i < kL; ++i) top = most[i] > top ? most[i] : top;
  return top;
}

// Σ exp(a - top); with Keep the exponentials replace a.
template <bool Keep> float sum_of_exponentials(float* a, Index n, float top) {
  V sum[4] = {};
  Index j = 0;
  const auto some = [&]<int N>() __attribute__((always_inline)) {
    V v[N], e[N];
    for (int i = 0; i < N; ++i) v[i] = load(a + j + i * kL) - top;
    exponentials<N>(v, e);
    for (int i = 0; i < N; ++i) {
      sum[i] += e[i];
      if (Keep) store(a + j + i * kL, e[i]);
    }
    j += N * kL;
  };
  while (j + 4 * kL <= n) some.template operator()<4>();
  while (j < n) some.template operator()<1>();
  return total<float>((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

// True if any element of v is above the limit.
GRUWORKS_INLINE bool any_above(V v, float limit) {
#if defined(__AVX512F__)
  return _mm512_cmp_ps_mask((__m512)v, _mm512_set1_ps(limit), _CMP_GT_OQ) != 0;
#elif defined(__AVX2__)
  return _mm256_movemask_ps(_mm256_cmp_ps((__m256)v, _mm256_set1_ps(limit), _CMP_GT_OQ)) != 0;
#else
  for (Index i = 0; i < kL; ++i)
    if (v[i] > limit) return true;
  return false;
#endif
}

// The `best` largest of n elements in descending order and their indices, ties by index; NaNs are skipped.
inline void select_best(const float* a, Index n, Index best, float* values, int64_t* places) {
  for (Index i = 0; i < best; ++i) values[i] = -__builtin_inff(), places[i] = 0;
  for (Index j = 0; j < n; j += kL) {
    if (!any_above(load(a + j), values[best - 1])) continue;
    for (Index i = j; i < j + kL; ++i) {
      if (!(a[i] > values[best - 1])) continue;
      Index at = best - 1;
      for (; at > 0 && a[i] > values[at - 1]; --at) values[at] = values[at - 1], places[at] = places[at - 1];
      values[at] = a[i], places[at] = i;
    }
  }
}

class Decode {
  const DecoderLayer& d;
  const Sources& sources;
  const DecoderStep& step;
  const Index Hp, Ap, Ep, Gp, Cp, Sp, Vp;
  float *terms, *out, *work, *norm, *query, *weights, *context, *gates, *features, *whole, *scores, *gru;
  Index order[kChunk];

 public:
  static Index scratch(const DecoderLayer& d, const Sources& s) {
    Sequence<float> one{};
    one.steps = 1, one.batch = kChunk, one.H = d.H;
    const Index Hp = padded(d.H), Gp = padded(3 * d.H), Ep = padded(d.E);
    const Index row = 3 * Gp + 6 * Hp + padded(d.A) + padded(s.steps) + 3 * Ep + 3 * padded(d.part);
    return kChunk * row + d.gru->forward_scratch(one, Place());
  }

  Decode(const DecoderLayer& layer, const Sources& from, const DecoderStep& what, float* memory)
      : d(layer), sources(from), step(what), Hp(padded(d.H)), Ap(padded(d.A)), Ep(padded(d.E)), Gp(padded(3 * d.H)),
        Cp(Gp + Ep), Sp(padded(from.steps)), Vp(padded(d.part)) {
    float* at = memory;
    const auto take = [&](Index n) {
      float* const taken = at;
      at += kChunk * n;
      return taken;
    };
    terms = take(Gp), out = take(Hp), work = take(4 * Hp), norm = take(Hp), query = take(Ap), weights = take(Sp);
    context = take(Cp), gates = take(Gp), features = take(Ep), whole = take(Ep), scores = take(3 * Vp);
    gru = at;
    for (Index i = 0; i < kChunk; ++i) order[i] = i;
  }

  void run(Index begin, Index end) {
    const Index chunks = (end - begin + kChunk - 1) / kChunk;
    for (Index i = 0; i < chunks; ++i)
      some(begin + (end - begin) * i / chunks, begin + (end - begin) * (i + 1) / chunks);
  }

 private:
  // One GRU step of rows [a, a + n) over precomputed input projections, `stride` apart.
  Sequence<float> recurrence(Index a, Index n, const float* gi, Index stride, const float* h, float* to,
                             const Packed<float>& w) const {
    Sequence<float> s{};
    s.steps = 1, s.batch = n, s.H = d.H, s.before = d.before, s.turn = step.turn, s.w = w, s.order = order;
    s.gi = {gi, 0, stride};
    s.h0 = h + a * d.H, s.h0_b = d.H;
    s.output = {out, 0, Hp};
    s.final = to + a * d.H;
    s.work = d.before ? work : nullptr;
    return s;
  }

  // Rows [a, b) of the step, at most kChunk.
  void some(Index a, Index b) {
    const Index n = b - a;
    const float* rows[kChunk];
    for (Index i = 0; i < n; ++i)
      memcpy(terms + i * Gp, d.first_projections + step.tokens[a + i] * 3 * d.H, sizeof(float) * 3 * d.H);
    d.gru->forward(recurrence(a, n, terms, Gp, step.first, step.first_out, d.first), Place(), gru);
    for (Index i = 0; i < n; ++i) rows[i] = normed(step.first_out + (a + i) * d.H, norm + i * Hp);
    affine(d.query, n, rows, [](Index, Index) { return V{}; },
           [&](Index i, Index v, V sum) { store(query + i * Ap + v * kL, sum); });
    attend(a, b);
    affine(d.gates, n, rows,
           [&](Index i, Index v) { return load(d.gates_bias + v * kL) + load(context + i * Cp + v * kL); },
           [&](Index i, Index v, V sum) { store(gates + i * Gp + v * kL, sum); });
    d.gru->forward(recurrence(a, n, gates, Gp, step.second, step.second_out, d.second), Place(), gru);
    for (Index i = 0; i < n; ++i) rows[i] = step.second_out + (a + i) * d.H;
    affine(d.readout, n, rows,
           [&](Index i, Index v) {
             const float* const word = d.word_projections + step.tokens[a + i] * d.E + v * kL;
             return load(context + i * Cp + Gp + v * kL) + load_part(word, d.E - v * kL);
           },
           [&](Index i, Index v, V sum) {
             store(features + i * Ep + v * kL, tanh_fraction<float>(sum).value());
           });
    d.kind == Narrow::int8 ? score<Int8>(n) : score<Float32>(n);
    for (Index i = 0; i < n; ++i) answer(a + i, scores + i * 3 * Vp);
  }

  const float* normed(const float* state, float* to) const {
    float scale[1];
    const float* const from[1] = {state};
    float* const own[1] = {to};
    normalise<float, 1>(from, own, d.H, scale, d.epsilon);
    along<float>(d.H, [&](Index j, Index width) __attribute__((always_inline)) {
      store_part(to + j, load_part(d.gain + j, width) * load(to + j) + load_part(d.shift + j, width), width);
    });
    return to;
  }

  // Attention: softmax of v · σ(query + key) over the source, then the weighted mean of `read`.
  void attend(Index a, Index b) {
    const Index each = step.rows / sources.count;
    for (Index i = a; i < b;) {
      const Index sentence = i / each, end = (sentence + 1) * each < b ? (sentence + 1) * each : b;
      const Index length = sources.lengths[sentence];
      const float* rows[kChunk];
      for (Index k = i; k < end; ++k) rows[k - i] = weigh(k - a, sentence, length);
      const Affine read = {nullptr, length, Cp};
      read_source(read, end - i, rows, sources.read + sentence * sources.steps * Cp, context + (i - a) * Cp);
      i = end;
    }
  }

  GRUWORKS_INLINE void read_source(const Affine& w, Index n, const float* const* rows, const float* from, float* to) {
    in_groups(0, panels_of(w.N), [&]<int G>(Index v) {
      in_blocks<kRows>(n, [&]<int R>(Index first) {
        V sums[R][G] = {};
        multiply_apart<float, R, G>(sums, rows + first, from + v * kL, kL, Cp, w.K);
        for (int i = 0; i < R; ++i)
          for (int c = 0; c < G; ++c) store(to + (first + i) * Cp + (v + c) * kL, sums[i][c]);
      });
    });
  }

  float* weigh(Index i, Index sentence, Index length) {
    const float* const q = query + i * Ap;
    const float* key = sources.keys + sentence * sources.steps * d.A;
    float* const to = weights + i * Sp;
    for (Index s = 0; s < length; ++s, key += d.A) {
      V sums[4] = {};
      Index j = 0;
      const auto some = [&]<int N>() __attribute__((always_inline)) {
        V a[N];
        Fraction<float> open[N];
        for (int c = 0; c < N; ++c) a[c] = load(q + j + c * kL) + load_part(key + j + c * kL, d.A - j - c * kL);
        sigmoid_fractions<float, N>(a, open);
        for (int c = 0; c < N; ++c) sums[c] += load(d.score + j + c * kL) * open[c].value();
        j += N * kL;
      };
      while (j + 4 * kL <= d.A) some.template operator()<4>();
      while (j < d.A) some.template operator()<1>();
      to[s] = total<float>((sums[0] + sums[1]) + (sums[2] + sums[3]));
    }
    const Index n = (length + kL - 1) / kL * kL;
    for (Index s = length; s < n; ++s) to[s] = -__builtin_inff();
    const float share = 1 / sum_of_exponentials<true>(to, n, largest(to, n));
    for (Index s = 0; s < n; s += kL) store(to + s, load(to + s) * share);
    return to;
  }

  // Logits of n rows, [3][Vp] each.
  template <class F> void score(Index n) {
    float of_row[kChunk];
    typename F::Row* const own = as<F>(whole);
    for (Index i = 0; i < n; ++i) of_row[i] = F::read(own + i * Ep, features + i * Ep, d.E);
    for (Index p = 0; p < Vp / kL; ++p)
      in_blocks<kRows>(n, [&]<int R>(Index first) {
        V to[R][3];
        product<F, R, 3>(d.head, p, Vp, own + first * Ep, Ep, of_row + first, to);
        for (int i = 0; i < R; ++i)
          for (int g = 0; g < 3; ++g) {
            const Index at = g * Vp + p * kL;
            store(scores + (first + i) * 3 * Vp + at, to[i][g] + load(d.head_bias + at));
          }
      });
  }

  void answer(Index row, float* own) {
    const float top = largest(own, 3 * Vp);
    const float rest = top + __builtin_logf(sum_of_exponentials<false>(own, 3 * Vp, top));
    if (step.best) {
      float* const values = step.values + row * step.best;
      int64_t* const symbols = step.best_symbols + row * step.best;
      select_best(own, 3 * Vp, step.best, values, symbols);
      for (Index i = 0; i < step.best; ++i) {
        values[i] -= rest;
        symbols[i] = symbols[i] / Vp * d.part + symbols[i] % Vp;
      }
    }
    if (!step.log_probabilities) return;
    for (Index g = 0; g < 3; ++g) {
      const Index begin = g * d.part, width = d.symbols - begin < d.part ? d.symbols - begin : d.part;
      float* const to = step.log_probabilities + row * d.symbols + begin;
      for (Index j = 0; j < width; j += kL) store_part(to + j, load(own + g * Vp + j) - rest, width - j);
    }
  }
};

inline void decode(const DecoderLayer& d, const Sources& s, const DecoderStep& what, Index begin, Index end, float* memory) {
  Decode(d, s, what, memory).run(begin, end);
}

}  // namespace gruworks::GRUWORKS_ISA
