// Memory for vectors, freed with its owner. Aligned to a pair of cache lines, which processors fetch together, so that
// no two threads' parts share one. (Huge pages for packed weights gave no speed-up.)
#pragma once

#include <new>
#include <utility>

#include "core/index.h"

namespace gruworks {

constexpr std::align_val_t kAligned{128};

inline void* allocate(Index bytes) { return ::operator new(static_cast<size_t>(bytes), kAligned); }
inline void release(void* memory) { ::operator delete(memory, kAligned); }

template <class T> class Block {
 public:
  Block() = default;
  explicit Block(Index n) {
    const Index bytes = (n * static_cast<Index>(sizeof(T)) + 255) / 128 * 128;
    data_ = static_cast<T*>(allocate(bytes));
  }
  Block(Block&& other) noexcept : data_(std::exchange(other.data_, nullptr)) {}
  Block& operator=(Block&& other) noexcept {
    std::swap(data_, other.data_);
    return *this;
  }
  ~Block() { release(data_); }
  T* get() const { return data_; }

 private:
  T* data_ = nullptr;
};

}  // namespace gruworks
