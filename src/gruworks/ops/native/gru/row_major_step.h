// Steps of a plain layer from row-major weights [3H, K], forward and backward.
//
// Forward computes dot products of each unit's row with the state, L units at once, backward linear combinations of a
// few rows at once. Gates follow after all products of a step.
//
// The members of one group divide the units (backward: the columns) and synchronize at each step.
#pragma once

#include "gru/rows.h"

namespace gruworks::GRUWORKS_ISA {

// to[lane u] = the sum of the lanes of v[u].
template <class T, int Bit = 1> GRUWORKS_INLINE Vec<T> lane_sums(Vec<T> (&v)[kLanes<T>]) {
  constexpr Index L = kLanes<T>;  // lanes with this bit come from the second vector
  const auto own = [](Index i) { return i & Bit ? i - Bit + L : i; };
  const auto other = [](Index i) { return i & Bit ? i + L : i + Bit; };
GRUWORKS_UNROLL(8)
  for (Index i = 0; i < L / (2 * Bit); ++i)
    v[i] = shuffle<T>(v[2 * i], v[2 * i + 1], own) + shuffle<T>(v[2 * i], v[2 * i + 1], other);
  if constexpr (2 * Bit < L) return lane_sums<T, 2 * Bit>(v);
  else return v[0];
}

// A matrix [., K] from some row on, times a few rows of K numbers.
template <class T> struct Product {
  const T* rows;
  const T* const* in;
  Index K;
};

// Work of a thread: all rows of the batch, its part of the units.
template <class T> class RowMajorPart {
 protected:
  static constexpr Index L = kLanes<T>;
  const Sequence<T>& s;
  const Weights<T>& w;
  Place place;
  const Index Hp, begin, end;  // units
  const T* zeros;             // [Hp]

  RowMajorPart(const Sequence<T>& sequence, const Weights<T>& weights, Place at, const T* zero)
      : s(sequence), w(weights), place(at), Hp(padded(s.H)), begin(unit(at.member)), end(unit(at.member + 1)),
        zeros(zero) {}

  Index unit(Index member) const {
    const Index at = Hp / kPad * member / place.members * kPad;
    return at < s.H ? at : s.H;
  }
  Index last() const { return end == s.H ? Hp : end; }  // the last member has the padding
  T* kept(Index t, Index b) const { return (s.saved ? s.saved + t * s.batch * 4 * Hp : s.work) + b * 4 * Hp; }
  void meet() {
    if (place.members > 1) place.publish(), place.wait_group();
  }
};

template <class T> class RowMajorForward : RowMajorPart<T> {
  using Part = RowMajorPart<T>;
  using Part::L, Part::s, Part::w, Part::Hp, Part::begin, Part::end, Part::zeros, Part::kept, Part::last;
  static constexpr int kFew = L < 4 ? 2 : 4;  // rows of the batch at once
  static constexpr int kSums = L < 8 ? 8 / L : 1;  // for each unit: 8 sums hide the adder's latency

 public:
  RowMajorForward(const Sequence<T>& sequence, const Weights<T>& weights, Place at, const T* zero)
      : Part(sequence, weights, at, zero) {}

  void run() {
    for (Index step = 0; step < s.steps; ++step) {
      const Index t = s.time(0, step);
      for (Index b = 0; b < s.batch;) {
        const Index rest = s.batch - b;
        if (kFew == 4 && rest >= 4) products<kFew>(t, b), b += 4;
        else if (rest >= 2) products<2>(t, b), b += 2;
        else products<1>(t, b), b += 1;
      }
      if (s.before) before(t);
      else for (Index b = 0; b < s.batch; ++b) after(t, b);
      if (step + 1 < s.steps) this->meet();
    }
    for (Index b = 0; b < s.batch; ++b) close(b);
  }

 private:
  // A step's products of R rows: n of the state (or of x, "before"), r, z, n of x.
  template <int R> void products(Index t, Index b) {
    const T *h[R], *x[R];
    T* to[R];
    for (int i = 0; i < R; ++i) {
      h[i] = past_state(s, t, b + i, zeros), to[i] = kept(t, b + i);
      x[i] = s.x.data ? s.x.at(t, b + i) : nullptr;
    }
    const auto of_x = [&](Index gate) { return Product<T>{w.w_ih + gate * s.H * s.I, x, s.x.data ? s.I : 0}; };
    const auto of_h = [&](Index gate) { return Product<T>{w.w_hh + gate * s.H * s.H, h, s.H}; };
    const bool down = turn();
    for (int i = 0; i < 4; ++i) switch (down ? 3 - i : i) {
        case 0: multiply_units<R>(to, Hp, of_h(0), of_x(0), down); break;
        case 1: multiply_units<R>(to, 2 * Hp, of_h(1), of_x(1), down); break;
        case 2:
          if (!s.before) multiply_units<R>(to, 0, of_h(2), {nullptr, h, 0}, down);
          break;
        case 3:
          if (s.x.data) multiply_units<R>(to, 3 * Hp, of_x(2), {nullptr, h, 0}, down);
      }
  }

  // Whether this pass over the weights goes from the last row to the first: every other pass does, so that it begins
  // with the rows that are still in the cache when all of them don't fit.
  bool turn() const {
    static thread_local uint64_t passes = 0;  // a bit for each of 64 classes of addresses
    const uint64_t bit = uint64_t(1) << (reinterpret_cast<uintptr_t>(w.w_hh) * 0x9E3779B97F4A7C15u >> 58);
    return (passes ^= bit) & bit;
  }

  // to[i][at + j] = the two products of row i for this thread's units j, taken from the last one on if `down`.
  template <int R> void multiply_units(T* const* to, Index at, Product<T> one, Product<T> other, bool down) {
    constexpr Index U = L / R;
    for (Index k = begin; k < end; k += U) {
      const Index j = down ? begin + (end - 1 - k) / U * U : k;
      // Fewer units than lanes: the vector begins earlier, and its other lanes are preserved.
      const Index from = j + U <= s.H ? j : s.H < U ? 0 : s.H - U, count = j + U <= s.H ? U : s.H - j;
      T sums[L];
      store(sums, s.H < U ? unit_sums<R, true>(from, one, other) : unit_sums<R, false>(from, one, other));
      for (int i = 0; i < R; ++i) memcpy(to[i] + at + j, sums + i * U + (j - from), sizeof(T) * count);
    }
  }

  template <int R, bool Few> GRUWORKS_INLINE Vec<T> unit_sums(Index from, Product<T> one, Product<T> other) {
    Vec<T> sums[kSums][L] = {};
    add_product<R, Few>(sums, from, one);
    if (other.K) add_product<R, Few>(sums, from, other);
GRUWORKS_UNROLL(4)
    for (int c = 1; c < kSums; ++c)
GRUWORKS_UNROLL(16)
      for (int u = 0; u < L; ++u) sums[0][u] += sums[c][u];
    return lane_sums<T>(sums[0]);
  }

  // sums[.][i * U + u] += row `from` + u of the matrix times row i. Few: beyond the H rows the last is repeated.
  template <int R, bool Few>
  GRUWORKS_INLINE void add_product(Vec<T> (&sums)[kSums][L], Index from, const Product<T>& p) {
    constexpr Index U = L / R;
    const T* const matrix = p.rows + from * p.K;
    Index k = 0;
    const auto some = [&](int c, Index n) __attribute__((always_inline)) {
      Vec<T> in[R];
GRUWORKS_UNROLL(4)
      for (int i = 0; i < R; ++i) in[i] = n >= L ? load(p.in[i] + k) : load_part(p.in[i] + k, n);
      const T* row = matrix + k;
GRUWORKS_UNROLL(16)
      for (Index u = 0; u < U; ++u) {
        const T* const at = Few ? matrix + k + (u < s.H ? u : s.H - 1) * p.K : row + u % 4 * p.K;
        const Vec<T> weights = n >= L ? load(at) : load_part(at, n);
GRUWORKS_UNROLL(4)
        for (int i = 0; i < R; ++i) sums[c][i * U + u] += weights * in[i];
        if (u % 4 == 3) row += 4 * p.K;
      }
      k += L;
    };
    for (; k + kSums * L <= p.K;)
GRUWORKS_UNROLL(4)
      for (int c = 0; c < kSums; ++c) some(c, L);
    while (k + L <= p.K) some(0, L);
    if (k < p.K) some(0, p.K - k);
  }

  // Zero without a bias and beyond the last unit.
  GRUWORKS_INLINE Vec<T> bias(const T* b, Index gate, Index j) const {
    return b ? load_part(b + gate * s.H + j, s.H - j) : Vec<T>{};
  }
  // Addends of a gate beside the products: precomputed input projections, the bias.
  GRUWORKS_INLINE Vec<T> given(Index t, Index b, Index gate, Index j) const {
    const Vec<T> ready = s.x.data ? Vec<T>{} : load_part(s.gi.at(t, b) + gate * s.H + j, s.H - j);
    return ready + bias(w.b_ih, gate, j);
  }
  GRUWORKS_INLINE Vec<T> gate(Index t, Index b, Index number, Index j) const {
    const Vec<T> product = load_part(kept(t, b) + (number + 1) * Hp + j, s.H - j);
    return sigmoid<T>(product + (given(t, b, number, j) + bias(w.b_hh, number, j)));
  }
  GRUWORKS_INLINE Vec<T> input(const T* own, Index t, Index b, Index j) const {
    const Vec<T> product = s.x.data ? load_part(own + 3 * Hp + j, s.H - j) : Vec<T>{};
    return product + given(t, b, 2, j);
  }
  GRUWORKS_INLINE void renew(Index t, Index b, Index j, Vec<T> n, Vec<T> z) {
    const Vec<T> h = load_part(past_state(s, t, b, zeros) + j, s.H - j);
    store_part(s.output.at(t, b) + j, n + z * (h - n), s.H - j);
    if (s.saved) store(kept(t, b) + 3 * Hp + j, n);
  }

  void after(Index t, Index b) {
    T* const own = kept(t, b);
    for (Index j = begin; j < last(); j += L) {
      const Vec<T> r = gate(t, b, 0, j), z = gate(t, b, 1, j);
      const Vec<T> hn = load_part(own + j, s.H - j) + bias(w.b_hh, 2, j);
      const Vec<T> n = tanh_fraction<T>(input(own, t, b, j) + r * hn).value();
      if (s.saved) store(own + j, hn), store(own + Hp + j, r), store(own + 2 * Hp + j, z);
      renew(t, b, j, n, z);
    }
  }

  void before(Index t) {
    for (Index b = 0; b < s.batch; ++b) {
      T* const own = kept(t, b);
      const T* const h = past_state(s, t, b, zeros);
      for (Index j = begin; j < last(); j += L) {
        const Vec<T> r = gate(t, b, 0, j), z = gate(t, b, 1, j), x = input(own, t, b, j) + bias(w.b_hh, 2, j);
        store(own + j, r * load_part(h + j, s.H - j));
        store(own + Hp + j, r), store(own + 2 * Hp + j, z), store(own + 3 * Hp + j, x);
      }
    }
    this->meet();
    for (Index b = 0; b < s.batch; ++b) {
      T* const own = kept(t, b);
      const T* rh[1] = {own};
      for (Index j = begin; j < last(); j += L) {
        T sums[L];
        T* const to[1] = {sums};
        candidate(to, rh, j);
        const Vec<T> n = tanh_fraction<T>(load_part(own + 3 * Hp + j, s.H - j) + load_part(sums, s.H - j)).value();
        renew(t, b, j, n, load(own + 2 * Hp + j));
      }
    }
  }

  // to[0][.] = W_hn r h for the units from j on.
  void candidate(T* const* to, const T* const* rh, Index j) {
    const Product<T> product{w.w_hh + 2 * s.H * s.H, rh, s.H};
    const Index from = j + L <= s.H ? j : s.H < L ? 0 : s.H - L, count = j + L <= s.H ? L : s.H - j;
    if (count <= 0) return;
    T sums[L];
    store(sums, s.H < L ? unit_sums<1, true>(from, product, {nullptr, rh, 0})
                        : unit_sums<1, false>(from, product, {nullptr, rh, 0}));
    memcpy(to[0], sums + (j - from), sizeof(T) * count);
  }

  void close(Index b) {
    const T* const last = s.output.at(s.time(b, s.steps - 1), b);
    if (s.final + b * s.H != last) memcpy(s.final + b * s.H + begin, last + begin, sizeof(T) * (end - begin));
  }
};

template <class T> class RowMajorBackward : RowMajorPart<T> {
  using Part = RowMajorPart<T>;
  using Part::L, Part::s, Part::w, Part::place, Part::Hp, Part::begin, Part::end, Part::zeros, Part::kept,
      Part::last;
  static constexpr int kRowsAtOnce = kBytes == 64 ? 16 : 8, kUses = 4;
  const Gradient<T>& grad;
  T* sums;  // [B][Hp]

 public:
  RowMajorBackward(const Sequence<T>& sequence, const Gradient<T>& gradient, const Weights<T>& weights, Place at,
                   const T* zero, T* scratch)
      : Part(sequence, weights, at, zero), grad(gradient), sums(scratch) {}

  void run() {
    for (Index b = 0; b < s.batch; ++b) open(b);
    for (Index step = s.steps - 1; step >= 0; --step) {
      const Index t = s.time(0, step);
      for (Index b = 0; b < s.batch; ++b)
        for (Index j = begin; j < last(); j += L) s.before ? candidate(t, b, j) : gates(t, b, j);
      this->meet();
      if (s.before) resets(t);
      to_state(t);
    }
    for (Index b = 0; grad.h0 && b < s.batch; ++b)
      memcpy(grad.h0 + b * s.H + begin, carry(b) + begin, sizeof(T) * (end - begin));
    if (place.threads > 1) place.meet(1);
    if (grad.x.data) to_input();
    for (Index t = 0; grad.gi.data && place.thread == 0 && t < s.steps; ++t)
      for (Index b = 0; b < s.batch; ++b)
        for (Index g = 0; g < 3; ++g)
          memcpy(grad.gi.at(t, b) + g * s.H, kept(t, b) + (g + 1) * Hp, sizeof(T) * s.H);
    for (Index g = 0; g < 3; ++g) weights(g);
  }

 private:
  T* carry(Index b) { return grad.carry + b * Hp; }

  void open(Index b) {
    for (Index j = begin; j < last(); j += L)
      store(carry(b) + j, grad.final ? load_part(grad.final + b * grad.final_b + j, s.H - j) : Vec<T>{});
  }

  GRUWORKS_INLINE Vec<T> arriving(Index t, Index b, Index j) {
    const Vec<T> later = load(carry(b) + j);
    return grad.output.data ? later + load_part(grad.output.at(t, b) + j, s.H - j) : later;
  }

  // As Backward::gates and Backward::candidate.
  void gates(Index t, Index b, Index j) {
    T* const own = kept(t, b) + j;
    const Vec<T> dh = arriving(t, b, j), h = load_part(past_state(s, t, b, zeros) + j, s.H - j);
    const auto part = [&](Index quarter) { return load_part(own + quarter * Hp, s.H - j); };  // the padding may be NaN
    const Vec<T> product = part(0), r = part(1), z = part(2), n = part(3);
    const Vec<T> dn = dh * (T(1) - z) * (T(1) - n * n);
    store(own, dn * r), store(own + Hp, dn * product * r * (T(1) - r));
    store(own + 2 * Hp, dh * (h - n) * z * (T(1) - z)), store(own + 3 * Hp, dn);
    store(carry(b) + j, dh * z);
  }
  void candidate(Index t, Index b, Index j) {
    T* const own = kept(t, b) + j;
    const Vec<T> dh = arriving(t, b, j), h = load_part(past_state(s, t, b, zeros) + j, s.H - j);
    const Vec<T> z = load_part(own + 2 * Hp, s.H - j), n = load_part(own + 3 * Hp, s.H - j);
    store(own + 2 * Hp, dh * (h - n) * z * (T(1) - z)), store(own + 3 * Hp, dh * (T(1) - z) * (T(1) - n * n));
    store(carry(b) + j, dh * z);
  }

  // "before": the gradient of r * h, hence of r and, by r, of h.
  void resets(Index t) {
    clear(begin, end);
    for (Index b = 0; b < s.batch; ++b)
      add_rows(sums + b * Hp, w.w_hh + 2 * s.H * s.H, s.H, kept(t, b) + 3 * Hp, begin, end);
    for (Index b = 0; b < s.batch; ++b)
      for (Index j = begin; j < end; j += L) {
        T* const own = kept(t, b) + Hp + j;
        const Vec<T> drh = load_part(sums + b * Hp + j, s.H - j), r = load_part(own, s.H - j);
        store(own, drh * load_part(past_state(s, t, b, zeros) + j, s.H - j) * r * (T(1) - r));
        store(carry(b) + j, load(carry(b) + j) + drh * r);
      }
    this->meet();
  }

  void to_state(Index t) {
    clear(begin, end);
    for (Index b = 0; b < s.batch; ++b)
      for (Index g = 0; g < (s.before ? 2 : 3); ++g)
        add_rows(sums + b * Hp, w.w_hh + g * s.H * s.H, s.H, kept(t, b) + (g == 2 ? 0 : (g + 1) * Hp), begin, end);
    for (Index b = 0; b < s.batch; ++b)
      for (Index j = begin; j < end; j += L)
        store(carry(b) + j, load(carry(b) + j) + load_part(sums + b * Hp + j, s.H - j));
  }

  void clear(Index from, Index to) {
    for (Index b = 0; b < s.batch; ++b) memset(sums + b * Hp + from, 0, sizeof(T) * (to - from));
  }

  void to_input() {
    const Index from = s.I * place.thread / place.threads, to = s.I * (place.thread + 1) / place.threads;
    for (Index t = 0; t < s.steps; ++t)
      for (Index b = 0; b < s.batch; ++b) {
        T* const x = grad.x.at(t, b);
        memset(x + from, 0, sizeof(T) * (to - from));
        for (Index g = 0; g < 3; ++g) add_rows(x, w.w_ih + g * s.H * s.I, s.I, kept(t, b) + (g + 1) * Hp, from, to);
      }
  }

  // Gradients of this thread's rows of a gate's weights and biases, a few uses of them at once.
  void weights(Index g) {
    const Index uses = s.steps * s.batch;
    for (Index k = 0; k < uses; k += kUses)
      with_rows<kUses>(uses - k < kUses ? uses - k : kUses, [&]<int N>() { some_uses<N>(g, k); });
  }

  template <int N> void some_uses(Index g, Index k) {
    const T *x[N], *h[N], *of_x[N], *of_h[N];
    for (int i = 0; i < N; ++i) {
      const Index t = (k + i) / s.batch, b = (k + i) % s.batch;
      T* const own = kept(t, b);
      x[i] = s.x.data ? s.x.at(t, b) : nullptr, h[i] = s.before && g == 2 ? own : past_state(s, t, b, zeros);
      of_x[i] = own + (g + 1) * Hp, of_h[i] = g == 2 && !s.before ? own : of_x[i];
    }
    for (Index j = begin; j < end; ++j) {
      const Index row = g * s.H + j;
      if (grad.w_ih) add_products<N>(grad.w_ih + row * s.I, x, of_x, j, s.I, k);
      if (grad.w_hh) add_products<N>(grad.w_hh + row * s.H, h, of_h, j, s.H, k);
      T sums[2] = {0, 0};
      for (int i = 0; i < N; ++i) sums[0] += of_x[i][j], sums[1] += of_h[i][j];
      if (grad.b_ih) grad.b_ih[row] = k ? grad.b_ih[row] + sums[0] : sums[0];
      if (grad.b_hh) grad.b_hh[row] = k ? grad.b_hh[row] + sums[1] : sums[1];
    }
  }

  // to[.] (+)= sum over uses of unit j's gradient times the operand of the weights; `more`: accumulates.
  template <int N> void add_products(T* to, const T* const* rows, const T* const* factors, Index j, Index width, bool more) {
    Vec<T> by[N];
    for (int i = 0; i < N; ++i) by[i] = all<T>(factors[i][j]);
    for (Index c = 0; c < width; c += L) {
      const Index n = width - c;
      Vec<T> sum = load_part(rows[0] + c, n) * by[0];
GRUWORKS_UNROLL(4)
      for (int i = 1; i < N; ++i) sum += load_part(rows[i] + c, n) * by[i];
      store_part(to + c, more ? sum + load_part(to + c, n) : sum, n);
    }
  }

  // to[j] += the sum over the H rows of a gate's matrix [H, N] of factor times row, in columns [from, end).
  void add_rows(T* to, const T* matrix, Index N, const T* factors, Index from, Index end) {
    Index k = 0;
    for (; k + kRowsAtOnce <= s.H; k += kRowsAtOnce) add_some<kRowsAtOnce>(to, matrix + k * N, N, factors + k, from, end);
    for (; k < s.H; ++k) add_some<1>(to, matrix + k * N, N, factors + k, from, end);
  }

  template <int K> void add_some(T* to, const T* rows, Index N, const T* factors, Index from, Index end) {
    Vec<T> by[K];
GRUWORKS_UNROLL(16)
    for (int k = 0; k < K; ++k) by[k] = all<T>(factors[k]);
    const auto at = [&](Index j, Index n) __attribute__((always_inline)) {
      Vec<T> even = n >= L ? load(to + j) : load_part(to + j, n), odd = {};
      const T* row = rows + j;
GRUWORKS_UNROLL(16)
      for (int k = 0; k < K; ++k) {
        const T* const own = row + k % 4 * N;
        const Vec<T> weights = n >= L ? load(own) : load_part(own, n);
        if (k % 2) odd += weights * by[k];
        else even += weights * by[k];
        if (k % 4 == 3) row += 4 * N;
      }
      n >= L ? store(to + j, even + odd) : store_part(to + j, even + odd, n);
    };
    Index j = from;
    for (; j + L <= end; j += L) at(j, L);
    if (j < end) at(j, end - j);
  }
};

template <class T> void row_major_forward(const Sequence<T>& s, const Weights<T>& w, Place place, const T* zeros) {
  RowMajorForward<T>(s, w, place, zeros).run();
}
template <class T>
void row_major_backward(const Sequence<T>& s, const Gradient<T>& grad, const Weights<T>& w, Place place, const T* zeros,
                        T* scratch) {
  RowMajorBackward<T>(s, grad, w, place, zeros, scratch).run();
}
}  // namespace gruworks::GRUWORKS_ISA
