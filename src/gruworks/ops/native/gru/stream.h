// One step at a time for many sessions: everything that a step needs is laid out when the stream is made.
#pragma once

#include <vector>

#include "gru/recurrence.h"

namespace gruworks {

// `state` [sessions, H] is the caller's and lives as long as the stream; a step reads and replaces it.
template <class T> class Stream {
 public:
  Stream(const Weights<T>&, Index sessions, T* state, int threads);
  void step(const T* x);  // [sessions, I]; ready terms [sessions, 3H] where there is no w_ih

 private:
  void part(Place place);

  Packing<T> packing_;
  std::shared_ptr<const PackedWeights<T>> packed_;
  Sequence<T> sequence_{};
  Place place_;
  void (*small_step_)(const Sequence<T>&) = nullptr;
  std::vector<Index> order_, starts_;
  std::vector<Flag> flags_;
  Block<T> output_, work_, exchange_, scratch_;
};

}  // namespace gruworks
