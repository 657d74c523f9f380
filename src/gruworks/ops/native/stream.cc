#include "stream.h"

#include <numeric>

#include "team.h"

namespace gruworks {

template <class T>
Stream<T>::Stream(const Weights<T>& w, long sessions, T* state, int wanted)
    : packed_(packing_.get(w, false, 1)), order_(sessions), output_(sessions * w.H) {
  Sequence<T>& s = sequence_;
  s.steps = 1, s.batch = sessions, s.I = w.I, s.H = w.H, s.before = w.before;
  s.w = packed_->parts;
  std::iota(order_.begin(), order_.end(), 0l);
  s.order = order_.data();
  s.x = {state, 0, w.I};  // until a step says where its input is
  s.h0 = state, s.h0_b = w.H;
  s.output = {output_.get(), 0, w.H};
  s.final = state;
  place_ = grid(threads_for(s, wanted), sessions, w.H);
  if (w.before || place_.members > 1) work_ = Block<T>(sessions * 4 * padded(w.H)), s.work = work_.get();
  if (place_.members > 1) exchange_ = Block<T>(2 * sessions * padded(w.H)), s.exchange = exchange_.get();
  flags_.resize(place_.threads);
  const auto size = [&](Place p) { return kernels<T>(*packed_->from).forward_scratch(s, p); };
  scratch_ = Block<T>(scratch_of<T>(place_, size, starts_));
}

template <class T> void Stream<T>::step(const T* x) {
  sequence_.x.data = x;
  on_grid(place_, flags_.data(), [this](Place mine) { part(mine); });
}

template <class T> void Stream<T>::part(Place place) {
  kernels<T>(*packed_->from).forward(sequence_, place, scratch_.get() + starts_[place.thread]);
}

template class Stream<float>;
template class Stream<double>;

}  // namespace gruworks
