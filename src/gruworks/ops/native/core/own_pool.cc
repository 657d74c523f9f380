// Pool of std::threads: a worker waits for work in a short loop, then sleeps until it is woken.
//
// One caller has the pool at a time and others wait for it, so that no more threads run than were requested, and the
// same number runs whatever other callers do: sums depend on it.
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "core/threads.h"

#if defined(__linux__)
#include <sched.h>
#endif

namespace gruworks {

namespace {

constexpr int kSpin = 2000;  // rounds of the loop before a worker sleeps, some 50 us

thread_local bool working = false;

struct Task {
  Work work = nullptr;
  void* data = nullptr;
  int threads = 0;
  std::atomic<int> left{0};  // workers that have not finished
};

class Worker {
 public:
  explicit Worker(int number) : number_(number), thread_([this] { loop(); }) { thread_.detach(); }

  void start(Task& task) {
    task_.store(&task);
    if (!asleep_.load()) return;
    { const std::lock_guard<std::mutex> guard(lock_); }
    wake_.notify_one();
  }

 private:
  void loop() {
    working = true;
    for (;;) {
      Task& task = *next();
      task.work(task.data, number_, task.threads);
      task_.store(nullptr);
      task.left.fetch_sub(1);
    }
  }

  Task* next() {
    for (int i = 0; i < kSpin; ++i, relax())
      if (Task* const task = task_.load()) return task;
    std::unique_lock<std::mutex> guard(lock_);
    asleep_.store(true);
    wake_.wait(guard, [this] { return task_.load() != nullptr; });
    asleep_.store(false);
    return task_.load();
  }

  const int number_;
  alignas(128) std::atomic<Task*> task_{nullptr};
  std::atomic<bool> asleep_{false};
  std::mutex lock_;
  std::condition_variable wake_;
  std::thread thread_;  // last: it uses all the others
};

struct Workers {
  std::mutex caller;
  std::vector<Worker*> list;  // never destroyed, as detached threads use them until the process ends

  // At least `count` workers, or as many as the system allows.
  int grow(int count) try {
    while (static_cast<int>(list.size()) < count) list.push_back(new Worker(static_cast<int>(list.size()) + 1));
    return count;
  } catch (const std::system_error&) {
    return static_cast<int>(list.size());
  }
};

Workers& workers() {
  static Workers* const once = new Workers;
  return *once;
}

void run(int threads, Work work, void* data) {
  if (threads <= 1 || working) return work(data, 0, 1);
  Workers& all = workers();
  const std::lock_guard<std::mutex> mine(all.caller);
  const int helpers = all.grow(threads - 1);
  Task task;
  task.work = work, task.data = data, task.threads = helpers + 1, task.left = helpers;
  for (int i = 0; i < helpers; ++i) all.list[i]->start(task);
  working = true;
  work(data, 0, helpers + 1);
  working = false;
  for (int turns = 0; task.left.load() > 0; ++turns) turns > 300 ? yield() : relax();
}

int processors() {
#if defined(__linux__)
  cpu_set_t all;
  if (sched_getaffinity(0, sizeof(all), &all) == 0) return CPU_COUNT(&all);
#endif
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

int preset() {
  const char* const asked = std::getenv("OMP_NUM_THREADS");
  const int number = asked ? std::atoi(asked) : 0;
  return number > 0 ? number : processors();
}

int usable(int wanted) {
  static const int once = preset();
  return working ? 1 : wanted > 0 ? wanted : once;
}

}  // namespace

const ThreadPool& own_pool() {
  static constexpr ThreadPool pool = {"own", run, usable};
  return pool;
}

}  // namespace gruworks
