// A team of threads that meet at flags: one cache line a writer, no lock, no pool of our own.
//
// The threads are OpenMP's, so that torch and this module share one pool (libgomp.so.1, whichever is loaded first).
// A second pool that spins beside torch's cost up to 11 times the time.
#pragma once

#include <sched.h>

namespace gruworks {

struct alignas(128) Flag {  // two lines: processors fetch them in pairs
  long ticks = 0;
  int processor = -1;  // where the thread began
};

inline void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// The processor that this thread runs on, -1 where the system doesn't say; and away from it to any other that the
// thread may use (its mask is left as it was).
int processor();
void leave(int processor);

// One thread's place in a grid of `groups` x `members`: groups share out the rows of the batch, members the columns.
struct Place {
  Flag* flags = nullptr;
  int thread = 0, threads = 1;
  int group = 0, groups = 1;
  int member = 0, members = 1;
  long ticks = 0;

  // Tell the others that what they wait for is in memory.
  void publish() { __atomic_store_n(&flags[thread].ticks, ++ticks, __ATOMIC_RELEASE); }

  // Wait until the other members of the group have published as often as this one.
  void wait_group() { wait(group * members, members); }

  // Moves this thread where it finds itself on the processor of an earlier one: a sleeping worker is sometimes woken on
  // its waker's, and two threads that wait for each other every step then take turns at it until the scheduler notices,
  // which takes longer than the whole call.
  void spread() {
    const int here = processor();
    __atomic_store_n(&flags[thread].processor, here, __ATOMIC_RELAXED);
    for (int i = 0; i < thread && here >= 0; ++i)
      if (__atomic_load_n(&flags[i].processor, __ATOMIC_RELAXED) == here) return leave(here);
  }

  // The same for all threads. Groups may have ticked differently, so they first agree on a number.
  void meet(long round) {
    ticks = round << 40;
    publish();
    wait(0, threads);
  }

 private:
  void wait(int first, int count) {
    for (int i = first; i < first + count; ++i) {
      // After a few microseconds the neighbour is not running, and perhaps for want of this very core: where a busy
      // machine had put both threads on one core, 4,000 turns before each yield made a step cost 160 us.
      for (int turns = 0; __atomic_load_n(&flags[i].ticks, __ATOMIC_ACQUIRE) < ticks; ++turns)
        if (turns > 300) sched_yield();
        else if (turns > 200) relax();
    }
  }
};

// Threads to use when the caller asks for `wanted` (0: OpenMP's own number). 1 in a forked child, whose copy of the
// pool has no threads behind it.
int usable_threads(int wanted);

}  // namespace gruworks
