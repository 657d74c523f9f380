"""Native prefix search against its reference: hypotheses, scores and stable prefixes, with and without guides."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gruworks.errors import OptionError, ShapeError
from gruworks.ops.backend import backend
from gruworks.ops.ctc.ctc import PrefixSearch
from gruworks.ops.ctc.lexicon import Language, SymbolGuide, WordGuide
from gruworks.ops.ctc.prefix_search import NativeSearch, can_be_native, native_guide, prefix_search
from gruworks.ops.language_model.backoff import Backoff
from gruworks.ops.language_model.kneser_ney import KneserNey
from tests.ops.ctc.test_lexicon import LANGUAGE, SIZE, SPACE, WORDS
from tests.tolerances import FLOAT64

pytestmark = pytest.mark.skipif(backend().name == "torch", reason=backend().reason)

TEXTS = [[0, 1], [2, 3, 0], [1, 1, 2], [3], [0, 1, 3, 3, 2], []]


def language(order: int) -> Language:
    """N-gram model of the words of test_lexicon; index 4 is the end, 5 an unknown word."""
    model = Backoff.of(KneserNey([[*text, 4] for text in TEXTS], 6, order, modified=True))
    return Language(model, {word: n for n, word in enumerate(WORDS)}, (model.begin,), 4, 5, order)


def symbols(order: int) -> Language:
    given = language(order)
    return Language(given.model, {str(n + 1): n for n in range(4)}, given.start, 4, 5, order)


def guides() -> dict[str, Any]:
    return {
        "none": None,
        "closed": WordGuide(WORDS, SIZE, SPACE, hot={"ab": 1.5}),
        "no space": WordGuide(WORDS, SIZE, 0, language(2), 0.5, 0.3),
        "open": WordGuide(WORDS, SIZE, SPACE, language(3), 0.7, 0.4, {"ca": 2.0}, closed=False),
        "unigrams": WordGuide(WORDS, SIZE, SPACE, language(1), 0.7, -0.4),
        "symbols": SymbolGuide(SIZE, symbols(3), 0.8, 0.5, {2: 1.0}),
        "allowed": SymbolGuide(SIZE, None, hot={3: 0.5}, allowed=frozenset({2, 3})),
    }


GUIDES = guides()


@pytest.mark.parametrize("name", list(GUIDES))
@given(seed=st.integers(0, 10_000), steps=st.integers(0, 40), width=st.sampled_from([1, 2, 5, 16, 400]))
def test_it_finds_what_the_reference_finds(name: str, seed: int, steps: int, width: int) -> None:
    rng = numpy.random.default_rng(seed)
    rows = numpy.log(rng.dirichlet(numpy.full(SIZE, 0.3), steps) + 1e-30).astype(numpy.float32)
    guide = GUIDES[name]
    margin = float(rng.choice([3.0, 12.0]))
    searches = [PrefixSearch(guide, width, 0, margin), prefix_search(guide, width, 0, margin)]
    assert isinstance(searches[1], NativeSearch)
    cut = int(rng.integers(0, steps + 1))
    for part in (rows[:cut], rows[cut:]):
        for search in searches:
            search.advance(part)
        for ended in (True, False):
            expected, found = (search.results(50, ended) for search in searches)
            assert [one.symbols for one in found] == [one.symbols for one in expected]
            assert [one.score for one in found] == pytest.approx([one.score for one in expected], abs=100 * FLOAT64)
            assert [one.acoustic for one in found] == pytest.approx([o.acoustic for o in expected], abs=100 * FLOAT64)
        assert searches[0].stable() == searches[1].stable()


def test_many_symbols_and_a_long_recording() -> None:
    rng = numpy.random.default_rng(1)
    words = {f"w{i}": rng.integers(2, 60, rng.integers(1, 7)).tolist() for i in range(300)}
    texts = [[*rng.integers(0, 300, rng.integers(1, 9)).tolist(), 300] for _ in range(400)]
    model = Backoff.of(KneserNey(texts, 302, 3))
    words_model = Language(model, {word: n for n, word in enumerate(words)}, (model.begin,), 300, 301, 3)
    guide = WordGuide(words, 60, 1, words_model, 0.6, 0.5, closed=False)
    rows = numpy.log(rng.dirichlet(numpy.full(60, 0.05), 200) + 1e-9)
    reference, native = PrefixSearch(guide, 8), prefix_search(guide, 8)
    reference.advance(rows)
    native.advance(rows)
    assert native.results()[0].symbols == reference.results()[0].symbols
    assert native.results()[0].score == pytest.approx(reference.results()[0].score, rel=1e-12)
    assert native_guide(guide) is native_guide(guide)


def test_a_language_model_s_row_is_the_reference_s() -> None:
    model = language(3).model
    assert isinstance(model, Backoff)
    from gruworks.ops.backend import native

    grams = native.Grams(model.size)
    for one in model.arrays():
        grams.add(*one)
    for context in ((), (0,), (model.begin, 2), (1, 1), (5, 5, 5, 0, 1), (-3,), (99, 0)):
        assert grams.row(list(context)) == pytest.approx(model.log_probabilities(context).tolist(), abs=FLOAT64)


def test_unsupported_guides_use_the_reference() -> None:
    assert not can_be_native(WordGuide(WORDS, SIZE, SPACE, LANGUAGE))
    assert isinstance(prefix_search(WordGuide(WORDS, SIZE, SPACE, LANGUAGE), 4), PrefixSearch)
    code = "from gruworks.ops.ctc.prefix_search import prefix_search; print(type(prefix_search(None, 4)).__name__)"
    without = {**os.environ, "GRUWORKS_KERNEL": "off"}
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=without)
    assert ran.stdout.strip() == "PrefixSearch"


def test_wrong_shapes_and_widths_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"of the guide's symbols, got \[4\]"):
        prefix_search(None, 4).advance(numpy.zeros(4))
    with pytest.raises(ShapeError, match=r"got \[2, 7\]"):
        prefix_search(GUIDES["closed"], 4).advance(numpy.zeros((2, 7)))
    with pytest.raises(OptionError, match="width >= 1"):
        prefix_search(None, 0)
    with pytest.raises(OptionError, match="margin > 0"):
        prefix_search(None, 4, margin=float("nan"))


def test_parts_that_do_not_fit_are_refused() -> None:
    from gruworks.ops.backend import native

    made, nothing = native, (None, [], 0, 0, 1, 0.0, 0.0)
    with pytest.raises(ValueError, match="tree doesn't fit"):
        made.word_guide(([-1, 5], [-1, 2], [-1, 0]), ([1], [0], [0.0]), 5, 1, True, nothing)
    with pytest.raises(ValueError, match="numbers don't fit"):
        made.symbol_guide([0.0], [4], nothing)
    with pytest.raises(ValueError, match="lists each symbol"):
        made.Grams(5).add(numpy.zeros(2, numpy.int64), numpy.zeros(2), numpy.zeros(2))
    with pytest.raises(ValueError, match="no n-grams"):
        made.Grams(5).row([0])
