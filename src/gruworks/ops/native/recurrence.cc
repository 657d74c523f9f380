#include "recurrence.h"

#include <numeric>

#include "team.h"

namespace gruworks {

namespace {

// Rows longest first within each group; the long and the short ones dealt out evenly. Second half: one group's order.
template <class T> std::vector<long> order_of(const Sequence<T>& s, int groups) {
  std::vector<long> order(2 * s.batch), filled(groups);
  const auto sorted = order.begin() + s.batch;
  std::iota(sorted, order.end(), 0l);
  if (!s.lengths) {
    std::copy(sorted, order.end(), order.begin());
    return order;
  }
  std::stable_sort(sorted, order.end(), [&](long a, long b) { return s.lengths[a] > s.lengths[b]; });
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

}  // namespace

template <class T> void run_forward(Sequence<T> s, const Weights<T>& w, Packing<T>& packing, int wanted) {
  const int threads = threads_for(s, wanted);
  const auto packed = packing.get(w, false, threads);
  const Kernels<T>& run = kernels<T>(*packed->from);
  s.w = packed->parts;
  const Place place = grid(threads, s.batch, s.H);
  const std::vector<long> order = order_of(s, place.groups);
  s.order = order.data();
  Block<T> work, states, exchange;
  if (!s.saved && (s.before || place.members > 1)) work = Block<T>(s.batch * 4 * padded(s.H)), s.work = work.get();
  if (s.decay.data && !s.states) states = Block<T>(2 * s.batch * s.H), s.states = states.get();
  if (place.members > 1 && !s.decay.data) exchange = Block<T>(2 * s.batch * padded(s.H)), s.exchange = exchange.get();
  std::vector<long> starts;
  const Block<T> scratch(scratch_of<T>(place, [&](Place p) { return run.forward_scratch(s, p); }, starts));
  on_grid(place, [&](Place mine) {
    Sequence<T> own = s;
    if (mine.threads == 1) own.order = order.data() + s.batch;
    run.forward(own, mine, scratch.get() + starts[mine.thread]);
  });
}

template <class T>
void run_backward(Sequence<T> s, Gradient<T> grad, const Weights<T>& w, Packing<T>& packing, int wanted) {
  const int threads = threads_for(s, wanted);
  const auto packed = packing.get(w, true, threads);
  const Kernels<T>& run = kernels<T>(*packed->from);
  s.w = packed->parts;
  const Place place = grid(threads, s.batch, s.H);
  const std::vector<long> order = order_of(s, place.groups);
  s.order = order.data();
  const Block<T> carry(s.batch * padded(s.H));
  grad.carry = carry.get();
  std::vector<long> starts;
  const Block<T> scratch(scratch_of<T>(place, [&](Place p) { return run.backward_scratch(s, p); }, starts));
  on_grid(place, [&](Place mine) {
    Sequence<T> own = s;
    if (mine.threads == 1) own.order = order.data() + s.batch;
    run.backward(own, grad, mine, scratch.get() + starts[mine.thread]);
  });
}

template void run_forward<float>(Sequence<float>, const Weights<float>&, Packing<float>&, int);
template void run_forward<double>(Sequence<double>, const Weights<double>&, Packing<double>&, int);
template void run_backward<float>(Sequence<float>, Gradient<float>, const Weights<float>&, Packing<float>&, int);
template void run_backward<double>(Sequence<double>, Gradient<double>, const Weights<double>&, Packing<double>&, int);

}  // namespace gruworks
