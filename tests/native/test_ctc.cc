// The prefix search under the sanitizers: without a beam's limit it must find every text with the sum over all its
// paths and what a guide adds, walked through symbol by symbol; with narrow beams and long rows it must only stay sound.
#include <cmath>
#include <cstdio>
#include <map>
#include <random>
#include <vector>

#include "ctc/ctc.h"

using namespace gruworks;
using Text = std::vector<int32_t>;

static std::mt19937 engine(1);
static double uniform() { return std::uniform_real_distribution<double>(0, 1)(engine); }
static double log_add(double a, double b) {
  const double most = std::max(a, b);
  return std::isinf(most) ? most : most + std::log(std::exp(a - most) + std::exp(b - most));
}

constexpr int V = 4, blank = 0, space = 1;

static std::vector<double> random_rows(int steps) {
  std::vector<double> rows(steps * V);
  for (int t = 0; t < steps; ++t) {
    double total = 0;
    for (int v = 0; v < V; ++v) total += rows[t * V + v] = 0.01 + uniform();
    for (int v = 0; v < V; ++v) rows[t * V + v] = std::log(rows[t * V + v] / total);
  }
  return rows;
}

// The log-probability of each text over all paths.
static std::map<Text, double> every_path(const std::vector<double>& rows, int steps) {
  std::map<Text, double> texts;
  for (Index path = 0; path < std::lround(std::pow(V, steps)); ++path) {
    Text text;
    double score = 0;
    int last = blank;
    for (Index t = 0, rest = path; t < steps; ++t, rest /= V) {
      const int v = static_cast<int>(rest % V);
      score += rows[t * V + v];
      if (v != blank && v != last) text.push_back(v);
      last = v;
    }
    const auto [at, fresh] = texts.try_emplace(text, score);
    if (!fresh) at->second = log_add(at->second, score);
  }
  return texts;
}

// Trigrams over words 0 and 1, an end (2) and an unknown word (3); 4 begins. Not normalised: nobody asks.
static LanguageModel language() {
  auto grams = std::make_shared<Grams>(4);
  const auto add = [&](std::vector<int64_t> keys) {
    std::vector<double> told, back;
    for (size_t i = 0; i < keys.size(); ++i) told.push_back(std::log(0.1 + uniform())), back.push_back(std::log(uniform()));
    grams->add(keys.data(), told.data(), back.data(), static_cast<Index>(keys.size()));
  };
  add({0, 1, 2, 3, 4});
  add({0 * 5 + 1, 1 * 5 + 0, 1 * 5 + 2, 4 * 5 + 0, 4 * 5 + 1});
  add({0 * 5 + 2, 3 * 5 + 1, 4 * 5 + 1});
  return {grams, {4}, 2, 3, 3, 0.7, 0.4};
}

// Words "2" and "2 3" of the symbols 2 and 3.
static Tree tree() { return {{-1, 0, 1}, {-1, 2, 3}, {-1, 0, 1}, {1, 2}, {0, 1}, {0.0, 1.5}}; }

static double walked(Guide& guide, const Text& text) {
  double gained = 0;
  GuideState state = guide.start();
  for (const int32_t symbol : text) gained += guide.gain(state, symbol), state = guide.advance(state, symbol);
  return gained + guide.finish(state);
}

static int compare(const char* name, const std::shared_ptr<Guide>& guide) {
  const int steps = 5;
  const auto rows = random_rows(steps);
  PrefixSearch search(guide, 1 << 20, blank, 1e9);
  search.advance(rows.data(), steps, V);
  std::map<Text, Found> found;
  for (Found& one : search.results(1 << 20, true)) found.emplace(one.symbols, one);
  int failed = 0;
  for (const auto& [text, acoustic] : every_path(rows, steps)) {
    const double score = acoustic + (guide ? walked(*guide, text) : 0);
    const auto at = found.find(text);
    if (std::isinf(score) ? at == found.end() : at != found.end() && std::abs(at->second.score - score) < 1e-10 &&
                                                    std::abs(at->second.acoustic - acoustic) < 1e-10)
      continue;
    ++failed;
  }
  PrefixSearch narrow(guide, 3, blank, 8.0);
  for (int t = 0; t < 300; ++t) narrow.advance(random_rows(1).data(), 1, V);
  if (narrow.stable().empty() || narrow.results(2, true).empty()) ++failed;
  if (failed) std::printf("%s: %d failed\n", name, failed);
  return failed;
}

int main() {
  int failed = 0;
  failed += compare("none", nullptr);
  failed += compare("closed", std::make_shared<WordGuide>(tree(), V, space, true, LanguageModel{}));
  failed += compare("words", std::make_shared<WordGuide>(tree(), V, space, true, language()));
  failed += compare("open", std::make_shared<WordGuide>(tree(), V, space, false, language()));
  failed += compare("symbols", std::make_shared<SymbolGuide>(std::vector<double>{0, 0.5, -INFINITY, 0},
                                                            Text{3, 0, 1, 0}, language()));
  std::printf("5 guides of a search, %d failed\n", failed);
  return failed != 0;
}
