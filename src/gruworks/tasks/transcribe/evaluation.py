"""Word and character error rates, by speaker and with confidence interval and baseline."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import jiwer
import numpy
from numpy.typing import NDArray

from gruworks.errors import DataError
from gruworks.tasks.transcribe.config import Options
from gruworks.tasks.transcribe.decoding import Transcript
from gruworks.tasks.transcribe.latency import Latency

__all__ = ["Evaluation", "Worst", "choose_options", "score"]

Pairs = list[tuple[str | None, str | None]]  # aligned words of a reference and a hypothesis

WORST, CONFUSED = 10, 20  # utterances and confusions reported
DRAWS = 1000  # bootstrap samples
# Decoding options that are compared on the validation part after a fit, greedy first.
OPEN: tuple[dict[str, Any], ...] = ({}, {"beam_size": 16})
CLOSED = tuple({"beam_size": 16, "lexicon_only": True, "lm_weight": weight} for weight in (0.0, 0.5))
MOST_LISTED = 300  # words of a list that is tried


@dataclass(frozen=True)
class Worst:
    """An utterance with many errors: its entry in the manifest and both word sequences, aligned ("*" is a gap)."""

    where: str
    errors: int
    reference: list[str]
    answer: list[str]


@dataclass(frozen=True)
class Evaluation:
    """Recognition errors on a test manifest.

    Args:
        wer: word error rate, errors per reference word.
        cer: character error rate, including spaces.
        exact: fraction of utterances without error.
        interval: 95 % bootstrap confidence interval of the WER over utterances.
        unknown: fraction of reference words that are in no training transcript.
        baseline: WER of the most common training transcript as a constant prediction.
        speakers: WER of each speaker.
        confused: the most common substitutions, with their counts.
        worst: the utterances with the most errors.
        real_time_factor: seconds of computation per second of audio.
        latency: latency of a streaming model.
        peak_memory: peak memory of the process in MiB.
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
    """Score hypotheses against references; utterances with an empty reference are left out, with a warning.

    Args:
        references: correct transcripts.
        answers: hypotheses.
        speakers: speaker of each utterance, if known.
        where: entry of each utterance in the manifest.
        known: words of the training transcripts.
        commonest: the most common training transcript.
        audio_seconds: duration of the recordings.
        seconds: duration of the transcription.

    Raises:
        DataError: all references are empty.
    """
    kept = [i for i, text in enumerate(references) if text.strip()]
    if not kept:
        raise DataError("expected utterances with transcripts to score against, got none")
    empty = len(references) - len(kept)
    texts, found = [references[i] for i in kept], [answers[i] for i in kept]
    words, characters = jiwer.process_words(texts, found), jiwer.process_characters(texts, found)
    aligned = _aligned(words)
    errors = numpy.array([sum(a != b for a, b in pairs) for pairs in aligned])
    sizes = numpy.array([len(one) for one in words.references])
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
        speakers=_by_speaker([speakers[i] for i in kept], errors, sizes),
        confused=_confused(aligned),
        worst=_worst(aligned, errors, [where[i] for i in kept]),
        audio_seconds=audio_seconds,
        real_time_factor=seconds / audio_seconds if audio_seconds else 0.0,
        warnings=[f"{empty} utterances without a transcript left out"] if empty else [],
    )


def choose_options(
    transcribe: Callable[[Options], Sequence[Transcript]],
    references: Sequence[str],
    learnt: Sequence[str],
    listed: bool = True,
) -> dict[str, Any]:
    """Error rates of held-out recordings by the decoding options with the lowest word error rate, and their flags.

    At equal rates the word list is kept: on other speakers it leaves out more errors.

    Args:
        transcribe: transcribes the recordings with given options.
        references: their transcripts.
        learnt: the training transcripts.
        listed: try the word list of `learnt`, if it is short and has all words of the references.
    """
    words = {word for text in learnt for word in text.split()}
    closed = listed and len(words) <= MOST_LISTED and words >= {word for text in references for word in text.split()}
    found = []
    for flags in (*OPEN, *(CLOSED if closed else ())):
        answers = [one.text for one in transcribe(Options.from_flat(flags))]
        spoken = jiwer.process_words(list(references), answers)
        found.append((spoken.wer, flags, answers))
    _, flags, answers = min(found, key=lambda one: (one[0], "lexicon_only" not in one[1]))
    nobody, nowhere = [None] * len(references), [""] * len(references)
    best = score(references, answers, nobody, nowhere, sorted(words), "", 0.0, 0.0)
    return {
        "held_out_wer": best.wer, "held_out_wer_interval": list(best.interval), "held_out_cer": best.cer,
        "held_out_wer_greedy": found[0][0], "held_out_recordings": len(references), "options": flags,
    }  # fmt: skip


def _interval(errors: NDArray[Any], sizes: NDArray[Any]) -> tuple[float, float]:
    """95 % bootstrap interval of the WER over utterances (Bisani and Ney 2004)."""
    drawn = numpy.random.default_rng(0).integers(0, len(sizes), (DRAWS, len(sizes)))
    low, high = numpy.quantile(errors[drawn].sum(1) / sizes[drawn].sum(1), [0.025, 0.975])
    return float(low), float(high)


def _by_speaker(names: Sequence[str | None], errors: NDArray[Any], sizes: NDArray[Any]) -> dict[str, float]:
    rates = {}
    for name in sorted({one for one in names if one is not None}):
        own = numpy.array([one == name for one in names])
        rates[name] = float(errors[own].sum() / sizes[own].sum())
    return rates


def _confused(aligned: Sequence[Pairs]) -> list[tuple[str, str, int]]:
    """The most common substitutions: reference word, recognized word, count."""
    counts = Counter((a, b) for pairs in aligned for a, b in pairs if a is not None and b is not None and a != b)
    return [(word, recognized, count) for (word, recognized), count in counts.most_common(CONFUSED)]


def _worst(aligned: Sequence[Pairs], errors: NDArray[Any], where: Sequence[str]) -> list[Worst]:
    order = [i for i in numpy.argsort(-errors, kind="stable")[:WORST] if errors[i]]
    gaps = {i: [[word or "*" for word in side] for side in zip(*aligned[i], strict=True)] for i in order}
    return [Worst(where[i], int(errors[i]), *gaps[i]) for i in order]


def _aligned(words: Any) -> list[Pairs]:
    """The aligned words of each utterance: reference and recognized word, None for a gap."""
    return [
        [
            pair
            for part in alignment
            for pair in itertools.zip_longest(
                reference[part.ref_start_idx : part.ref_end_idx], answer[part.hyp_start_idx : part.hyp_end_idx]
            )
        ]
        for reference, answer, alignment in zip(words.references, words.hypotheses, words.alignments, strict=True)
    ]
