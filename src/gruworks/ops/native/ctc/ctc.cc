#include "ctc/ctc.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace gruworks {

namespace {

constexpr double never = -std::numeric_limits<double>::infinity();

double log_add(double a, double b) {
  if (a == b) return a + std::log(2.0);
  return a > b ? a + std::log1p(std::exp(b - a)) : b + std::log1p(std::exp(a - b));
}

}  // namespace

PrefixSearch::PrefixSearch(std::shared_ptr<Guide> guide, Index width, int32_t blank, double margin)
    : guide_(std::move(guide)), width_(width), blank_(blank), margin_(margin) {
  nodes_.push_back({-1, blank, guide_ ? guide_->start() : GuideState{}});
  beams_.push_back({0, 0.0, never, 0.0});
}

void PrefixSearch::advance(const double* rows, Index steps, Index size) {
  std::unique_lock<std::mutex> lock;
  if (guide_) lock = std::unique_lock(guide_->mutex);
  for (Index t = 0; t < steps; ++t) step(rows + t * size, size);
}

void PrefixSearch::step(const double* row, Index size) {
  const double least = *std::max_element(row, row + size) - margin_;
  tried_.clear();
  for (int32_t v = 0; v < size; ++v)
    if (v != blank_ && row[v] >= least) tried_.push_back(v);
  const size_t n = beams_.size(), m = tried_.size();
  std::vector<double> blank(n), symbol(n), longer(n * m), scores(n + n * m), gains(n * m);
  for (size_t i = 0; i < n; ++i) {
    const Beam& beam = beams_[i];
    const Node& node = nodes_[beam.node];
    const double total = log_add(beam.after_blank, beam.after_symbol);
    blank[i] = total + row[blank_], symbol[i] = beam.after_symbol + row[node.symbol];
    for (size_t j = 0; j < m; ++j) {  // a repeated symbol is a new one only after a blank
      longer[i * m + j] = (tried_[j] == node.symbol ? beam.after_blank : total) + row[tried_[j]];
      gains[i * m + j] = guide_ ? guide_->gain(node.state, tried_[j]) : 0.0;
    }
  }
  merge(symbol, longer);
  for (size_t i = 0; i < n; ++i) {
    scores[i] = log_add(blank[i], symbol[i]) + beams_[i].guided;
    for (size_t j = 0; j < m; ++j)
      scores[n + i * m + j] = longer[i * m + j] + beams_[i].guided + gains[i * m + j];
  }
  const std::vector<Index> order = best(scores);
  std::vector<Beam> next;
  next.reserve(order.size());
  for (const Index at : order)
    if (at < static_cast<Index>(n)) next.push_back({beams_[at].node, blank[at], symbol[at], beams_[at].guided});
  for (const Index at : order) {
    if (at < static_cast<Index>(n)) continue;
    const size_t place = at - n, i = place / m;
    next.push_back({grown(beams_[i].node, tried_[place % m]), never, longer[place], beams_[i].guided + gains[place]});
  }
  beams_ = std::move(next);
}

// Merges extensions that equal another beam into that beam, in place.
void PrefixSearch::merge(std::vector<double>& symbol, std::vector<double>& longer) const {
  std::unordered_map<int32_t, size_t> place;
  for (size_t i = 0; i < beams_.size(); ++i) place[beams_[i].node] = i;
  for (size_t i = 0; i < beams_.size(); ++i) {
    const Node& node = nodes_[beams_[i].node];
    const auto parent = place.find(node.parent);
    const auto column = std::lower_bound(tried_.begin(), tried_.end(), node.symbol);
    if (parent == place.end() || column == tried_.end() || *column != node.symbol) continue;
    double& path = longer[parent->second * tried_.size() + (column - tried_.begin())];
    symbol[i] = log_add(symbol[i], path);
    path = never;
  }
}

// Indices of the best `width` scores, best first, ties by index.
std::vector<Index> PrefixSearch::best(const std::vector<double>& scores) const {
  std::vector<Index> order;
  for (size_t at = 0; at < scores.size(); ++at)
    if (scores[at] > never) order.push_back(static_cast<Index>(at));
  const auto better = [&](Index a, Index b) { return scores[a] != scores[b] ? scores[a] > scores[b] : a < b; };
  const Index kept = std::min(width_, static_cast<Index>(order.size()));
  std::partial_sort(order.begin(), order.begin() + kept, order.end(), better);
  order.resize(kept);
  return order;
}

int32_t PrefixSearch::grown(int32_t parent, int32_t symbol) {
  const auto [at, fresh] =
      children_.try_emplace((static_cast<int64_t>(parent) << 32) | symbol, static_cast<int32_t>(nodes_.size()));
  if (fresh) {
    const GuideState state = guide_ ? guide_->advance(nodes_[parent].state, symbol) : GuideState{};
    nodes_.push_back({parent, symbol, state});
  }
  return at->second;
}

std::vector<Found> PrefixSearch::results(Index n_best, bool ended) const {
  std::unique_lock<std::mutex> lock;
  if (guide_) lock = std::unique_lock(guide_->mutex);
  std::vector<double> acoustic, scores, ends;
  for (const Beam& beam : beams_) {
    acoustic.push_back(log_add(beam.after_blank, beam.after_symbol));
    scores.push_back(acoustic.back() + beam.guided);
    if (ended && guide_) ends.push_back(scores.back() + guide_->finish(nodes_[beam.node].state));
  }
  // If no hypothesis may end, final scores are ignored.
  if (std::any_of(ends.begin(), ends.end(), [](double end) { return end > never; })) scores = ends;
  std::vector<Found> found;
  for (const Index at : best(scores)) {
    if (static_cast<Index>(found.size()) == n_best) break;
    found.push_back({text(beams_[at].node), scores[at], acoustic[at]});
  }
  return found;
}

// Common prefix of all beams.
std::vector<int32_t> PrefixSearch::stable() const {
  if (beams_.empty()) return {};
  std::vector<int32_t> same = text(beams_[0].node);
  for (const Beam& beam : beams_) {
    const std::vector<int32_t> other = text(beam.node);
    const size_t least = std::min(same.size(), other.size());
    same.resize(std::mismatch(same.begin(), same.begin() + least, other.begin()).first - same.begin());
  }
  return same;
}

std::vector<int32_t> PrefixSearch::text(int32_t node) const {
  std::vector<int32_t> symbols;
  for (; node > 0; node = nodes_[node].parent) symbols.push_back(nodes_[node].symbol);
  std::reverse(symbols.begin(), symbols.end());
  return symbols;
}

}  // namespace gruworks
