// Work of one thread: its rows of the batch, its columns, and the addresses of a step.
#pragma once

#include "core/multiply.h"
#include "core/norm.h"
#include "gru/pack.h"
#include "gru/problem.h"

namespace gruworks::GRUWORKS_ISA {

template <class T> bool in_one_pass(const Sequence<T>& s, const Place& place, Index from) {
  return place.members == 1 || s.H >= from;
}

// True if the state of row b is replaced before the step at time t.
template <class T> bool replaced(const Sequence<T>& s, Index t, Index b) {
  return s.resets.data && *s.resets.at(t, b);
}

// The state that row b starts from at time t, before any decay.
template <class T> const T* past_state(const Sequence<T>& s, Index t, Index b, const T* zeros) {
  if (replaced(s, t, b)) return s.replacement ? s.replacement + b * s.replacement_b : zeros;
  const bool start = s.reverse ? t + 1 == s.length(b) : t == 0;
  if (start) return s.h0 ? s.h0 + b * s.h0_b : zeros;
  return s.output.at(s.reverse ? t + 1 : t - 1, b);
}

// The rows of one group, longest first, and the addresses of the current step for the active ones.
template <class T> struct Rows {
  const Sequence<T>& s;
  const Index* row;   // batch rows of this group
  Index count;        // how many
  Index steps;        // the longest's length
  Index active = 0;   // a prefix of `row`: those active at the current step
  const T** x;       // input, or precomputed input projections
  const T** h;       // previous state as the matrix product reads it
  const T** past;    // the same before decay
  T** out;           // the step's output
  T** work;          // saved, or scratch of the same layout; null where none is needed
  T** next;          // state after the step for the other members; null without members
  const T** skip;    // previous state of the direct path through z: h, never masked
  const T** zone;    // zoneout weights; or null
  T** terms;         // products of the state, or their gradients: `work`, or the normalized products
  T** inputs;        // the same of x's products
  const bool plain;  // nothing but x, output and `saved` changes from step to step
  Index last = -1;   // step of the addresses

  static Index places(Index count) { return count + kFewRows - 1; }

  static Index scratch(Index count) {
    const Index bytes = 10 * places(count) * static_cast<Index>(sizeof(uintptr_t)) + 8;
    return (bytes + 63) / 64 * 64 / static_cast<Index>(sizeof(T));
  }

  Rows(const Sequence<T>& sequence, Place place, T* scratch)
      : s(sequence), plain(!s.lengths && !s.resets.data && !s.states && !s.exchange && !s.zoneout.data && !s.terms &&
                           !s.inputs && !s.exact) {
    const Share share(s.batch, place.group, place.groups);
    row = s.order + share.begin;
    count = share.end - share.begin;
    steps = count ? s.length(row[0]) : 0;
    const T** table = reinterpret_cast<const T**>((reinterpret_cast<uintptr_t>(scratch) + 7) & ~uintptr_t{7});
    const Index n = places(count);
    x = table, h = table + n, past = table + 2 * n;
    out = const_cast<T**>(table + 3 * n), work = const_cast<T**>(table + 4 * n);
    next = const_cast<T**>(table + 5 * n);
    skip = table + 6 * n, zone = table + 7 * n, terms = const_cast<T**>(table + 8 * n);
    inputs = const_cast<T**>(table + 9 * n);
  }

  void at(Index step, const T* zeros) {
    if (plain && last >= 0 && step == last + 1 && step < s.steps) return advance();
    last = step;
    if (s.lengths == nullptr) active = step < s.steps ? count : 0;
    else
      for (active = 0; active < count && s.length(row[active]) > step; ++active) {}
    for (Index i = 0; i < active; ++i) point(i, row[i], step, zeros);
    if (s.exact && active)
      for (Index i = active; i < places(active); ++i) point(i, row[active - 1], step, zeros);
  }

  void advance() {
    const Index sign = s.reverse ? -1 : 1, in = sign * (s.x.data ? s.x.t : s.gi.t), on = sign * s.output.t;
    const Index kept = s.saved ? sign * s.batch * 4 * padded(s.H) : 0;
    for (Index i = 0; i < count; ++i) {
      h[i] = past[i] = skip[i] = out[i];
      x[i] += in, out[i] += on;
    }
    if (kept)
      for (Index i = 0; i < count; ++i) work[i] += kept, terms[i] = work[i];
    ++last;
  }

  void point(Index i, Index b, Index step, const T* zeros) {
    const Index t = s.time(b, step);
    x[i] = s.x.data ? s.x.at(t, b) : s.gi.at(t, b);
    past[i] = past_state(s, t, b, zeros);
    out[i] = s.output.at(t, b);
    h[i] = s.states ? state(t, b, step) : s.exchange && !replaced(s, t, b) ? exchanged(b, step) : past[i];
    next[i] = s.exchange ? exchanged(b, step + 1) : nullptr;
    work[i] = s.saved ? s.saved + (t * s.batch + b) * 4 * padded(s.H) : s.work ? s.work + b * 4 * padded(s.H) : nullptr;
    skip[i] = s.mask ? past[i] : h[i];
    zone[i] = s.zoneout.data ? s.zoneout.at(t, b) : nullptr;
    const Index normed = (s.saved ? t * s.batch + b : b) * 4 * padded(s.H);
    terms[i] = s.terms ? s.terms + normed : work[i];
    inputs[i] = s.inputs ? s.inputs + normed : nullptr;
  }

  // 1 / deviations of row i's products, saved in training.
  T* scales(Index i) const { return s.scales + (terms[i] - s.terms) / padded(s.H) * 2; }

  // Two alternating buffers, aligned and cached. The output is neither, and rows that are not whole cache lines cause
  // false sharing among the members (3 times the time at H = 64).
  T* exchanged(Index b, Index step) const { return s.exchange + (step % 2 * s.batch + b) * padded(s.H); }

  // Two alternating buffers suffice in inference: another member may still read the previous step.
  T* state(Index t, Index b, Index step) const {
    return s.states + (s.saved ? t * s.batch + b : step % 2 * s.batch + b) * s.H;
  }
};

// h_{t-1} of the current step becomes decay * h_{t-1} (+ (1 - decay) * replacement), in columns [begin, end).
template <class T> void decay_state(const Rows<T>& rows, Index step, Index begin, Index end) {
  const Sequence<T>& s = rows.s;
  for (Index i = 0; i < rows.active; ++i) {
    const Index b = rows.row[i];
    const T* d = s.decay.at(s.time(b, step), b);
    T* to = const_cast<T*>(rows.h[i]);
    for (Index j = begin; j < end; ++j) {
      const T kept = d[j] * rows.past[i][j];
      to[j] = s.replacement ? kept + (1 - d[j]) * s.replacement[b * s.replacement_b + j] : kept;
    }
  }
}

// The same for recurrent dropout: mask * h_{t-1}.
template <class T> void mask_state(const Rows<T>& rows, Index begin, Index end) {
  constexpr Index L = kLanes<T>;
  const Sequence<T>& s = rows.s;
  for (Index i = 0; i < rows.active; ++i) {
    const T* m = s.mask + rows.row[i] * s.mask_b;
    T* to = const_cast<T*>(rows.h[i]);
    for (Index j = begin; j < end; j += L)
      store_part(to + j, load_part(m + j, end - j) * load_part(rows.past[i] + j, end - j), end - j);
  }
}

// Weight of the previous state for an update gate z with zoneout, and its derivative by z.
template <class T> struct Staying {
  Vec<T> stays, decided;
};
template <class T> GRUWORKS_INLINE Staying<T> staying(const Rows<T>& rows, Index i, Index v, Vec<T> z, Index width) {
  if (!rows.zone[i]) return {z, all<T>(1)};
  const Vec<T> decided = T(1) - load_part(rows.zone[i] + v * kLanes<T>, width);
  return {T(1) - decided * (T(1) - z), decided};
}

}  // namespace gruworks::GRUWORKS_ISA
