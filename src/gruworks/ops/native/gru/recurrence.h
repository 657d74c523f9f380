// One layer in one direction: packs weights when they have changed, chooses threads, runs a build of the kernels.
#pragma once

#include <memory>
#include <mutex>

#include "core/memory.h"
#include "core/team.h"
#include "gru/problem.h"

namespace gruworks {

// The build in use, and those that this processor could run, weakest first.
const Build& build();
const Build* const* builds();
bool choose_build(const char* name);  // false where the name is unknown or the processor lacks it

template <class T> struct PackedWeights {
  uint64_t fingerprint = 0;
  const Build* from = nullptr;
  Block<T> memory;
  long size = 0;
  Packed<T> parts{};

  // Memory for n elements: what is there already, if it is enough. Fresh pages cost more than the packing.
  void hold(long n) {
    if (n > size) memory = Block<T>(n), size = n;
  }
};

// What is packed for one set of weights. It holds no reference to them: it knows them by their content, so that a
// change by any way is seen. Threads may share it; each works on the packing that it found.
template <class T> class Packing {
 public:
  std::shared_ptr<const PackedWeights<T>> get(const Weights<T>&, bool backward, int threads);

 private:
  std::mutex lock_;
  std::shared_ptr<PackedWeights<T>> kept_[2];
};

template <class T> int threads_for(const Sequence<T>& s, int wanted) {
  const double work = 3.0 * s.steps * s.batch * s.H * (s.H + (s.x.data ? s.I : 0));
  return work < kAlone ? 1 : usable_threads(wanted);
}

// Fills in what the caller leaves out (packed weights, order, work, carry) and runs. `threads` 0: OpenMP's number.
template <class T> void run_forward(Sequence<T>, const Weights<T>&, Packing<T>&, int threads);
template <class T> void run_backward(Sequence<T>, Gradient<T>, const Weights<T>&, Packing<T>&, int threads);

// Shares out columns, or where they are too few steps: `by_steps` 1 and 0 say which, -1 lets it choose.
template <class T> void run_scan(Scan<T>, bool backward, int threads, int by_steps = -1);

}  // namespace gruworks
