"""Word and character error rates with their parts, by speaker, with confidence interval and baseline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import jiwer
import numpy
from numpy.typing import NDArray

from gruworks.errors import DataError
from gruworks.tasks.transcribe.latency import Latency

__all__ = ["Evaluation", "Worst", "score"]

WORST, CONFUSED = 10, 20  # how many are told
DRAWS = 1000


@dataclass(frozen=True)
class Worst:
    """An utterance with many errors: where it is listed, its words and the answer's side by side ("*" for none)."""

    where: str
    errors: int
    reference: list[str]
    answer: list[str]


@dataclass(frozen=True)
class Evaluation:
    """Errors over a manifest. Rates are errors over the words (characters, spaces among them) of the references.

    `interval` holds the WER's middle 95 % over 1,000 draws of utterances; `baseline` is the WER of always answering
    the commonest training transcript; `unknown` the share of reference words that no training transcript has.
    `real_time_factor` is seconds of work for a second of sound, `peak_memory` megabytes of the whole process, `latency`
    what a listener of a streaming model waits.
    """

    utterances: int
    words: int
    wer: float
    cer: float
    exact: float
    substitutions: int
    deletions: int
    insertions: int
    interval: tuple[float, float]
    unknown: float
    baseline: float
    speakers: dict[str, float]
    confused: list[tuple[str, str, int]]
    worst: list[Worst]
    audio_seconds: float
    real_time_factor: float
    warnings: list[str]
    latency: Latency | None = None
    peak_memory: float | None = None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def score(
    references: Sequence[str],
    answers: Sequence[str],
    speakers: Sequence[str | None],
    where: Sequence[str],
    known: Sequence[str],
    commonest: str,
    audio_seconds: float,
    seconds: float,
) -> Evaluation:
    """Hold `answers` against `references`; those without a word are left out, with a warning.

    Args:
        known: the words of the training transcripts. commonest: the commonest of these transcripts.
        audio_seconds, seconds: how long the recordings are, how long the transcription took.

    Raises:
        DataError: no reference has a word.
    """
    kept = [i for i, text in enumerate(references) if text.strip()]
    if not kept:
        raise DataError("no utterance has a transcript: there is nothing to score against")
    empty = len(references) - len(kept)
    texts, found = [references[i] for i in kept], [answers[i] for i in kept]
    words, characters = jiwer.process_words(texts, found), jiwer.process_characters(texts, found)
    errors = numpy.array([_errors(one) for one in words.alignments])
    sizes = numpy.array([len(one) for one in words.references])
    names = [speakers[i] for i in kept]
    vocabulary = set(known)
    spoken = [word for one in words.references for word in one]
    return Evaluation(
        utterances=len(kept),
        words=int(sizes.sum()),
        wer=words.wer,
        cer=characters.cer,
        exact=float(numpy.mean([a == b for a, b in zip(words.references, words.hypotheses, strict=True)])),
        substitutions=words.substitutions,
        deletions=words.deletions,
        insertions=words.insertions,
        interval=_interval(errors, sizes),
        unknown=sum(word not in vocabulary for word in spoken) / len(spoken),
        baseline=jiwer.process_words(texts, [commonest] * len(texts)).wer,
        speakers=_by_speaker(names, errors, sizes),
        confused=_confused(words),
        worst=_worst(words, errors, [where[i] for i in kept]),
        audio_seconds=audio_seconds,
        real_time_factor=seconds / audio_seconds if audio_seconds else 0.0,
        warnings=[f"{empty} utterances without a transcript left out"] if empty else [],
    )


def _errors(alignment: Any) -> int:
    return sum(
        max(part.ref_end_idx - part.ref_start_idx, part.hyp_end_idx - part.hyp_start_idx)
        for part in alignment
        if part.type != "equal"
    )


def _interval(errors: NDArray[Any], sizes: NDArray[Any]) -> tuple[float, float]:
    """The bootstrap over utterances (Bisani and Ney 2004)."""
    drawn = numpy.random.default_rng(0).integers(0, len(sizes), (DRAWS, len(sizes)))
    low, high = numpy.quantile(errors[drawn].sum(1) / sizes[drawn].sum(1), [0.025, 0.975])
    return float(low), float(high)


def _by_speaker(names: Sequence[str | None], errors: NDArray[Any], sizes: NDArray[Any]) -> dict[str, float]:
    rates = {}
    for name in sorted({one for one in names if one is not None}):
        own = numpy.array([one == name for one in names])
        rates[name] = float(errors[own].sum() / sizes[own].sum())
    return rates


def _confused(words: Any) -> list[tuple[str, str, int]]:
    """Words taken for others, the commonest first."""
    counts: Counter[tuple[str, str]] = Counter()
    for reference, answer in zip(*_side_by_side(words), strict=True):
        counts.update((a, b) for a, b in zip(reference, answer, strict=True) if a != b and "*" not in (a, b))
    return [(said, heard, count) for (said, heard), count in counts.most_common(CONFUSED)]


def _worst(words: Any, errors: NDArray[Any], where: Sequence[str]) -> list[Worst]:
    references, answers = _side_by_side(words)
    order = [i for i in numpy.argsort(-errors, kind="stable")[:WORST] if errors[i]]
    return [Worst(where[i], int(errors[i]), references[i], answers[i]) for i in order]


def _side_by_side(words: Any) -> tuple[list[list[str]], list[list[str]]]:
    """Each utterance's words and its answer's, with "*" where one has none."""
    references, answers = [], []
    for reference, answer, alignment in zip(words.references, words.hypotheses, words.alignments, strict=True):
        left: list[str] = []
        right: list[str] = []
        for part in alignment:
            said = reference[part.ref_start_idx : part.ref_end_idx]
            heard = answer[part.hyp_start_idx : part.hyp_end_idx]
            left += said or ["*"] * len(heard)
            right += heard or ["*"] * len(said)
        references.append(left)
        answers.append(right)
    return references, answers
