// Memory for vectors: aligned to a cache line, freed with its owner.
#pragma once

#include <cstdlib>
#include <new>
#include <utility>

namespace gruworks {

template <class T> class Block {
 public:
  Block() = default;
  explicit Block(long n) {
    const long bytes = (n * static_cast<long>(sizeof(T)) + 127) / 64 * 64;
    data_ = static_cast<T*>(std::aligned_alloc(64, static_cast<size_t>(bytes)));
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
