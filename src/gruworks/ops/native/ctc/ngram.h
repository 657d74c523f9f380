// N-gram models in backoff form; ops/language_model/backoff.py is the reference and checks what comes in.
#pragma once

#include <cstdint>
#include <vector>

namespace gruworks {

class Grams {
 public:
  explicit Grams(long size) : size_(size) {}  // V; symbol V is a text's beginning

  // The n-grams of the next order, `count` of them sorted by key; their logarithms.
  void add(const int64_t* keys, const double* log_probability, const double* log_backoff, long count);

  long size() const { return size_; }
  long order() const { return static_cast<long>(orders_.size()); }

  // The number of an n-gram among those of its order, -1 where it isn't listed.
  int64_t locate(const int32_t* gram, long length) const;

  // ln p(w | context) of all symbols [V], the latest symbol last.
  void log_probabilities(const int32_t* context, long length, double* row) const;

 private:
  struct Order {
    std::vector<int64_t> keys;
    std::vector<double> log_probability, log_backoff;
    std::vector<int64_t> first;  // where the n-grams of each context begin, one more at the end
  };

  long size_;
  std::vector<Order> orders_;
};

}  // namespace gruworks
