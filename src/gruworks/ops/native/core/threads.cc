#include "core/threads.h"

#include <omp.h>
#include <pthread.h>

namespace gruworks {

namespace {
bool forked = false;
// libgomp's pool does not survive a fork: a child that requests more than one thread would deadlock.
[[maybe_unused]] const int registered = pthread_atfork(nullptr, nullptr, [] { forked = true; });
}  // namespace

#if defined(__linux__)
int processor() { return sched_getcpu(); }

void leave(int processor) {
  cpu_set_t all;
  if (sched_getaffinity(0, sizeof(all), &all) != 0) return;
  cpu_set_t others = all;
  CPU_CLR(processor, &others);
  if (CPU_COUNT(&others) == 0 || sched_setaffinity(0, sizeof(others), &others) != 0) return;
  sched_setaffinity(0, sizeof(all), &all);
}
#else
int processor() { return -1; }
void leave(int) {}
#endif

int usable_threads(int wanted) {
  if (forked || omp_in_parallel()) return 1;
  const int own = wanted > 0 ? wanted : omp_get_max_threads();
  const int limit = omp_get_thread_limit();
  return own < limit ? own : limit;
}

}  // namespace gruworks
