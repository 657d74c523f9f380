// N-gram models in backoff form; ops/language_model/backoff.py is the reference and checks the arguments.
#pragma once

#include <cstdint>
#include <vector>

#include "core/index.h"

namespace gruworks {

class Grams {
 public:
  explicit Grams(Index size) : size_(size) {}  // V; symbol V is the beginning of a text

  // The n-grams of the next order, `count` of them sorted by key; their logarithms.
  void add(const int64_t* keys, const double* log_probability, const double* log_backoff, Index count);

  Index size() const { return size_; }
  Index order() const { return static_cast<Index>(orders_.size()); }

  // Index of an n-gram within its order, -1 if it is not listed.
  int64_t locate(const int32_t* gram, Index length) const;

  // ln p(w | context) of all symbols [V], the latest symbol last.
  void log_probabilities(const int32_t* context, Index length, double* row) const;

 private:
  struct Order {
    std::vector<int64_t> keys;
    std::vector<double> log_probability, log_backoff;
    std::vector<int64_t> first;  // index of the first n-gram of each context, and the total
  };

  Index size_;
  std::vector<Order> orders_;
};

}  // namespace gruworks
