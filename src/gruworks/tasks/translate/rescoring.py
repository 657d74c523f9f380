"""A log-linear model over n-best lists: features with weights, tuned on a validation part by BLEU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy
import sacrebleu
from numpy.typing import NDArray

from gruworks.errors import DataError, ShapeError

__all__ = ["Candidate", "Rescorer"]

Floats = NDArray[numpy.float64]
GRID = 41  # values of a weight that a round tries
ROUNDS = 5


@dataclass(frozen=True)
class Candidate:
    """One answer of an n-best list: its text and its features, such as log p(target | source) by several models."""

    text: str
    features: tuple[float, ...]


@dataclass(frozen=True)
class Rescorer:
    """score = Σ weight · feature; the best candidate of each list is the one of the highest score.

    The log-linear framework that Cho et al. 2014 put their phrase scores into (Och and Ney 2002), with the weights
    found by coordinate search on BLEU.

    >>> lists = [[Candidate("a dog", (-1.0, -9.0)), Candidate("dog a", (-0.5, -20.0))]]
    >>> Rescorer((1.0, 0.0)).choose(lists), Rescorer((1.0, 1.0)).choose(lists)
    (['dog a'], ['a dog'])
    """

    weights: tuple[float, ...]

    def choose(self, lists: Sequence[Sequence[Candidate]]) -> list[str]:
        """The best text of each list."""
        return [self.rank(one)[0].text for one in lists]

    def rank(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """The candidates, best first; those of one score stay in their order."""
        scores = self._features(candidates) @ numpy.asarray(self.weights)
        return [candidates[i] for i in numpy.argsort(-scores, kind="stable")]

    @classmethod
    def tune(
        cls,
        lists: Sequence[Sequence[Candidate]],
        references: Sequence[str],
        tokenize: str = "13a",
    ) -> Self:
        """Weights that give high BLEU on `lists` and `references`: the first feature's is 1, the others are searched.

        Each round tries, for one weight after the other, values from 0 outwards on a logarithmic grid, and keeps the
        best; it ends when none moves. BLEU's sums are added up from each candidate's, so that a trial is cheap.

        Raises:
            DataError: no lists, an empty one, or not one reference for each.
        """
        if not lists or len(lists) != len(references) or not all(lists):
            raise DataError(
                f"tuning needs lists that are not empty and a reference for each: got {len(lists)} lists and "
                f"{len(references)} references"
            )
        count = len(lists[0][0].features)
        tuned = cls((1.0,) + (0.0,) * (count - 1))
        features = [tuned._features(one) for one in lists]
        sums = _statistics(lists, references, tokenize)
        best = _bleu(tuned.weights, features, sums, tokenize)
        for _ in range(ROUNDS):
            before = tuned
            for place in range(1, count):
                for value in _grid(features, place):
                    weights = (*tuned.weights[:place], float(value), *tuned.weights[place + 1 :])
                    found = _bleu(weights, features, sums, tokenize)
                    if found > best + 1e-9:
                        best, tuned = found, replace(tuned, weights=weights)
            if tuned == before:
                break
        return tuned

    def _features(self, candidates: Sequence[Candidate]) -> Floats:
        """[N, F], what is not finite far below all else."""
        widths = {len(one.features) for one in candidates}
        if widths != {len(self.weights)}:
            raise ShapeError(f"expected {len(self.weights)} features a candidate, got {sorted(widths)}")
        table = numpy.array([one.features for one in candidates], dtype=numpy.float64)
        return numpy.nan_to_num(table, nan=-1e9, posinf=1e9, neginf=-1e9)


def _grid(features: list[Floats], place: int) -> Floats:
    """Values of a weight, both signs, in units that bring the feature to the first one's spread."""
    table = numpy.concatenate(features)
    spread = table.std(0)
    unit = spread[0] / spread[place] if spread[place] > 0 and spread[0] > 0 else 1.0
    half = numpy.geomspace(0.01, 10.0, GRID // 2)
    return numpy.concatenate([[0.0], -half, half]) * unit


def _statistics(lists: Sequence[Sequence[Candidate]], references: Sequence[str], tokenize: str) -> list[Floats]:
    """The counts that corpus BLEU adds up, of every candidate against its list's reference: [N, 10] a list."""
    metric: Any = sacrebleu.BLEU(tokenize=tokenize, force=True)
    return [
        numpy.array(
            metric._extract_corpus_statistics([one.text for one in candidates], [[reference] * len(candidates)]),
            dtype=numpy.float64,
        )
        for candidates, reference in zip(lists, references, strict=True)
    ]


def _bleu(weights: tuple[float, ...], features: list[Floats], sums: list[Floats], tokenize: str) -> float:
    chosen = [int((table @ numpy.asarray(weights)).argmax()) for table in features]
    total = numpy.sum([counts[i] for counts, i in zip(sums, chosen, strict=True)], 0)
    metric: Any = sacrebleu.BLEU(tokenize=tokenize, force=True)
    return float(metric._compute_score_from_stats(total.astype(int).tolist()).score)
