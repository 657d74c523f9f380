// Gradients of the input and of the weights: matrix products over all steps and rows.
//
// Threads divide the steps for the first and the hidden units for the second, so that no two write to the same memory.
//
// Padding beyond a row's length is not in the lists of addresses and never read, so that a NaN there has no effect.
#pragma once

#include "gru/forward.h"

namespace gruworks::GRUWORKS_ISA {

// Steps summed in registers before they are added to the result. One float32 sum over 10,000 steps loses a digit.
constexpr Index kDepth = 128;

template <class T> class Outer {
  static constexpr Index L = kLanes<T>, R = kRows, kPanel = kDepth * R + kPad, kNear = 8;
  const Sequence<T>& s;
  const Gradient<T>& grad;
  Place place;
  const Index Hp;
  const Share mine;  // panels of R hidden units
  const T* zeros;
  const Index width;  // number of this thread's columns
  const bool thin;   // few inputs: their products are computed with the bias sums
  const bool sums_up, multiplies;  // work of the one kind, or of the other
  T *left, *right;   // packed: [slot][panel][depth][R], a cache line between panels, and [depth][3L]
  T *sums, *lost;    // over one chunk: [kinds()][slot][width]; their accumulated rounding errors, b_hh's last
  Index soon = 0, soon_end = 0, line = 0, lines = 0, each = 0;  // prefetch position in the next chunk

  struct List {  // operands of one chunk of valid (step, row) pairs
    Index n = 0;
    T* gates[kDepth];
    const T *x[kDepth], *h[kDepth];
  };

 public:
  static Index scratch(const Sequence<T>& s, Place place) {
    const Share share(padded(s.H) / R, place.thread, place.threads);
    const Index panels = share.end - share.begin;
    return kPad + 4 * panels * kPanel + kDepth * 3 * L + (3 + L) * 4 * panels * R;
  }

  Outer(const Sequence<T>& sequence, const Gradient<T>& gradient, Place at, const T* zero, T* memory)
      : s(sequence), grad(gradient), place(at), Hp(padded(s.H)), mine(Hp / R, at.thread, at.threads), zeros(zero),
        width((mine.end - mine.begin) * R), thin(grad.w_ih && s.I < L / 2),
        sums_up(grad.b_ih || grad.b_hh || thin), multiplies(grad.w_hh || (grad.w_ih && !thin)) {
    left = reinterpret_cast<T*>((reinterpret_cast<uintptr_t>(memory) + 63) & ~uintptr_t{63});
    right = left + 4 * (mine.end - mine.begin) * kPanel;
    sums = right + kDepth * 3 * L;
    lost = sums + kinds() * 4 * width;
    constexpr Index kLine = 64 / sizeof(T);
    lines = (width + kLine - 1) / kLine;
    const Index columns = (grad.w_ih && !thin ? (s.I + 3 * L - 1) / (3 * L) : 0) + (s.H + 3 * L - 1) / (3 * L);
    each = mine.end > mine.begin ? kDepth * 4 * lines / (3 * (mine.end - mine.begin) * columns) + 1 : 0;
  }

  void run() {
    const Index pairs = s.steps * s.batch;
    const bool inputs = grad.x.data || grad.gi.data || grad.decay.data;
    const bool parameters = grad.w_ih || grad.w_hh || grad.b_ih || grad.b_hh;
    for (Index k = 0; k == 0 || k < pairs; k += kDepth) {  // both products read the same gradients, from memory once
      const Index end = k + kDepth < pairs ? k + kDepth : pairs;
      const Share part(end - k, place.thread, place.threads);
      if (inputs) input(k + part.begin, k + part.end);
      if (parameters) {
        soon = end, soon_end = end + kDepth < pairs ? end + kDepth : pairs, line = 0;
        weights(gather(k, end), k == 0);
      }
    }
    if (parameters) add_lost();
  }

 private:
  Index kinds() const { return 1 + (thin ? s.I : 0); }
  bool valid(Index k) const { return k / s.batch < s.length(k % s.batch); }

  List gather(Index from, Index to) {
    List list;
    for (Index k = from; k < to; ++k) {
      if (!valid(k)) continue;
      const Index t = k / s.batch, b = k % s.batch;
      list.gates[list.n] = s.saved + k * 4 * Hp;
      list.x[list.n] = s.x.data ? s.x.at(t, b) : nullptr;
      list.h[list.n++] = s.states ? s.states + k * s.H : past_state(s, t, b, zeros);
    }
    return list;
  }

  void input(Index from, Index to) {
    constexpr int R = kRowsOf<T>;
    const T* gates[kDepth + R];
    T* x[kDepth + R];
    Index n = 0;
    for (Index k = from; k < to; ++k) {
      const Index t = k / s.batch, b = k % s.batch;
      const bool runs = valid(k);
      if (grad.gi.data) terms(grad.gi.at(t, b), runs ? s.saved + k * 4 * Hp + Hp : nullptr);
      if (grad.decay.data && !runs) memset(grad.decay.at(t, b), 0, sizeof(T) * s.H);
      if (!grad.x.data) continue;
      if (!runs) memset(grad.x.at(t, b), 0, sizeof(T) * s.I);
      else gates[n] = s.saved + k * 4 * Hp + Hp, x[n++] = grad.x.at(t, b);
    }
    in_groups(0, n ? (s.I + L - 1) / L : 0, [&]<int V>(Index v) {
      in_whole_blocks<R>(n, [&](Index first) {
        Vec<T> sums[R][V] = {};
        multiply_apart<T, R, V>(sums, gates + first, s.w.back_x + v * 3 * Hp * L, 3 * Hp * L, L, 3 * Hp);
        for (int i = 0; i < R; ++i)
          for (int c = 0; c < V; ++c) store_part(x[first + i] + (v + c) * L, sums[i][c], s.I - (v + c) * L);
      }, gates, x);
    });
  }

  void terms(T* to, const T* from) {
    for (Index g = 0; g < 3; ++g)
      from ? memcpy(to + g * s.H, from + g * Hp, sizeof(T) * s.H) : memset(to + g * s.H, 0, sizeof(T) * s.H);
  }

  void weights(const List& list, bool first) {
    const Index gate_of[4] = {s.before ? -1 : 2, 0, 1, s.before ? 2 : -1};  // of the state's products
    pack_left(list);
    add_sums(first);
    for (Index n = 0; grad.w_ih && !thin && n < s.I; n += 3 * L) {
      pack_right(list.x, list.n, n, s.I);
      for (Index slot = 1; slot < 4; ++slot) product(grad.w_ih, list.n, slot, slot - 1, n, s.I, first);
    }
    for (Index n = 0; grad.w_hh && n < s.H; n += 3 * L) {
      pack_right(list.h, list.n, n, s.H);
      for (Index slot = 0; slot < 3; ++slot)
        if (gate_of[slot] >= 0) product(grad.w_hh, list.n, slot, gate_of[slot], n, s.H, first);
    }
    for (Index n = 0; grad.w_hh && s.before && n < s.H; n += 3 * L) {
      pack_right(list.gates, list.n, n, s.H);  // r * h is in the first quarter
      product(grad.w_hh, list.n, 3, 2, n, s.H, first);
    }
  }

  // Packs and sums the gates of a few steps at a time, while they are in the L1 cache. Column by column over a whole
  // chunk, with rows 16H bytes apart, each of the two takes twice as long.
  void pack_left(const List& list) {
    constexpr Index kWide = L > R ? L : R;
    memset(sums, 0, sizeof(T) * kinds() * 4 * width);
    for (Index k = 0; k < list.n; k += kNear) {
      const Index count = list.n - k < kNear ? list.n - k : kNear;
      for (Index slot = 0; slot < 4; ++slot)
        for (Index j = 0; j < width; j += kWide) {
          for (Index v = j; sums_up && v < j + kWide && v < width; v += L) sum_up(list, k, count, slot, v);
          for (Index q = j; multiplies && q < j + kWide && q < width; q += R) copy(list, k, count, slot, q);
        }
    }
  }

  void copy(const List& list, Index k, Index count, Index slot, Index j) {
    T* to = left + (slot * (mine.end - mine.begin) + j / R) * kPanel + k * R;
    const Index column = slot * Hp + mine.begin * R + j;
    for (Index i = 0; i < count; ++i) memcpy(to + i * R, list.gates[k + i] + column, sizeof(T) * R);
  }

  // Blocked summation: a single sum over the chunk loses half a decimal digit.
  void sum_up(const List& list, Index k, Index count, Index slot, Index j) {
    Vec<T> g[kNear];
GRUWORKS_UNROLL(8)
    for (Index i = 0; i < kNear; ++i)
      g[i] = i < count ? load_part(list.gates[k + i] + slot * Hp + mine.begin * R + j, width - j) : Vec<T>{};
    T* to = sums + slot * width + j;
    const Vec<T> sum = ((g[0] + g[1]) + (g[2] + g[3])) + ((g[4] + g[5]) + (g[6] + g[7]));
    store_part(to, load_part(to, width - j) + sum, width - j);
    for (Index c = 0; thin && c < s.I; ++c) {
      to += 4 * width;
      Vec<T> part = {};
      for (Index i = 0; i < count; ++i) part += g[i] * list.x[k + i][c];
      store_part(to, load_part(to, width - j) + part, width - j);
    }
  }

  // Adds the chunk's sums to the gradients of the biases, and of the weights of few inputs, by compensated summation:
  // without compensation the largest error over 10,000 steps was 2.3 times torch's.
  void add_sums(bool first) {
    over_sums([&](T* to, Index i, T& rest) {
      const T before = first ? 0 : *to, sum = before + sums[i], added = sum - before;
      rest = (first ? 0 : rest) + ((before - (sum - added)) + (sums[i] - added));
      *to = sum;
    });
  }
  void add_lost() {
    over_sums([](T* to, Index, T& rest) { *to += rest; });
  }

  // Calls add(destination, index of the sum, its rounding error) for all sums; both biases use the same sums.
  template <class Add> void over_sums(Add&& add) {
    for (Index j = 0, unit = mine.begin * R; j < width && unit < s.H; ++j, ++unit) {
      const auto index = [&](Index slot, Index c) { return (c * 4 + slot) * width + j; };
      for (Index g = 0; g < 3; ++g) {
        const Index i = index(g + 1, 0), h = index(g == 2 && !s.before ? 0 : g + 1, 0);
        if (grad.b_ih) add(grad.b_ih + g * s.H + unit, i, lost[i]);
        if (grad.b_hh) add(grad.b_hh + g * s.H + unit, h, lost[index(g, kinds())]);
        for (Index c = 1; c < kinds(); ++c)
          add(grad.w_ih + (g * s.H + unit) * s.I + c - 1, index(g + 1, c), lost[index(g + 1, c)]);
      }
    }
  }

  void pack_right(const T* const* from, Index n, Index column, Index N) {
    for (Index k = 0; k < n; ++k)
GRUWORKS_UNROLL(3)
      for (Index v = 0; v < 3; ++v) {
        const Index width = N - column - v * L;
        store(right + (k * 3 + v) * L, width > 0 ? load_part(from[k] + column + v * L, width) : Vec<T>{});
      }
  }

  // Prefetches a few lines of the next chunk's gates during the products.
  void fetch_soon() {
    constexpr Index kLine = 64 / sizeof(T);
    for (Index n = 0; n < each && soon < soon_end; ++n) {
      __builtin_prefetch(s.saved + (soon * 4 + line / lines) * Hp + mine.begin * R + line % lines * kLine, 0, 2);
      if (++line == 4 * lines) line = 0, ++soon;
    }
  }

  void product(T* to, Index depth, Index slot, Index gate, Index column, Index N, bool first) {
    const Index panels = mine.end - mine.begin;
    for (Index q = 0; q < panels; ++q) {
      const Index unit = (mine.begin + q) * R;
      if (unit >= s.H) return;
      fetch_soon();
      T* c = to + (gate * s.H + unit) * N + column;
      const T* a = left + (slot * panels + q) * kPanel;
      const Index vectors = (N - column + L - 1) / L;
      if (vectors >= 3) block<3>(c, a, depth, s.H - unit, N, N - column, first);
      else if (vectors == 2) block<2>(c, a, depth, s.H - unit, N, N - column, first);
      else block<1>(c, a, depth, s.H - unit, N, N - column, first);
    }
  }

  template <int V> GRUWORKS_ALONE static void multiply_packed(Vec<T> (&into)[R][V], const T* a, const T* b, Index depth) {
    Vec<T> sums[R][V] = {};
    for (Index k = 0; k < depth; ++k, a += R, b += 3 * L) {
      Vec<T> w[V];
GRUWORKS_UNROLL(3)
      for (int v = 0; v < V; ++v) w[v] = load(b + v * L);
GRUWORKS_UNROLL(8)
      for (int i = 0; i < R; ++i)
GRUWORKS_UNROLL(3)
        for (int v = 0; v < V; ++v) sums[i][v] += w[v] * a[i];
    }
GRUWORKS_UNROLL(8)
    for (int i = 0; i < R; ++i)
GRUWORKS_UNROLL(3)
      for (int v = 0; v < V; ++v) into[i][v] = sums[i][v];
  }

  template <int V> void block(T* c, const T* a, Index depth, Index units, Index N, Index width, bool first) {
    const Index last = (width < V * L ? width : V * L) - 1;
    for (int i = 0; i < R && i < units && !first; ++i)  // prefetches the result's lines
      for (Index j = 0; j < last + L; j += L) __builtin_prefetch(c + i * N + (j < last ? j : last), 1);
    Vec<T> sums[R][V];
    multiply_packed<V>(sums, a, right, depth);
GRUWORKS_UNROLL(8)
    for (int i = 0; i < R; ++i) {
      if (i >= units) return;
GRUWORKS_UNROLL(3)
      for (int v = 0; v < V; ++v) {
        T* to = c + i * N + v * L;
        store_part(to, first ? sums[i][v] : sums[i][v] + load_part(to, width - v * L), width - v * L);
      }
    }
  }
};

}  // namespace gruworks::GRUWORKS_ISA
