// Threads, and barriers on flags: one cache line for each writer, no lock.
//
// On Linux the threads are those of GCC's OpenMP where its library is found, so that torch and this module share one
// pool (the copy loaded first): a second spinning pool beside torch's took up to 11 times as long.
// Elsewhere they are those of a pool of our own (own_pool.cc), which sleeps unless it works.
#pragma once

#include "core/index.h"

namespace gruworks {

struct alignas(128) Flag {  // two lines: processors fetch them in pairs
  Index ticks = 0;
  int processor = -1;  // at the start of the thread
};

inline void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// The processor of this thread, -1 if unknown; and migration to any other processor of its affinity mask, which is left
// unchanged.
int processor();
void leave(int processor);
void yield();  // lets another thread run on this processor

// One thread's place in a grid of `groups` x `members`: groups divide the rows of the batch, members the columns.
struct Place {
  Flag* flags = nullptr;
  int thread = 0, threads = 1;
  int group = 0, groups = 1;
  int member = 0, members = 1;
  Index ticks = 0;

  // Publish this member's results of the step.
  void publish() { __atomic_store_n(&flags[thread].ticks, ++ticks, __ATOMIC_RELEASE); }

  // Wait until the other members of the group have published as often as this one.
  void wait_group() { wait(group * members, members); }

  // Migrates this thread if it shares a processor with an earlier one: a sleeping worker is sometimes woken on the
  // processor of its waker, and two threads that synchronize at every step then alternate on it until the scheduler
  // balances the load, which takes longer than the whole call.
  void spread() {
    const int here = processor();
    __atomic_store_n(&flags[thread].processor, here, __ATOMIC_RELAXED);
    for (int i = 0; i < thread && here >= 0; ++i)
      if (__atomic_load_n(&flags[i].processor, __ATOMIC_RELAXED) == here) return leave(here);
  }

  // The same for all threads. The counters of the groups may differ, so they are first set to a common value.
  void meet(Index round) {
    ticks = round << 40;
    publish();
    wait(0, threads);
  }

 private:
  void wait(int first, int count) {
    for (int i = first; i < first + count; ++i) {
      // After a few microseconds the other thread is probably descheduled, perhaps waiting for this core: with both
      // threads on one core of a busy machine, 4,000 iterations before each yield made a step take 160 us.
      for (int turns = 0; __atomic_load_n(&flags[i].ticks, __ATOMIC_ACQUIRE) < ticks; ++turns)
        if (turns > 300) yield();
        else if (turns > 200) relax();
    }
  }
};

// Number of threads for a request of `wanted` (0: the pool's default). 1 in a forked child, whose copy of the pool has
// no threads, and within the work of a pool.
int usable_threads(int wanted);

// Work of one of `threads` threads; a pool may grant fewer than requested, down to the caller alone.
using Work = void (*)(void* data, int thread, int threads);

// A pool of threads. `run` returns when all of them have.
struct ThreadPool {
  const char* name;
  void (*run)(int threads, Work, void* data);
  int (*usable)(int wanted);
};
const ThreadPool& own_pool();
const ThreadPool* openmp_pool();  // nullptr where there is no libgomp
const ThreadPool& pool();         // the one in use: GRUWORKS_THREAD_POOL, else OpenMP's where there is one

// Calls f(thread, threads) on up to `threads` threads.
template <class F> void parallel(int threads, F& f) {
  pool().run(threads, [](void* data, int thread, int granted) { (*static_cast<F*>(data))(thread, granted); }, &f);
}

// Calls f(i) for every i < n, in equal parts on up to `threads` threads.
template <class F> void parallel_for(Index n, int threads, const F& f) {
  if (threads <= 1 || n <= 1) {
    for (Index i = 0; i < n; ++i) f(i);
    return;
  }
  auto part = [&](int thread, int granted) {
    for (Index i = n * thread / granted; i < n * (thread + 1) / granted; ++i) f(i);
  };
  parallel(threads, part);
}

}  // namespace gruworks
