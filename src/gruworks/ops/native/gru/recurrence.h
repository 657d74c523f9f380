// One layer in one direction: packing of changed weights, choice of threads, calls of the kernels.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "core/memory.h"
#include "core/team.h"
#include "gru/problem.h"

namespace gruworks {

// The build in use, and all builds that this processor supports, weakest first.
const Build& build();
const Build* const* builds();
bool choose_build(const char* name);  // false if unknown or not supported by the processor

template <class T> struct PackedWeights {
  uint64_t fingerprint = 0;
  const Build* from = nullptr;
  Block<T> memory;
  Index size = 0;
  Packed<T> parts{};

  // Memory for n elements, reused if large enough: page faults of new memory cost more than the packing.
  void hold(Index n) {
    if (n > size) memory = Block<T>(n), size = n;
  }
};

// Cache of packed weights, keyed by a hash of the weights' content, so that any change is detected; it holds no
// reference to them. Threads may share it; each call keeps the packing that it found.
template <class T> class Packing {
 public:
  std::shared_ptr<const PackedWeights<T>> get(const Weights<T>&, bool backward, int threads);

  // While on, weights packed for the forward are used without a look at their content. Returns the earlier state.
  bool freeze(bool on);
  bool frozen() const { return frozen_.load(std::memory_order_relaxed); }

 private:
  std::mutex lock_;
  std::atomic<bool> frozen_{false};
  std::shared_ptr<PackedWeights<T>> kept_[2];
};

template <class T> int threads_for(const Sequence<T>& s, int wanted) {
  const double work = 3.0 * s.steps * s.batch * s.H * (s.H + (s.x.data ? s.I : 0));
  return work < kAlone ? 1 : usable_threads(wanted);
}

// Threads may divide the columns: not with layer norm, and in exact mode not where they would sum in parts.
template <class T> bool columns_divide(const Sequence<T>& s) {
  return !s.gain && !(s.exact && s.H < (s.before ? kOnePass : kOnePassAfter));
}

// Fills in packed weights, order, work and carry, and runs. `threads` 0: OpenMP's default.
template <class T> void run_forward(Sequence<T>, const Weights<T>&, Packing<T>&, int threads);
template <class T> void run_backward(Sequence<T>, Gradient<T>, const Weights<T>&, Packing<T>&, int threads);

// Divides columns (`by_steps` 0) or steps (1) among threads; -1 chooses steps for few columns.
template <class T> void run_scan(Scan<T>, bool backward, int threads, int by_steps = -1);

}  // namespace gruworks
