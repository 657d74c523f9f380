#include "threads.h"

#include <omp.h>
#include <pthread.h>

namespace gruworks {

namespace {
bool forked = false;
// libgomp's pool does not survive a fork: a child that asks for more than itself would wait for ever.
[[maybe_unused]] const int registered = pthread_atfork(nullptr, nullptr, [] { forked = true; });
}  // namespace

int usable_threads(int wanted) {
  if (forked || omp_in_parallel()) return 1;
  const int own = wanted > 0 ? wanted : omp_get_max_threads();
  const int limit = omp_get_thread_limit();
  return own < limit ? own : limit;
}

}  // namespace gruworks
