#include "ctc/ngram.h"

#include <algorithm>

namespace gruworks {

void Grams::add(const int64_t* keys, const double* log_probability, const double* log_backoff, Index count) {
  Order one{{keys, keys + count}, {log_probability, log_probability + count}, {log_backoff, log_backoff + count}, {}};
  if (!orders_.empty()) {
    const Index contexts = static_cast<Index>(orders_.back().keys.size());
    one.first.assign(contexts + 1, count);
    for (Index c = contexts, i = count; c >= 0; --c) {
      while (i > 0 && one.keys[i - 1] / (size_ + 1) >= c) --i;
      one.first[c] = i;
    }
  }
  orders_.push_back(std::move(one));
}

int64_t Grams::locate(const int32_t* gram, Index length) const {
  if (length < 1 || length > order() || gram[0] < 0 || gram[0] > size_) return -1;
  int64_t number = gram[0];
  for (Index place = 1; place < length; ++place) {
    const auto& keys = orders_[place].keys;
    const int64_t wanted = number * (size_ + 1) + gram[place];
    const auto at = std::lower_bound(keys.begin(), keys.end(), wanted);
    if (at == keys.end() || *at != wanted) return -1;
    number = at - keys.begin();
  }
  return number;
}

void Grams::log_probabilities(const int32_t* context, Index length, double* row) const {
  std::copy_n(orders_[0].log_probability.begin(), size_, row);
  for (Index n = 1; n <= std::min(order() - 1, length); ++n) {
    const int64_t number = locate(context + length - n, n);
    if (number < 0) continue;
    const double log_backoff = orders_[n - 1].log_backoff[number];
    for (Index w = 0; w < size_; ++w) row[w] += log_backoff;
    const Order& one = orders_[n];
    for (int64_t i = one.first[number]; i < one.first[number + 1]; ++i) {
      const int64_t symbol = one.keys[i] % (size_ + 1);
      if (symbol < size_) row[symbol] = one.log_probability[i];
    }
  }
}

}  // namespace gruworks
