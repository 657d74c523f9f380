#include "gru/recurrence.h"

#include <numeric>

#include "gru/row_major.h"
#include "core/exact.h"
#include "core/team.h"

namespace gruworks {

namespace {

// Order of rows: longest first within each group, lengths distributed evenly over groups. Second half: for one group.
template <class T> std::vector<Index> order_of(const Sequence<T>& s, int groups) {
  std::vector<Index> order(2 * s.batch), filled(groups);
  const auto sorted = order.begin() + s.batch;
  std::iota(sorted, order.end(), Index{0});
  if (!s.lengths) {
    std::copy(sorted, order.end(), order.begin());
    return order;
  }
  std::stable_sort(sorted, order.end(), [&](Index a, Index b) { return s.lengths[a] > s.lengths[b]; });
  int g = 0;
  for (auto row = sorted; row != order.end(); ++row) {
    const auto begin = [&] { return s.batch * g / groups; };
    const auto full = [&] { return filled[g] == s.batch * (g + 1) / groups - begin(); };
    while (full()) g = (g + 1) % groups;
    order[begin() + filled[g]++] = *row;
    g = (g + 1) % groups;
  }
  return order;
}

// Packed weights cost a hash of all weights in every call and a copy after every change. Up to this number of uses of
// the weights (steps times rows) products from row-major weights take less time: in training, which changes the
// weights, always; in inference up to two steps, since a single step is slightly faster from packed weights.
constexpr Index kFewUses = 4, kFewSteps = 2, kFewUsesTraining = 8;

template <class T> bool from_rows(const Sequence<T>& s) {
  if (s.exact || s.lengths || s.resets.data || s.decay.data || s.mask || s.zoneout.data || s.gain || !s.activations.usual())
    return false;
  const Index uses = s.steps * s.batch;
  return uses > 0 && (s.saved ? uses <= kFewUsesTraining : uses <= kFewUses && s.steps <= kFewSteps);
}

template <class T> const RowMajor<T>& row_major_of() {
  if constexpr (sizeof(T) == 4) return row_major().f32;
  else return row_major().f64;
}

// Threads divide the hidden units, for any batch size.
template <class T> Place one_group(const Sequence<T>& s, int wanted) {
  Place place;
  place.members = place.threads = static_cast<int>(std::min<Index>(threads_for(s, wanted), padded(s.H) / kPad));
  return place;
}

template <class T> void forward_from_rows(Sequence<T> s, const Weights<T>& w, int wanted) {
  const Index Hp = padded(s.H);
  const Block<T> memory(Hp + (s.saved ? 0 : s.batch * 4 * Hp));
  std::fill(memory.get(), memory.get() + Hp, T(0));
  if (!s.saved) s.work = memory.get() + Hp;
  on_grid(one_group(s, wanted), [&](Place mine) { row_major_of<T>().forward(s, w, mine, memory.get()); });
}

template <class T>
void backward_from_rows(const Sequence<T>& s, Gradient<T> grad, const Weights<T>& w, int wanted) {
  const Place place = one_group(s, wanted);
  const Index Hp = padded(s.H), part = s.batch * Hp;
  const Block<T> memory(Hp + part * (1 + place.threads));
  std::fill(memory.get(), memory.get() + Hp, T(0));
  grad.carry = memory.get() + Hp;
  on_grid(place, [&](Place mine) {
    row_major_of<T>().backward(s, grad, w, mine, memory.get(), grad.carry + part * (1 + mine.thread));
  });
}

}  // namespace

template <class T> void run_forward(Sequence<T> s, const Weights<T>& w, Packing<T>& packing, int wanted) {
  s.exact |= exact();
  if (from_rows(s)) return forward_from_rows(s, w, wanted);
  const int threads = threads_for(s, wanted);
  const auto packed = packing.get(w, false, threads);
  const Kernels<T>& run = kernels<T>(*packed->from);
  s.w = packed->parts;
  const Place place = grid(threads, s.batch, s.H, columns_divide(s));
  const std::vector<Index> order = order_of(s, place.groups);
  s.order = order.data();
  Block<T> work, states, exchange, terms, inputs;
  if (!s.saved && (s.before || place.members > 1)) work = Block<T>(s.batch * 4 * padded(s.H)), s.work = work.get();
  if (s.gain && !s.terms) terms = Block<T>(s.batch * 4 * padded(s.H)), s.terms = terms.get();
  if (s.input_gain && !s.inputs) inputs = Block<T>(s.batch * 4 * padded(s.H)), s.inputs = inputs.get();
  if ((s.decay.data || s.mask) && !s.states) states = Block<T>(2 * s.batch * s.H), s.states = states.get();
  if (place.members > 1 && !s.states) exchange = Block<T>(2 * s.batch * padded(s.H)), s.exchange = exchange.get();
  std::vector<Index> starts;
  const Block<T> scratch(scratch_of<T>(place, [&](Place p) { return run.forward_scratch(s, p); }, starts));
  on_grid(place, [&](Place mine) {
    Sequence<T> own = s;
    if (mine.threads == 1) own.order = order.data() + s.batch;
    run.forward(own, mine, scratch.get() + starts[mine.thread]);
  });
}

template <class T>
void run_backward(Sequence<T> s, Gradient<T> grad, const Weights<T>& w, Packing<T>& packing, int wanted) {
  if (from_rows(s)) return backward_from_rows(s, grad, w, wanted);
  const int threads = threads_for(s, wanted);
  const auto packed = packing.get(w, true, threads);
  const Kernels<T>& run = kernels<T>(*packed->from);
  s.w = packed->parts;
  const Place place = grid(threads, s.batch, s.H, !s.gain);
  const std::vector<Index> order = order_of(s, place.groups);
  s.order = order.data();
  const Block<T> carry(s.batch * padded(s.H));
  grad.carry = carry.get();
  const Index Hp = padded(s.H), gates = s.gain ? 6 * Hp : 0;
  Block<T> gains;
  if (s.gain) gains = Block<T>(place.groups * gates), grad.gains = gains.get();
  std::fill(grad.gains, grad.gains + place.groups * gates, T(0));  // one accumulator for each group
  std::vector<Index> starts;
  const Block<T> scratch(scratch_of<T>(place, [&](Place p) { return run.backward_scratch(s, p); }, starts));
  on_grid(place, [&](Place mine) {
    Sequence<T> own = s;
    if (mine.threads == 1) own.order = order.data() + s.batch;
    run.backward(own, grad, mine, scratch.get() + starts[mine.thread]);
  });
  for (T* const to : {grad.gain, grad.input_gain})
    for (Index j = 0; to && j < 3 * s.H; ++j) {
      T sum = 0;
      const T* const from = grad.gains + (to == grad.gain ? 0 : 3 * Hp) + j / s.H * Hp + j % s.H;
      for (Index g = 0; g < place.groups; ++g) sum += from[g * gates];
      to[j] = sum;
    }
}

namespace {
// Of a scan: steps times columns below which a second thread does not pay, and columns for each thread.
constexpr Index kScanAlone = 16384, kScanColumns = 48;
}  // namespace

template <class T> void run_scan(Scan<T> s, bool backward, int wanted, int by_steps) {
  if (s.lanes == 0) return;
  if (s.steps == 0) {
    if (backward) std::fill(s.d_h0, s.d_h0 + s.lanes, T(0));
    return;
  }
  Place place;
  const int threads = s.steps * s.lanes < kScanAlone && by_steps < 0 ? 1 : usable_threads(wanted);
  const bool steps = by_steps < 0 ? s.lanes < threads * kScanColumns : by_steps;
  place.groups = steps ? static_cast<int>(std::min<Index>(threads, s.steps)) : 1;
  place.members = steps ? 1 : static_cast<int>(std::min<Index>(threads, (s.lanes + kPad - 1) / kPad));
  place.threads = place.groups * place.members;
  Block<T> exchange;
  if (place.groups > 1) exchange = Block<T>(2 * place.groups * s.lanes), s.exchange = exchange.get();
  const Kernels<T>& run = kernels<T>(build());
  on_grid(place, [&](Place mine) { (backward ? run.scan_backward : run.scan)(s, mine); });
}

template void run_scan<float>(Scan<float>, bool, int, int);
template void run_scan<double>(Scan<double>, bool, int, int);
template void run_forward<float>(Sequence<float>, const Weights<float>&, Packing<float>&, int);
template void run_forward<double>(Sequence<double>, const Weights<double>&, Packing<double>&, int);
template void run_backward<float>(Sequence<float>, Gradient<float>, const Weights<float>&, Packing<float>&, int);
template void run_backward<double>(Sequence<double>, Gradient<double>, const Weights<double>&, Packing<double>&, int);

}  // namespace gruworks
