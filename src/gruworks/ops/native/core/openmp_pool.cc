// The threads of GCC's OpenMP, shared with torch: libgomp's C interface, which `#pragma omp parallel` compiles to, looked
// up when the pool is first used. So the module needs no libgomp, takes the copy that torch has loaded, whatever its
// file is called, and is the same from every compiler.
#include <dlfcn.h>

#include "core/threads.h"

namespace gruworks {

namespace {

struct OpenMP {
  void (*parallel)(void (*)(void*), void*, unsigned threads, unsigned flags);
  int (*in_parallel)();
  int (*max_threads)();
  int (*thread_limit)();
  int (*thread)();
  int (*threads)();
};
OpenMP openmp;

template <class F> bool find(void* library, const char* name, F& function) {
  function = reinterpret_cast<F>(dlsym(library, name));
  return function != nullptr;
}

bool find_all(void* library) {
  return find(library, "GOMP_parallel", openmp.parallel) && find(library, "omp_in_parallel", openmp.in_parallel) &&
         find(library, "omp_get_max_threads", openmp.max_threads) &&
         find(library, "omp_get_thread_limit", openmp.thread_limit) &&
         find(library, "omp_get_thread_num", openmp.thread) && find(library, "omp_get_num_threads", openmp.threads);
}

// What the process shows to everyone comes first: torch shows its libgomp so, under a name of its own in some builds.
bool load() {
  if (find_all(RTLD_DEFAULT)) return true;
  void* const library = dlopen("libgomp.so.1", RTLD_NOW);
  return library && find_all(library);
}

struct Shared {
  Work work;
  void* data;
};

void run(int threads, Work work, void* data) {
  Shared shared = {work, data};
  openmp.parallel(
      [](void* given) {
        const Shared& s = *static_cast<Shared*>(given);
        s.work(s.data, openmp.thread(), openmp.threads());
      },
      &shared, static_cast<unsigned>(threads), 0);
}

int usable(int wanted) {
  if (openmp.in_parallel()) return 1;
  const int own = wanted > 0 ? wanted : openmp.max_threads();
  const int limit = openmp.thread_limit();
  return own < limit ? own : limit;
}

}  // namespace

const ThreadPool* openmp_pool() {
  static constexpr ThreadPool pool = {"openmp", run, usable};
  static const bool loaded = load();
  return loaded ? &pool : nullptr;
}

}  // namespace gruworks
