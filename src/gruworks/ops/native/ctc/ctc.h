// Prefix beam search over CTC's log-probabilities; ops/ctc/ctc.py is the reference, step for step.
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "ctc/lexicon.h"

namespace gruworks {

struct Found {
  std::vector<int32_t> symbols;
  double score, acoustic;
};

class PrefixSearch {
 public:
  PrefixSearch(std::shared_ptr<Guide> guide, Index width, int32_t blank, double margin);

  // True if V = `size` matches the guide and the blank.
  bool fits(Index size) const { return size > blank_ && (!guide_ || guide_->size() == size); }
  void advance(const double* rows, Index steps, Index size);  // [T, V]
  std::vector<Found> results(Index n_best, bool ended) const;
  std::vector<int32_t> stable() const;

 private:
  struct Node {  // a prefix: its parent's and one more symbol
    int32_t parent, symbol;
    GuideState state;
  };
  struct Beam {
    int32_t node;
    double after_blank, after_symbol;  // log-probabilities of all paths with and without a final blank
    double guided;
  };

  void step(const double* row, Index size);
  void merge(std::vector<double>& symbol, std::vector<double>& longer) const;
  std::vector<Index> best(const std::vector<double>& scores) const;
  int32_t grown(int32_t parent, int32_t symbol);
  std::vector<int32_t> text(int32_t node) const;

  const std::shared_ptr<Guide> guide_;
  const Index width_;
  const int32_t blank_;
  const double margin_;
  std::vector<Node> nodes_;
  std::unordered_map<int64_t, int32_t> children_;
  std::vector<Beam> beams_;
  std::vector<int32_t> tried_;
};

}  // namespace gruworks
