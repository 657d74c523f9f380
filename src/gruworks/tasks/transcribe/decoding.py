"""From log-probabilities to text: greedy or by prefix beam search, with times, confidences and alternatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy
from numpy.typing import NDArray

from gruworks.errors import DataError, OptionError
from gruworks.ops.ctc.ctc import Guide, Hypothesis, PrefixSearch, align
from gruworks.ops.ctc.lexicon import Language, SymbolGuide, WordGuide
from gruworks.ops.ctc.prefix_search import NativeSearch, prefix_search
from gruworks.tasks.transcribe.alphabet import BLANK, Alphabet
from gruworks.tasks.transcribe.config import Options

__all__ = [
    "Greedy",
    "Search",
    "TimedWord",
    "Transcript",
    "joined",
    "searches",
    "spelled",
    "timed",
    "transcript",
]

Floats = NDArray[numpy.float32]
Opinion = Callable[[list[list[int]]], list[float]]
EVERY = 1 << 30


@dataclass(frozen=True)
class TimedWord:
    """A word, where it stands in seconds, and how sure the network is of it (0 to 1)."""

    text: str
    start: float
    end: float
    confidence: float


@dataclass(frozen=True)
class Transcript:
    """A transcript: text, words with times, the score (a log-probability, guided), and the next best texts.

    `segments` are the stretches between silences of a long recording, each a transcript of its own.
    """

    text: str
    words: list[TimedWord]
    score: float
    alternatives: list[str]
    segments: list[Transcript]

    def __str__(self) -> str:
        return self.text

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


class Greedy:
    """The likeliest symbol of each step; `PrefixSearch` under the same four names."""

    def __init__(self) -> None:
        self.symbols: list[int] = []
        self.last, self.score = BLANK, 0.0

    def advance(self, log_probabilities: Floats) -> None:
        for row in log_probabilities:
            best = int(row.argmax())
            self.score += float(row[best])
            if best not in (BLANK, self.last):
                self.symbols.append(best)
            self.last = best

    def results(self, n_best: int = 1, ended: bool = True) -> list[Hypothesis]:
        return [Hypothesis(list(self.symbols), self.score, self.score)]

    def stable(self) -> list[int]:
        return list(self.symbols)


Search = Greedy | PrefixSearch | NativeSearch


def searches(
    options: Options, alphabet: Alphabet, language: Language | None, vocabulary: Sequence[str]
) -> Callable[[], Search]:
    """Makes a fresh search as `options` say, as often as it is called; what it looks up is shared.

    Raises:
        OptionError: options that need a beam, or words that the alphabet can't spell.
    """
    steered = bool(options.lexicon_only or options.words or options.hot_words)
    if options.beam_size == 1:
        if steered or options.n_best > 1:
            raise OptionError("lexicon_only, words, hot_words and n_best need a beam: --beam-size 16")
        return Greedy
    if options.n_best > options.beam_size:
        raise OptionError(f"n_best {options.n_best} needs a beam at least as wide, not {options.beam_size}")
    guide = _guide(options, alphabet, language, vocabulary)
    return lambda: prefix_search(guide, options.beam_size)


def _guide(options: Options, alphabet: Alphabet, language: Language | None, vocabulary: Sequence[str]) -> Guide | None:
    """Guide of the search: the language model if it has weight, a lexicon, hot words; None where there is none."""
    closed = bool(options.lexicon_only or options.words)
    if language is None and not closed and not options.hot_words:
        return None
    space = alphabet.space
    if space is not None or alphabet.token == "character":
        words = list(options.words) or [*vocabulary, *(w for w in options.hot_words if w not in vocabulary)]
        spellings = {word: alphabet.encode(word, f"word {word!r}") for word in words}
        hot = dict.fromkeys(options.hot_words, options.hot_bonus)
        # Without a space among the symbols every text is one word; the blank's number is never written.
        return WordGuide(spellings, len(alphabet), BLANK if space is None else space, language, options.lm_weight,
                         options.word_bonus, hot, closed)  # fmt: skip
    if closed and alphabet.token == "subword":
        raise OptionError("a closed word list needs token=character or token=word: subwords spell a word many ways")
    listed = [alphabet.encode(word, f"word {word!r}") for word in options.words]
    allowed = frozenset(number for numbers in listed for number in numbers) if options.words else None
    warm = {n: options.hot_bonus for word in options.hot_words for n in alphabet.encode(word, f"word {word!r}")}
    return SymbolGuide(len(alphabet), language, options.lm_weight, options.word_bonus, warm, allowed)


def transcript(
    rows: Floats, search: Search, alphabet: Alphabet, n_best: int, step: float, begun: float = 0.0,
    opinion: Opinion | None = None,
) -> Transcript:  # fmt: skip
    """Results of a search in log-probabilities [T, V], with the words' times; `step` and `begun` in seconds.

    `opinion` adds to each text's score once they are all known.
    """
    found = search.results(EVERY)
    if opinion is not None and len(found) > 1:
        more = opinion([one.symbols for one in found])
        told = [replace(one, score=one.score + gain) for one, gain in zip(found, more, strict=True)]
        found = sorted(told, key=lambda one: -one.score)
    words = timed(rows, found[0].symbols, alphabet, step, begun)
    texts = list(dict.fromkeys(alphabet.decode(one.symbols) for one in found))  # a space at the end makes no other text
    return Transcript(texts[0], words, found[0].score, texts[1:n_best], [])


def timed(rows: Floats, symbols: Sequence[int], alphabet: Alphabet, step: float, begun: float = 0.0) -> list[TimedWord]:
    """The words of `symbols` aligned to log-probabilities [T, V]; confidence is the mean probability of their steps."""
    spans, _ = align(rows, symbols, BLANK)
    words = []
    for word in alphabet.words(symbols):
        own = range(word.first, word.end)
        told = [float(rows[t, symbols[i]]) for i in own for t in range(*spans[i])]
        start, end = spans[word.first][0], spans[word.end - 1][1]
        confidence = float(numpy.exp(numpy.mean(told)))
        words.append(TimedWord(word.text, round(begun + start * step, 3), round(begun + end * step, 3), confidence))
    return words


def joined(segments: Sequence[Transcript]) -> Transcript:
    """One transcript of a recording's segments, none perhaps; alternatives where there is one segment alone."""
    if len(segments) == 1:
        return Transcript(**{**vars(segments[0]), "segments": [segments[0]]})
    words = [word for one in segments for word in one.words]
    text = " ".join(one.text for one in segments)
    return Transcript(text, words, sum(one.score for one in segments), [], list(segments))


def spelled(alphabet: Alphabet, text: str) -> list[int]:
    """The symbols of a text that is to be aligned. Raises DataError where there are none."""
    symbols = alphabet.encode(text)
    if not symbols:
        raise DataError("there is no text to align")
    return symbols
