// Guides of a CTC search; ops/ctc/lexicon.py is the reference and says what the numbers mean.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "ctc/ngram.h"

namespace gruworks {

// A node of the words' tree (0 between words, -1 outside of it) and the number of a context.
struct GuideState {
  int32_t node = 0, context = 0;
};

// A language model and its words' numbers, as `Language` of the reference; no model where `grams` is empty.
struct LanguageModel {
  std::shared_ptr<const Grams> grams;
  std::vector<int32_t> start;
  int32_t end = 0, unknown = 0;
  long order = 1;
  double weight = 0, bonus = 0;
};

class Guide {
 public:
  explicit Guide(LanguageModel language);
  virtual ~Guide() = default;
  GuideState start() const { return {0, language_.grams ? 1 : 0}; }
  virtual double gain(GuideState, int32_t symbol) = 0;  // of writing a symbol
  virtual GuideState advance(GuideState, int32_t symbol) = 0;
  virtual double finish(GuideState) = 0;  // of ending here
  virtual long size() const = 0;          // V of the network

  // What a guide looks up is shared by its searches: one at a time.
  std::mutex mutex;

 protected:
  // The number of the context after one more word. A context that the model doesn't list is as good as its known end.
  int32_t after(int32_t context, int32_t word);
  // ln p of what comes after a context [V of the model].
  void log_probabilities(int32_t context, std::vector<double>& row) const;

  const LanguageModel language_;

 private:
  int32_t numbered(std::vector<int32_t> context);

  std::vector<std::vector<int32_t>> contexts_;
  std::map<std::vector<int32_t>, int32_t> numbers_;
};

// The words' tree: nodes in the order in which they were made, a parent before its children.
struct Tree {
  std::vector<int32_t> parent, symbol, word;  // of each node; word -1 where none ends
  std::vector<int32_t> node, number;          // of each word: where it ends, its number in the language model
  std::vector<double> hot;                    // what each word gains
};

class WordGuide : public Guide {
 public:
  WordGuide(Tree tree, long size, int32_t space, bool closed, LanguageModel language);
  double gain(GuideState, int32_t symbol) override;
  GuideState advance(GuideState, int32_t symbol) override;
  double finish(GuideState) override;
  long size() const override { return size_; }

 private:
  // What each word gains after a context, the best below each node, what an unknown word and the end gain.
  struct Gains {
    std::vector<double> word, best;
    double unknown = 0, end = 0;
  };
  const Gains& gains(int32_t context);
  Gains computed(int32_t context) const;
  int32_t child(int32_t node, int32_t symbol) const;  // -1 where there is none
  double word_end(int32_t node, int32_t context);
  int32_t after_word(int32_t node, int32_t context);

  const Tree tree_;
  const long size_;
  const int32_t space_;
  const bool closed_;
  std::vector<int32_t> first_, children_;  // the children of each node, by symbol
  std::vector<std::unique_ptr<Gains>> known_;
  size_t remembered_ = 0;
};

class SymbolGuide : public Guide {
 public:
  SymbolGuide(std::vector<double> fixed, std::vector<int32_t> numbers, LanguageModel language);
  double gain(GuideState, int32_t symbol) override;
  GuideState advance(GuideState, int32_t symbol) override;
  double finish(GuideState) override;
  long size() const override { return static_cast<long>(fixed_.size()); }

 private:
  const std::vector<double>& rows(int32_t context);

  const std::vector<double> fixed_;
  const std::vector<int32_t> numbers_;
  std::vector<std::unique_ptr<std::vector<double>>> known_;
  size_t remembered_ = 0;
};

}  // namespace gruworks
