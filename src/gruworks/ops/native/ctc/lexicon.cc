#include "ctc/lexicon.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace gruworks {

namespace {

constexpr double never = -std::numeric_limits<double>::infinity();
constexpr size_t max_cached = size_t{1} << 25;  // elements of a cache: 256 MB

// Cache entry of a context, created if missing; a full cache is cleared.
template <class T, class Make>
const T& looked_up(std::vector<std::unique_ptr<T>>& known, size_t& remembered, int32_t context, size_t cost, Make make) {
  if (static_cast<size_t>(context) >= known.size()) known.resize(context + 1);
  if (!known[context]) {
    if (remembered + cost > max_cached) {
      for (auto& one : known) one.reset();
      remembered = 0;
    }
    known[context] = std::make_unique<T>(make());
    remembered += cost;
  }
  return *known[context];
}

}  // namespace

Guide::Guide(LanguageModel language) : language_(std::move(language)) {
  numbered({});
  if (language_.grams) numbered(language_.start);
}

int32_t Guide::numbered(std::vector<int32_t> context) {
  const auto [at, fresh] = numbers_.try_emplace(context, static_cast<int32_t>(contexts_.size()));
  if (fresh) contexts_.push_back(std::move(context));
  return at->second;
}

int32_t Guide::after(int32_t context, int32_t word) {
  std::vector<int32_t> longer = contexts_[context];
  longer.push_back(word);
  const auto length = [&] { return static_cast<Index>(longer.size()); };
  while (!longer.empty() && (length() >= language_.order || language_.grams->locate(longer.data(), length()) < 0))
    longer.erase(longer.begin());
  return numbered(std::move(longer));
}

void Guide::log_probabilities(int32_t context, std::vector<double>& row) const {
  row.resize(language_.grams->size());
  const auto& words = contexts_[context];
  language_.grams->log_probabilities(words.data(), static_cast<Index>(words.size()), row.data());
}

WordGuide::WordGuide(Tree tree, Index size, int32_t space, bool closed, LanguageModel language)
    : Guide(std::move(language)), tree_(std::move(tree)), size_(size), space_(space), closed_(closed) {
  const size_t nodes = tree_.parent.size();
  children_.resize(nodes - 1);
  std::iota(children_.begin(), children_.end(), 1);
  std::sort(children_.begin(), children_.end(), [&](int32_t a, int32_t b) {
    return std::pair(tree_.parent[a], tree_.symbol[a]) < std::pair(tree_.parent[b], tree_.symbol[b]);
  });
  first_.assign(nodes + 1, 0);
  for (size_t node = 1; node < nodes; ++node) ++first_[tree_.parent[node] + 1];
  std::partial_sum(first_.begin(), first_.end(), first_.begin());
}

int32_t WordGuide::child(int32_t node, int32_t symbol) const {
  const auto begin = children_.begin() + first_[node], end = children_.begin() + first_[node + 1];
  const auto at =
      std::lower_bound(begin, end, symbol, [&](int32_t one, int32_t wanted) { return tree_.symbol[one] < wanted; });
  return at != end && tree_.symbol[*at] == symbol ? *at : -1;
}

WordGuide::Gains WordGuide::computed(int32_t context) const {
  Gains made{tree_.hot, std::vector<double>(tree_.parent.size(), never), 0, 0};
  if (language_.grams) {
    std::vector<double> row;
    log_probabilities(context, row);
    for (double& one : row) one *= language_.weight;
    for (size_t w = 0; w < tree_.hot.size(); ++w) made.word[w] = row[tree_.number[w]] + language_.bonus + tree_.hot[w];
    made.unknown = row[language_.unknown] + language_.bonus, made.end = row[language_.end];
  }
  for (size_t w = 0; w < tree_.node.size(); ++w)
    made.best[tree_.node[w]] = std::max(made.best[tree_.node[w]], made.word[w]);
  for (size_t node = tree_.parent.size() - 1; node > 0; --node)
    made.best[tree_.parent[node]] = std::max(made.best[tree_.parent[node]], made.best[node]);
  return made;
}

const WordGuide::Gains& WordGuide::gains(int32_t context) {
  const size_t cost = tree_.parent.size() + tree_.hot.size();
  return looked_up(known_, remembered_, context, cost, [&] { return computed(context); });
}

double WordGuide::gain(GuideState state, int32_t symbol) {
  if (state.node < 0) return 0;
  if (symbol == space_) return state.node ? word_end(state.node, state.context) : never;
  const Gains& known = gains(state.context);
  const double paid = state.node ? known.best[state.node] : 0;
  const int32_t next = child(state.node, symbol);
  if (next >= 0) return known.best[next] - paid;
  return closed_ ? never : known.unknown - paid;
}

GuideState WordGuide::advance(GuideState state, int32_t symbol) {
  if (symbol != space_) return {state.node < 0 ? -1 : child(state.node, symbol), state.context};
  return {0, after_word(state.node, state.context)};
}

double WordGuide::finish(GuideState state) {
  const double ended = state.node ? word_end(state.node, state.context) : 0;
  return ended + gains(state.node ? after_word(state.node, state.context) : state.context).end;
}

int32_t WordGuide::after_word(int32_t node, int32_t context) {
  if (!language_.grams) return 0;
  const int32_t word = node < 0 ? -1 : tree_.word[node];
  return after(context, word < 0 ? language_.unknown : tree_.number[word]);
}

double WordGuide::word_end(int32_t node, int32_t context) {
  if (node < 0) return 0;
  const Gains& known = gains(context);
  const int32_t word = tree_.word[node];
  if (word < 0) return closed_ ? never : known.unknown - known.best[node];
  return known.word[word] - known.best[node];
}

SymbolGuide::SymbolGuide(std::vector<double> fixed, std::vector<int32_t> numbers, LanguageModel language)
    : Guide(std::move(language)), fixed_(std::move(fixed)), numbers_(std::move(numbers)) {}

double SymbolGuide::gain(GuideState state, int32_t symbol) {
  if (!language_.grams) return fixed_[symbol];
  return language_.weight * rows(state.context)[numbers_[symbol]] + language_.bonus + fixed_[symbol];
}

GuideState SymbolGuide::advance(GuideState state, int32_t symbol) {
  return {0, language_.grams ? after(state.context, numbers_[symbol]) : 0};
}

double SymbolGuide::finish(GuideState state) {
  return language_.grams ? language_.weight * rows(state.context)[language_.end] : 0;
}

const std::vector<double>& SymbolGuide::rows(int32_t context) {
  return looked_up(known_, remembered_, context, static_cast<size_t>(language_.grams->size()), [&] {
    std::vector<double> row;
    log_probabilities(context, row);
    return row;
  });
}

}  // namespace gruworks
