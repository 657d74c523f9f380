// Pool of large memory blocks that every training step needs again.
//
// Allocated by the system each time, every page would fault, 2.5 us each on a virtual machine: 25 of 307 ms at
// (T, B, I, H) = (100, 64, 512, 512).
#pragma once

#include <mutex>
#include <utility>
#include <vector>

#include "core/memory.h"

namespace gruworks {

// Caches freed blocks, up to kLimit bytes, the most recent last.
class Pool {
 public:
  static constexpr Index kLimit = Index{256} << 20;

  static Pool& one() {
    static Pool* const pool = new Pool;  // never destroyed: tensors may outlive static objects
    return *pool;
  }

  // At least `bytes`, which is set to the size of the block.
  char* take(Index& bytes) {
    bytes = (bytes + 127) / 128 * 128;
    if (const std::unique_lock<std::mutex> guard(lock_, std::try_to_lock); guard)  // a fork may have left it locked
      for (auto it = free_.end(); it != free_.begin();)
        if (--it; it->second >= bytes && it->second / 2 <= bytes) {
          char* const found = it->first;
          bytes = it->second, kept_ -= bytes;
          free_.erase(it);
          return found;
        }
    return static_cast<char*>(allocate(bytes));
  }

  void give(char* memory, Index bytes) {
    const std::unique_lock<std::mutex> guard(lock_, std::try_to_lock);
    if (!guard || bytes > kLimit) return release(memory);
    free_.emplace_back(memory, bytes), kept_ += bytes;
    while (kept_ > kLimit) {
      release(free_.front().first);
      kept_ -= free_.front().second;
      free_.erase(free_.begin());
    }
  }

 private:
  std::mutex lock_;
  std::vector<std::pair<char*, Index>> free_;
  Index kept_ = 0;
};

template <class T> class Pooled {
 public:
  explicit Pooled(Index n) : bytes_(n * static_cast<Index>(sizeof(T))), data_(Pool::one().take(bytes_)) {}
  Pooled(Pooled&& other) noexcept : bytes_(other.bytes_), data_(std::exchange(other.data_, nullptr)) {}
  Pooled& operator=(Pooled&&) = delete;
  ~Pooled() {
    if (data_) Pool::one().give(data_, bytes_);
  }
  T* get() const { return reinterpret_cast<T*>(data_); }

 private:
  Index bytes_;
  char* data_;
};

}  // namespace gruworks
