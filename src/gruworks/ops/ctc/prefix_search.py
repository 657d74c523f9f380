"""Prefix search by the native implementation, or by the reference where it is missing or the guide is not supported."""

from __future__ import annotations

from typing import Any

import numpy
from numpy.typing import NDArray

from gruworks.errors import OptionError, ShapeError
from gruworks.ops.backend import backend, native
from gruworks.ops.ctc.ctc import Guide, Hypothesis, PrefixSearch, complete
from gruworks.ops.ctc.lexicon import Language, SymbolGuide, WordGuide
from gruworks.ops.language_model.backoff import Backoff

__all__ = ["NativeSearch", "can_be_native", "native_guide", "prefix_search"]


class NativeSearch:
    """`PrefixSearch` in C++ (`native/ctc/ctc.cc`), with the same methods; `made_from` is the guide in Python."""

    def __init__(
        self, guide: Any, width: int = 16, blank: int = 0, margin: float = 12.0, made_from: Guide | None = None
    ) -> None:
        if width < 1 or not margin > 0:
            raise OptionError(f"a search needs width >= 1 and margin > 0: got {width} and {margin}")
        self._search, self._guide = native.PrefixSearch(guide, width, blank, margin), made_from

    def advance(self, log_probabilities: NDArray[Any]) -> None:
        """As `PrefixSearch.advance`."""
        rows = numpy.ascontiguousarray(log_probabilities, numpy.float64)
        if rows.ndim != 2 or not self._search.advance(rows):
            raise ShapeError(f"expected log-probabilities [T, V] of the guide's symbols, got {list(rows.shape)}")

    def results(self, n_best: int = 1, ended: bool = True) -> list[Hypothesis]:
        """As `PrefixSearch.results`."""
        found = [Hypothesis(*one) for one in self._search.results(n_best, ended)]
        return complete(found, self._guide) if ended else found

    def stable(self) -> list[int]:
        """As `PrefixSearch.stable`."""
        found: list[int] = self._search.stable()
        return found


def prefix_search(guide: Guide | None, width: int, blank: int = 0, margin: float = 12.0) -> Any:
    """Prefix beam search, native where the guide allows it.

    >>> search = prefix_search(None, width=4)
    >>> search.advance(numpy.log([[0.6, 0.4], [0.6, 0.4]]))
    >>> search.results()[0].symbols
    [1]

    Args, Raises:
        As `PrefixSearch`.
    """
    if can_be_native(guide):
        return NativeSearch(None if guide is None else native_guide(guide), width, blank, margin, guide)
    return PrefixSearch(guide, width, blank, margin)


def can_be_native(guide: Any) -> bool:
    """True for a guide that the native search supports: a lexicon's or symbols', with a backoff model or none."""
    if backend().name == "torch":
        return False
    if guide is None:
        return True
    language = getattr(guide, "language", None)
    return type(guide) in (WordGuide, SymbolGuide) and (language is None or isinstance(language.model, Backoff))


def native_guide(guide: Any) -> Any:
    """The native form of a guide, cached with it, so that searches share its look-ups."""
    made = guide.__dict__.get("_native")
    if made is None:
        make = _words if isinstance(guide, WordGuide) else _symbols
        made = guide.__dict__["_native"] = make(guide)
    return made


def _words(guide: WordGuide) -> Any:
    parents, symbols = [-1] * len(guide.children), [-1] * len(guide.children)
    for node, children in enumerate(guide.children):
        for symbol, child in children.items():
            parents[child], symbols[child] = node, symbol
    ends = [guide.node_of(word) for word in guide.words]
    hot = [guide.hot.get(word, 0.0) for word in guide.words]
    return native.word_guide(
        (parents, symbols, guide.word_at), (ends, guide.numbers, hot), guide.size, guide.space, guide.closed,
        _language(guide.language, guide.weight, guide.bonus),
    )  # fmt: skip


def _symbols(guide: SymbolGuide) -> Any:
    return native.symbol_guide(
        guide.fixed.tolist(), guide.numbers, _language(guide.language, guide.weight, guide.bonus)
    )


def _language(language: Language | None, weight: float, bonus: float) -> tuple[Any, ...]:
    if language is None:
        return None, [], 0, 0, 1, 0.0, 0.0
    assert isinstance(language.model, Backoff)
    grams = native.Grams(language.model.size)
    for keys, log_probability, log_backoff in language.model.arrays():
        grams.add(keys, log_probability, log_backoff)
    return grams, list(language.start), language.end, language.unknown, language.order, weight, bonus
