"""Decoding of log-probabilities to transcripts: greedy or beam search, word times, confidences, n-best lists."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy
from numpy.typing import NDArray

from gruworks.errors import OptionError
from gruworks.ops.ctc.ctc import Guide, Hypothesis, PrefixSearch, align
from gruworks.ops.ctc.lexicon import Language, SymbolGuide, WordGuide
from gruworks.ops.ctc.prefix_search import NativeSearch, prefix_search
from gruworks.tasks.transcribe.alphabet import BLANK, Alphabet
from gruworks.tasks.transcribe.config import Options

__all__ = ["Greedy", "Rescore", "Search", "TimedWord", "Transcript", "joined", "searches", "timed", "transcript"]

Floats = NDArray[numpy.float32]
Rescore = Callable[[list[list[int]]], list[float]]  # token numbers of hypotheses → scores to add to theirs
ALL = 1 << 30  # n-best size that no beam reaches


@dataclass(frozen=True)
class TimedWord:
    """A word with its start and end in seconds, and its confidence (0 to 1)."""

    text: str
    start: float
    end: float
    confidence: float


@dataclass(frozen=True)
class Transcript:
    """The transcript of a recording.

    Args:
        text: the best hypothesis.
        words: its words with their times.
        score: its log-probability with language model and bonuses, in nats.
        alternatives: the texts of the next best hypotheses.
        segments: the transcripts of the segments of a long recording or a stream.
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
    """Greedy CTC decoding with the interface of `PrefixSearch`."""

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
    """Return a factory of searches with these options; the searches share the cache of the guide.

    Args:
        options: beam size, weights, lexicon and hot words.
        alphabet: the output tokens.
        language: the language model; None searches without one.
        vocabulary: words of the lexicon if `options` lists none.

    Raises:
        OptionError: options that need a beam, or a beam size smaller than `n_best`.
        DataError: words that the alphabet can't spell.
    """
    guided = bool(options.lexicon_only or options.words or options.hot_words)
    if options.beam_size == 1:
        if guided or options.n_best > 1:
            raise OptionError(
                "lexicon_only, words, hot_words and n_best need beam search: set beam_size, for example --beam-size 16"
            )
        return Greedy
    if options.n_best > options.beam_size:
        raise OptionError(f"n_best={options.n_best} needs a beam size of at least that, not {options.beam_size}")
    guide = _guide(options, alphabet, language, vocabulary)
    return lambda: prefix_search(guide, options.beam_size)


def _guide(options: Options, alphabet: Alphabet, language: Language | None, vocabulary: Sequence[str]) -> Guide | None:
    """The guide of a search: language model, lexicon and hot words; None without any."""
    closed = bool(options.lexicon_only or options.words)
    if language is None and not closed and not options.hot_words:
        return None
    space = alphabet.space
    if space is not None or alphabet.token == "character":
        words = list(options.words) or [*vocabulary, *(w for w in options.hot_words if w not in vocabulary)]
        spellings = {word: alphabet.encode(word, f"word {word!r}") for word in words}
        hot = dict.fromkeys(options.hot_words, options.hot_bonus)
        # Without a space every text is one word; the blank, which no hypothesis holds, then takes the space's place.
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
    rescore: Rescore | None = None, least: float = 0.0,
) -> Transcript:  # fmt: skip
    """Make a transcript of a finished search.

    Args:
        rows: the log-probabilities [T, V] that were searched.
        search: the search.
        alphabet: the output tokens.
        n_best: number of hypotheses to keep.
        step: duration of a row in seconds.
        begun: time of the first row in seconds.
        rescore: scores to add to the hypotheses' before they are sorted.
        least: leave out words of a lower confidence; if none is left, there are no alternatives either.
    """
    found = search.results(ALL)
    if rescore is not None and len(found) > 1:
        gains = rescore([one.symbols for one in found])
        rescored = [replace(one, score=one.score + gain) for one, gain in zip(found, gains, strict=True)]
        found = sorted(rescored, key=lambda one: -one.score)
    words = timed(rows, found[0].symbols, alphabet, step, begun)
    texts = list(dict.fromkeys(alphabet.decode(one.symbols) for one in found))  # equal but for a space at the end
    sure = [word for word in words if word.confidence >= least]
    if len(sure) < len(words):
        texts = [" ".join(word.text for word in sure), *(texts[1:] if sure else [])]
    return Transcript(texts[0], sure, found[0].score, texts[1:n_best], [])


def timed(rows: Floats, symbols: Sequence[int], alphabet: Alphabet, step: float, begun: float = 0.0) -> list[TimedWord]:
    """Align token numbers to log-probabilities [T, V] and return the words with their times.

    A word's confidence is the geometric mean of its tokens' probabilities in its steps.
    """
    spans, _ = align(rows, symbols, BLANK)
    words = []
    for word in alphabet.words(symbols):
        own = range(word.first, word.end)
        scores = [float(rows[t, symbols[i]]) for i in own for t in range(*spans[i])]
        start, end = spans[word.first][0], spans[word.end - 1][1]
        confidence = float(numpy.exp(numpy.mean(scores)))
        words.append(TimedWord(word.text, round(begun + start * step, 3), round(begun + end * step, 3), confidence))
    return words


def joined(segments: Sequence[Transcript]) -> Transcript:
    """Join the transcripts of a recording's segments; alternatives are kept if there is only one segment."""
    if len(segments) == 1:
        return replace(segments[0], segments=[segments[0]])
    words = [word for one in segments for word in one.words]
    text = " ".join(one.text for one in segments)
    return Transcript(text, words, sum(one.score for one in segments), [], list(segments))
