// Linear recurrence h_t = a_t h_{t-1} + b_t from log a and log b, in independent columns: the work of one thread.
//
// No logarithms are summed, so that the precision does not depend on the length of the sequence, and h underflows only
// where the exact value does. Columns are divided among members, without synchronization. With too few columns, groups
// divide the steps (parallel scan): each runs a segment from a zero state, then adds the carried state times the
// cumulative product of a, until that is zero.
#pragma once

#include "gru/pack.h"
#include "gru/problem.h"
#include "core/simd.h"

namespace gruworks::GRUWORKS_ISA {

constexpr int kAbreast = 4;  // vectors of columns whose states stay in registers

// ln 2 in two parts, the first with so few bits that integer multiples are exact (Cody and Waite 1980).
template <class T> constexpr T kLn2 = sizeof(T) == 4 ? T(0.693359375) : T(6.93147180369123816490e-01);
template <class T> constexpr T kLn2Rest = sizeof(T) == 4 ? T(-2.12194440e-4) : T(1.90821492927058770002e-10);

// e^a over the type's whole range; 0 below it, infinity above.
template <class T, int N> GRUWORKS_INLINE void exponentials(const Vec<T> (&a)[N], Vec<T> (&to)[N]) {
  using C = Traits<T>;
  using Bits = typename VecOf<T>::Bits;
  constexpr int n = sizeof(C::kPoly) / sizeof(T);
  constexpr T low = sizeof(T) == 4 ? -126 : -1022, high = 1 - low;
  Vec<T> scale[N], rest[N], q[N];
GRUWORKS_UNROLL(4)
  for (int j = 0; j < N; ++j) {
    const Vec<T> y = at_least<T>(low, at_most<T>(high, a[j] * T(kLog2e))), shifted = y + C::kMagic;
    const Vec<T> whole = shifted - C::kMagic;
    scale[j] = (Vec<T>)(((Bits)shifted << C::kMantissa) + (Bits)all<T>(1));
    rest[j] = ((a[j] - whole * kLn2<T>) - whole * kLn2Rest<T>) * T(kLog2e);
    q[j] = all<T>(C::kPoly[n - 1]);
  }
GRUWORKS_UNROLL(16)
  for (int i = n - 2; i >= 0; --i)
GRUWORKS_UNROLL(4)
    for (int j = 0; j < N; ++j) q[j] = q[j] * rest[j] + C::kPoly[i];
GRUWORKS_UNROLL(4)
  for (int j = 0; j < N; ++j) {
    const Vec<T> e = scale[j] + scale[j] * (rest[j] * q[j]), y = a[j] * T(kLog2e);
    const Vec<T> bounded = y > high + T(0.49) ? all<T>(__builtin_inff()) : e;
    to[j] = y < low ? Vec<T>{} : bounded;
  }
}

template <class T> class ScanPart {
  static constexpr Index L = kLanes<T>;
  const Scan<T>& s;
  Place place;
  const Index begin, end, first, last;  // columns and steps

 public:
  ScanPart(const Scan<T>& scan, Place at)
      : s(scan), place(at), begin(cut(at.member)), end(cut(at.member + 1)),
        first(s.steps * at.group / at.groups), last(s.steps * (at.group + 1) / at.groups) {}

  void forward() {
    in_columns([&]<int V>(Index j) { forward_columns<V>(j); });
    if (place.groups == 1) return;
    place.meet(1);
    in_columns([&]<int V>(Index j) { carry_on<V>(j); });
  }

  void backward() {
    if (place.groups > 1) {
      in_columns([&]<int V>(Index j) { summarise<V>(j); });
      place.meet(1);
    }
    in_columns([&]<int V>(Index j) { backward_columns<V>(j); });
  }

 private:
  Index cut(int member) const {
    const Index vectors = (s.lanes + L - 1) / L, at = vectors * member / place.members * L;
    return at < s.lanes ? at : s.lanes;
  }

  template <class F> void in_columns(F&& f) {
    Index j = begin;
    for (; j + kAbreast * L <= end; j += kAbreast * L) f.template operator()<kAbreast>(j);
    for (; j + 2 * L <= end; j += 2 * L) f.template operator()<2>(j);
    for (; j < end; j += L) f.template operator()<1>(j);
  }

  template <int V> GRUWORKS_INLINE void read(const T* from, Index j, Vec<T> (&to)[V]) const {
GRUWORKS_UNROLL(4)
    for (int v = 0; v < V; ++v) to[v] = V == 1 ? load_part(from + j, s.lanes - j) : load(from + j + v * L);
  }
  template <int V> GRUWORKS_INLINE void write(T* to, Index j, const Vec<T> (&from)[V]) const {
GRUWORKS_UNROLL(4)
    for (int v = 0; v < V; ++v) V == 1 ? store_part(to + j, from[v], s.lanes - j) : store(to + j + v * L, from[v]);
  }
  template <int V> GRUWORKS_INLINE void read_power(const T* from, Index j, Vec<T> (&to)[V]) const {
    Vec<T> logarithms[V];
    read<V>(from, j, logarithms);
    exponentials<T, V>(logarithms, to);
  }

  // Exchanged by each group: its last state from zero (or its gradient), then the product of its a.
  T* given(int group) const { return s.exchange + 2 * group * s.lanes; }

  template <int V> void forward_columns(Index j) {
    Vec<T> h[V] = {}, product[V];
    for (int v = 0; v < V; ++v) product[v] = all<T>(1);
    if (place.group == 0) read<V>(s.h0, j, h);
    for (Index t = first; t < last; ++t) {
      Vec<T> a[V], b[V];
      read_power<V>(s.log_a + t * s.lanes, j, a);
      read_power<V>(s.log_b + t * s.lanes, j, b);
GRUWORKS_UNROLL(4)
      for (int v = 0; v < V; ++v) h[v] = a[v] * h[v] + b[v], product[v] *= a[v];
      write<V>(s.states + t * s.lanes, j, h);
    }
    if (place.groups == 1) return;
    write<V>(given(place.group), j, h);
    write<V>(given(place.group) + s.lanes, j, product);
  }

  template <int V> void carry_on(Index j) {
    if (place.group == 0) return;
    Vec<T> carry[V];
    read<V>(given(0), j, carry);
    for (int g = 1; g < place.group; ++g) join<V>(g, j, carry);
    for (Index t = first; t < last; ++t) {
      Vec<T> a[V], h[V];
      read_power<V>(s.log_a + t * s.lanes, j, a);
      read<V>(s.states + t * s.lanes, j, h);
      bool some = false;
GRUWORKS_UNROLL(4)
      for (int v = 0; v < V; ++v) carry[v] *= a[v], h[v] += carry[v];
      write<V>(s.states + t * s.lanes, j, h);
      if (t % 16) continue;
      for (int v = 0; v < V; ++v)
        for (Index i = 0; i < L; ++i) some |= carry[v][i] != 0;  // true for a NaN too
      if (!some) return;
    }
  }

  template <int V> GRUWORKS_INLINE void join(int group, Index j, Vec<T> (&carry)[V]) const {
    Vec<T> own[V], product[V];
    read<V>(given(group), j, own);
    read<V>(given(group) + s.lanes, j, product);
GRUWORKS_UNROLL(4)
    for (int v = 0; v < V; ++v) carry[v] = own[v] + product[v] * carry[v];
  }

  // Gradient that a group's steps pass to the step before them, for a zero incoming gradient.
  template <int V> void summarise(Index j) {
    Vec<T> g[V] = {}, product[V];
    for (int v = 0; v < V; ++v) product[v] = all<T>(1);
    for (Index t = last - 1; t >= first; --t) {
      Vec<T> a[V], own[V];
      read_power<V>(s.log_a + t * s.lanes, j, a);
      read<V>(s.grad + t * s.lanes, j, own);
GRUWORKS_UNROLL(4)
      for (int v = 0; v < V; ++v) g[v] = a[v] * (own[v] + g[v]), product[v] *= a[v];
    }
    write<V>(given(place.group), j, g);
    write<V>(given(place.group) + s.lanes, j, product);
  }

  template <int V> void backward_columns(Index j) {
    Vec<T> g[V] = {};  // gradient from the next step
    for (int group = place.groups - 1; group > place.group; --group) join<V>(group, j, g);
    for (Index t = last - 1; t >= first; --t) {
      Vec<T> a[V], b[V], own[V], h[V];
      read_power<V>(s.log_a + t * s.lanes, j, a);
      read_power<V>(s.log_b + t * s.lanes, j, b);
      read<V>(s.grad + t * s.lanes, j, own);
      read<V>(t ? s.states + (t - 1) * s.lanes : s.h0, j, h);
GRUWORKS_UNROLL(4)
      for (int v = 0; v < V; ++v) {
        const Vec<T> whole = own[v] + g[v];
        g[v] = a[v] * whole;
        b[v] *= whole, h[v] *= g[v];
      }
      write<V>(s.d_log_a + t * s.lanes, j, h);
      write<V>(s.d_log_b + t * s.lanes, j, b);
    }
    if (first == 0) write<V>(s.d_h0, j, g);
  }
};

template <class T> void scan(const Scan<T>& s, Place place) { ScanPart<T>(s, place).forward(); }
template <class T> void scan_backward(const Scan<T>& s, Place place) { ScanPart<T>(s, place).backward(); }

}  // namespace gruworks::GRUWORKS_ISA
