#include "recurrence.h"

#include <omp.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace gruworks {

namespace {

// Multiply-adds under which one thread is faster than waking a second: about 20 us of one core.
constexpr double kAlone = 5e5;

template <class T> const Kernels<T>& kernels(const Build& from) {
  if constexpr (sizeof(T) == 4) return from.f32;
  else return from.f64;
}

// Groups that share out the rows, at least four rows each; the threads that remain split columns within a group.
Place grid(int threads, long batch, long H) {
  const long vectors = padded(H) / kPad;
  int groups = 1;
  for (int g = 2; g <= threads; ++g)
    if (threads % g == 0 && batch >= 4l * g) groups = g;
  Place place;
  place.groups = groups;
  place.members = static_cast<int>(std::min<long>(threads / groups, vectors));
  place.threads = place.groups * place.members;
  return place;
}

template <class T> int threads_for(const Sequence<T>& s, int wanted) {
  const double work = 3.0 * s.steps * s.batch * s.H * (s.H + (s.x.data ? s.I : 0));
  return work < kAlone ? 1 : usable_threads(wanted);
}

Place at(Place place, int thread) {
  place.thread = thread;
  place.group = thread / place.members;
  place.member = thread % place.members;
  return place;
}

// Calls part(place) on every thread of the grid. Where OpenMP grants fewer threads than the grid has, the first does
// all of it: a thread that waited for one that does not exist would wait for ever.
template <class Part> void on_grid(const Place& place, Part&& part) {
  if (place.threads == 1) return part(at(place, 0));
  std::vector<Flag> flags(place.threads);
#pragma omp parallel num_threads(place.threads)
  {
    const bool granted = omp_get_num_threads() == place.threads;
    Place mine = granted ? place : Place();
    mine.flags = flags.data();
    const int thread = omp_get_thread_num();
    if (granted || thread == 0) part(at(mine, thread));
  }
}

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

template <class T, class Size> long scratch_of(const Place& place, Size&& size, std::vector<long>& starts) {
  long total = 0;
  for (int thread = 0; thread < place.threads; ++thread) {
    starts.push_back(total);
    total += (size(at(place, thread)) + 127) / 64 * 64;
  }
  Place alone;
  return std::max(total, size(at(alone, 0)) + 64);
}

uint64_t fingerprint(const Build& build, const void* data, long bytes, int threads) {
  if (!data) return 1;
  constexpr long kPiece = 1 << 18;  // the same cut whatever the threads: the hash must not depend on them
  const long pieces = (bytes + kPiece - 1) / kPiece;
  std::vector<uint64_t> hashes(pieces);
  const auto hash = [&](long i) {
    hashes[i] = build.fingerprint(static_cast<const char*>(data) + i * kPiece, std::min(kPiece, bytes - i * kPiece));
  };
  if (pieces < 4 || threads == 1) {
    for (long i = 0; i < pieces; ++i) hash(i);
  } else {
#pragma omp parallel for schedule(static) num_threads(threads)
    for (long i = 0; i < pieces; ++i) hash(i);
  }
  return pieces == 1 ? hashes[0] : build.fingerprint(hashes.data(), 8 * pieces);
}

template <class T> uint64_t fingerprint(const Build& build, const Weights<T>& w, int threads) {
  const uint64_t parts[] = {fingerprint(build, w.w_ih, sizeof(T) * 3 * w.H * w.I, threads),
                            fingerprint(build, w.w_hh, sizeof(T) * 3 * w.H * w.H, threads),
                            fingerprint(build, w.b_ih, sizeof(T) * 3 * w.H, 1),
                            fingerprint(build, w.b_hh, sizeof(T) * 3 * w.H, 1),
                            static_cast<uint64_t>(w.I) << 32 | static_cast<uint64_t>(w.H) << 1 | w.before};
  return build.fingerprint(parts, sizeof(parts));
}

template <class T> void place_forward(const Weights<T>& w, PackedWeights<T>& packed) {
  const long Hp = padded(w.H), gates = w.before ? 2 : 3;
  const long x = w.w_ih ? Hp * w.I * 3 : 0, h = Hp * w.H * gates, n = w.before ? Hp * w.H : 0;
  const auto whole = [](long size) { return (size + 15) / 16 * 16; };
  packed.memory = Block<T>(whole(x) + whole(h) + whole(n) + 4 * Hp);
  packed.parts.x = packed.memory.get();
  packed.parts.h = packed.parts.x + whole(x);
  packed.parts.n = packed.parts.h + whole(h);
  packed.parts.bias = packed.parts.n + whole(n);
}

template <class T> void place_backward(const Weights<T>& w, PackedWeights<T>& packed) {
  const long Hp = padded(w.H);
  packed.memory = Block<T>(Hp * 3 * Hp + (w.w_ih ? padded(w.I) * 3 * Hp : 0));
  packed.parts.back_h = packed.memory.get();
  packed.parts.back_x = packed.parts.back_h + Hp * 3 * Hp;
}

}  // namespace

template <class T>
std::shared_ptr<const PackedWeights<T>> Packing<T>::get(const Weights<T>& w, bool backward, int threads) {
  const Build& from = build();
  const uint64_t fresh = fingerprint(from, w, threads);
  {
    const std::lock_guard<std::mutex> guard(lock_);
    const auto& kept = kept_[backward];
    if (kept && kept->fingerprint == fresh && kept->from == &from) return kept;
  }
  auto packed = std::make_shared<PackedWeights<T>>();
  packed->fingerprint = fresh;
  packed->from = &from;
  backward ? place_backward(w, *packed) : place_forward(w, *packed);
  Place place;
  place.threads = 3 * w.H * (w.H + w.I) < 50000 ? 1 : threads;
  on_grid(place, [&](Place mine) { kernels<T>(from).pack(w, packed->parts, backward, mine); });
  const std::lock_guard<std::mutex> guard(lock_);
  kept_[backward] = packed;
  return packed;
}

template <class T> void run_forward(Sequence<T> s, const Weights<T>& w, Packing<T>& packing, int wanted) {
  const int threads = threads_for(s, wanted);
  const auto packed = packing.get(w, false, threads);
  const Kernels<T>& run = kernels<T>(*packed->from);
  s.w = packed->parts;
  const Place place = grid(threads, s.batch, s.H);
  const std::vector<long> order = order_of(s, place.groups);
  s.order = order.data();
  Block<T> work, states;
  if (!s.saved && (s.before || place.members > 1)) work = Block<T>(s.batch * 4 * padded(s.H)), s.work = work.get();
  if (s.decay.data && !s.states) states = Block<T>(2 * s.batch * s.H), s.states = states.get();
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

template class Packing<float>;
template class Packing<double>;
template void run_forward<float>(Sequence<float>, const Weights<float>&, Packing<float>&, int);
template void run_forward<double>(Sequence<double>, const Weights<double>&, Packing<double>&, int);
template void run_backward<float>(Sequence<float>, Gradient<float>, const Weights<float>&, Packing<float>&, int);
template void run_backward<double>(Sequence<double>, Gradient<double>, const Weights<double>&, Packing<double>&, int);

}  // namespace gruworks
