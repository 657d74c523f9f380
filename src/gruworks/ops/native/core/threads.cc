// What both pools share: the choice between them, forked children, processors.
#include "core/threads.h"

#include <cstdlib>
#include <cstring>
#include <thread>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#include <sched.h>
#endif

namespace gruworks {

namespace {
bool forked = false;
#if defined(__unix__) || defined(__APPLE__)
// No pool survives a fork: a child that requests more than one thread would deadlock.
[[maybe_unused]] const int registered = pthread_atfork(nullptr, nullptr, [] { forked = true; });
#endif

const ThreadPool& chosen() {
#if defined(GRUWORKS_OPENMP)
  const char* const name = std::getenv("GRUWORKS_THREAD_POOL");
  if (!name || std::strcmp(name, "own") != 0) {
    if (const ThreadPool* const found = openmp_pool()) return *found;
  }
#endif
  return own_pool();
}
}  // namespace

const ThreadPool& pool() {
  static const ThreadPool& once = chosen();
  return once;
}

int usable_threads(int wanted) { return forked ? 1 : pool().usable(wanted); }

void yield() { std::this_thread::yield(); }

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

}  // namespace gruworks
