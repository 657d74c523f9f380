// Memory for vectors, freed with its owner. Aligned to a pair of cache lines, which processors fetch together, so that
// no two threads' parts share one. (Huge pages for packed weights gave no speed-up.)
#pragma once

#include <cstdlib>
#include <new>
#include <utility>

namespace gruworks {

template <class T> class Block {
 public:
  Block() = default;
  explicit Block(long n) {
    const long bytes = (n * static_cast<long>(sizeof(T)) + 255) / 128 * 128;
    data_ = static_cast<T*>(std::aligned_alloc(128, static_cast<size_t>(bytes)));
    if (!data_) throw std::bad_alloc();
  }
  Block(Block&& other) noexcept : data_(std::exchange(other.data_, nullptr)) {}
  Block& operator=(Block&& other) noexcept {
    std::swap(data_, other.data_);
    return *this;
  }
  ~Block() { std::free(data_); }
  T* get() const { return data_; }

 private:
  T* data_ = nullptr;
};

}  // namespace gruworks
