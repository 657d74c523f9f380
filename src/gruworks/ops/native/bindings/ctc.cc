// Python binding of the prefix search: copies its arguments, releases the interpreter lock, calls.
#include "bindings/ctc.h"

#include <nanobind/ndarray.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include "ctc/ctc.h"

namespace nb = nanobind;

namespace gruworks {
namespace {

template <class T> using Row = nb::ndarray<const T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Table = nb::ndarray<const double, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Ints = std::vector<int32_t>;

// grams (None: no model), start, end, unknown, order, weight, bonus
using Language = std::tuple<std::shared_ptr<Grams>, Ints, int32_t, int32_t, Index, double, double>;

void check(bool fits, const char* what) {
  if (!fits) throw nb::value_error(what);
}

bool within(const Ints& numbers, int64_t low, int64_t high) {
  for (const int32_t one : numbers)
    if (one < low || one >= high) return false;
  return true;
}

LanguageModel language(const Language& given) {
  LanguageModel made;
  std::tie(std::ignore, made.start, made.end, made.unknown, made.order, made.weight, made.bonus) = given;
  made.grams = std::get<0>(given);
  if (made.grams)
    check(made.grams->order() > 0 && within(made.start, 0, made.grams->size() + 1) &&
              within({made.end, made.unknown}, 0, made.grams->size()),
          "the language model and its words don't fit together");
  return made;
}

void add(Grams& grams, const Row<int64_t>& keys, const Row<double>& log_probability, const Row<double>& log_backoff) {
  check(keys.size() == log_probability.size() && keys.size() == log_backoff.size(),
        "keys and logarithms differ in number");
  check(grams.order() > 0 || static_cast<Index>(keys.size()) == grams.size() + 1,
        "the first order lists each symbol and the beginning");
  grams.add(keys.data(), log_probability.data(), log_backoff.data(), static_cast<Index>(keys.size()));
}

std::vector<double> row(const Grams& grams, const Ints& context) {
  check(grams.order() > 0, "the model has no n-grams");
  std::vector<double> row(grams.size());
  grams.log_probabilities(context.data(), static_cast<Index>(context.size()), row.data());
  return row;
}

using Nodes = std::tuple<Ints, Ints, Ints>;                  // parent, symbol, word
using Words = std::tuple<Ints, Ints, std::vector<double>>;  // node, number, hot

std::shared_ptr<Guide> word_guide(const Nodes& nodes, const Words& words, Index size, int32_t space, bool closed,
                                  const Language& given) {
  Tree tree;
  std::tie(tree.parent, tree.symbol, tree.word) = nodes;
  std::tie(tree.node, tree.number, tree.hot) = words;
  const int64_t count = static_cast<int64_t>(tree.parent.size()), listed = static_cast<int64_t>(tree.node.size());
  const int64_t known = std::get<0>(given) ? std::get<0>(given)->size() : 1;
  bool fits = count > 0 && tree.symbol.size() == tree.parent.size() && tree.word.size() == tree.parent.size() &&
              tree.number.size() == tree.node.size() && tree.hot.size() == tree.node.size() &&
              within(tree.node, 0, count) && within(tree.number, 0, known) && within(tree.word, -1, listed);
  for (int64_t node = 1; fits && node < count; ++node) fits = tree.parent[node] >= 0 && tree.parent[node] < node;
  check(fits, "the words' tree doesn't fit together");
  return std::make_shared<WordGuide>(std::move(tree), size, space, closed, language(given));
}

std::shared_ptr<Guide> symbol_guide(const std::vector<double>& fixed, const Ints& numbers, const Language& given) {
  const int64_t known = std::get<0>(given) ? std::get<0>(given)->size() : 1;
  check(fixed.size() == numbers.size() && within(numbers, 0, known), "symbols and their numbers don't fit together");
  return std::make_shared<SymbolGuide>(fixed, numbers, language(given));
}

// False if the rows do not have the guide's V; the caller then raises the error.
bool advance(PrefixSearch& search, const Table& rows) {
  if (!search.fits(static_cast<Index>(rows.shape(1)))) return false;
  const nb::gil_scoped_release free;
  search.advance(rows.data(), static_cast<Index>(rows.shape(0)), static_cast<Index>(rows.shape(1)));
  return true;
}

std::vector<std::tuple<Ints, double, double>> results(const PrefixSearch& search, Index n_best, bool ended) {
  std::vector<std::tuple<Ints, double, double>> hypotheses;
  const nb::gil_scoped_release free;
  for (Found& one : search.results(n_best, ended))
    hypotheses.emplace_back(std::move(one.symbols), one.score, one.acoustic);
  return hypotheses;
}

}  // namespace

void bind_ctc(nb::module_& module) {
  nb::class_<Grams>(module, "Grams", "An n-gram model in backoff form.")
      .def(nb::init<Index>())
      .def("add", &add)
      .def("row", &row);
  nb::class_<Guide>(module, "Guide", "What steers a prefix search.");
  module.def("word_guide", &word_guide, nb::arg(), nb::arg(), nb::arg(), nb::arg(), nb::arg(), nb::arg());
  module.def("symbol_guide", &symbol_guide);
  nb::class_<PrefixSearch>(module, "PrefixSearch", "Prefix beam search over CTC's log-probabilities.")
      .def(nb::init<std::shared_ptr<Guide>, Index, int32_t, double>(), nb::arg().none(), nb::arg(), nb::arg(), nb::arg())
      .def("advance", &advance)
      .def("results", &results)
      .def("stable", &PrefixSearch::stable);
}

}  // namespace gruworks
