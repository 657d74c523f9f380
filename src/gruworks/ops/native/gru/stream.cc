#include "gru/stream.h"

#include <numeric>

#include "core/exact.h"
#include "core/team.h"

namespace gruworks {

namespace {
// Multiply-adds from which on a step is divided among an explicitly requested number of threads: its weights then
// exceed one core's cache (I = H = 256, one session: 11.6 to 5.3 us). By default one thread runs, since in a slow
// stream a second one would have to be woken at every step.
constexpr double kAsked = 3e5;

template <class T> int threads_of_step(const Sequence<T>& s, int wanted) {
  const double work = 3.0 * s.batch * s.H * (s.H + s.I);
  return wanted > 1 && work > kAsked ? usable_threads(wanted) : threads_for(s, wanted);
}
}  // namespace

template <class T>
Stream<T>::Stream(const Weights<T>& w, Index sessions, T* state, int wanted)
    : packed_(packing_.get(w, false, 1)), order_(sessions), output_(sessions * w.H) {
  Sequence<T>& s = sequence_;
  s.steps = 1, s.batch = sessions, s.I = w.I, s.H = w.H, s.before = w.before, s.activations = w.activations;
  s.w = packed_->parts;
  std::iota(order_.begin(), order_.end(), Index{0});
  s.order = order_.data();
  (w.w_ih ? s.x : s.gi) = {state, 0, w.w_ih ? w.I : 3 * w.H};  // the input's address is set by each step
  s.h0 = state, s.h0_b = w.H;
  s.output = {output_.get(), 0, w.H};
  s.final = state;
  s.exact = exact();
  place_ = grid(threads_of_step(s, wanted), sessions, w.H, columns_divide(s));
  if (sessions == 1 && s.small()) {
    small_step_ = kernels<T>(*packed_->from).small_step;
    s.output.data = state;
    return;
  }
  if (w.before || place_.members > 1) work_ = Block<T>(sessions * 4 * padded(w.H)), s.work = work_.get();
  if (place_.members > 1) exchange_ = Block<T>(2 * sessions * padded(w.H)), s.exchange = exchange_.get();
  flags_.resize(place_.threads);
  const auto size = [&](Place p) { return kernels<T>(*packed_->from).forward_scratch(s, p); };
  scratch_ = Block<T>(scratch_of<T>(place_, size, starts_));
}

template <class T> void Stream<T>::step(const T* x) {
  (sequence_.x.data ? sequence_.x : sequence_.gi).data = x;
  sequence_.turn ^= 1;  // the weights read last are still cached: I = H = 256, one session, 14.4 to 11.6 us
  if (small_step_) return small_step_(sequence_);
  on_grid(place_, flags_.data(), [this](Place mine) { part(mine); });
}

template <class T> void Stream<T>::part(Place place) {
  kernels<T>(*packed_->from).forward(sequence_, place, scratch_.get() + starts_[place.thread]);
}

template class Stream<float>;
template class Stream<double>;

}  // namespace gruworks
