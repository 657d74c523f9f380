// OpenMP's threads, shared with torch.
#include <omp.h>

#include "core/threads.h"

namespace gruworks {

namespace {

void run(int threads, Work work, void* data) {
#pragma omp parallel num_threads(threads)
  work(data, omp_get_thread_num(), omp_get_num_threads());
}

int usable(int wanted) {
  if (omp_in_parallel()) return 1;
  const int own = wanted > 0 ? wanted : omp_get_max_threads();
  const int limit = omp_get_thread_limit();
  return own < limit ? own : limit;
}

}  // namespace

const ThreadPool& openmp_pool() {
  static constexpr ThreadPool pool = {"openmp", run, usable};
  return pool;
}

}  // namespace gruworks
