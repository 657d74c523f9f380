// Lexicon and language-model scores of a CTC search; ops/ctc/lexicon.py is the reference and documents the arguments.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "ctc/ngram.h"

namespace gruworks {

// Node of the prefix tree (0 between words, -1 outside of it) and index of a context.
struct GuideState {
  int32_t node = 0, context = 0;
};

// Language model and word indices, as `Language` of the reference; no model if `grams` is null.
struct LanguageModel {
  std::shared_ptr<const Grams> grams;
  std::vector<int32_t> start;
  int32_t end = 0, unknown = 0;
  Index order = 1;
  double weight = 0, bonus = 0;
};

class Guide {
 public:
  explicit Guide(LanguageModel language);
  virtual ~Guide() = default;
  GuideState start() const { return {0, language_.grams ? 1 : 0}; }
  virtual double gain(GuideState, int32_t symbol) = 0;  // score of a symbol
  virtual GuideState advance(GuideState, int32_t symbol) = 0;
  virtual double finish(GuideState) = 0;  // score of the end
  virtual Index size() const = 0;          // V

  // The searches of a guide share its caches, one search at a time.
  std::mutex mutex;

 protected:
  // Index of the context after one more word; a context is reduced to its longest suffix that the model lists.
  int32_t after(int32_t context, int32_t word);
  // ln p(w | context) of all words of the model.
  void log_probabilities(int32_t context, std::vector<double>& row) const;

  const LanguageModel language_;

 private:
  int32_t numbered(std::vector<int32_t> context);

  std::vector<std::vector<int32_t>> contexts_;
  std::map<std::vector<int32_t>, int32_t> numbers_;
};

// Prefix tree of the lexicon: nodes in order of creation, a parent before its children.
struct Tree {
  std::vector<int32_t> parent, symbol, word;  // of each node; word -1 if none ends there
  std::vector<int32_t> node, number;          // of each word: its node, its index in the language model
  std::vector<double> hot;                    // additional score of each word
};

class WordGuide : public Guide {
 public:
  WordGuide(Tree tree, Index size, int32_t space, bool closed, LanguageModel language);
  double gain(GuideState, int32_t symbol) override;
  GuideState advance(GuideState, int32_t symbol) override;
  double finish(GuideState) override;
  Index size() const override { return size_; }

 private:
  // Scores after a context: of each word, the best below each node, of an unknown word, of the end.
  struct Gains {
    std::vector<double> word, best;
    double unknown = 0, end = 0;
  };
  const Gains& gains(int32_t context);
  Gains computed(int32_t context) const;
  int32_t child(int32_t node, int32_t symbol) const;  // -1 if there is none
  double word_end(int32_t node, int32_t context);
  int32_t after_word(int32_t node, int32_t context);

  const Tree tree_;
  const Index size_;
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
  Index size() const override { return static_cast<Index>(fixed_.size()); }

 private:
  const std::vector<double>& rows(int32_t context);

  const std::vector<double> fixed_;
  const std::vector<int32_t> numbers_;
  std::vector<std::unique_ptr<std::vector<double>>> known_;
  size_t remembered_ = 0;
};

}  // namespace gruworks
