"""Log-linear model over n-best lists, with weights tuned for BLEU on a validation part."""

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
GRID = 41  # values of a weight that a round of the search tries
ROUNDS = 5  # at most


@dataclass(frozen=True)
class Candidate:
    """A translation of an n-best list, with its features, such as log p(target | source) by several models."""

    text: str
    features: tuple[float, ...]


@dataclass(frozen=True)
class Rescorer:
    """Log-linear model, score = Σ weight · feature, that chooses the candidate with the highest score in each list.

    This is the framework of Och and Ney (2002) in which Cho et al. 2014 used their phrase scores; `tune` finds the
    weights by coordinate search on BLEU.

    >>> lists = [[Candidate("a dog", (-1.0, -9.0)), Candidate("dog a", (-0.5, -20.0))]]
    >>> Rescorer((1.0, 0.0)).choose(lists), Rescorer((1.0, 1.0)).choose(lists)
    (['dog a'], ['a dog'])
    """

    weights: tuple[float, ...]

    def choose(self, lists: Sequence[Sequence[Candidate]]) -> list[str]:
        """The text with the highest score in each list."""
        return [self.rank(one)[0].text for one in lists]

    def rank(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Sort candidates by score, highest first; the sort is stable."""
        scores = self._features(candidates) @ numpy.asarray(self.weights)
        return [candidates[i] for i in numpy.argsort(-scores, kind="stable")]

    @classmethod
    def tune(cls, lists: Sequence[Sequence[Candidate]], references: Sequence[str], tokenize: str = "13a") -> Self:
        """Search weights with high BLEU of the chosen candidates; the weight of the first feature is 1.

        Each round tries the values of a logarithmic grid for one weight after the other and keeps the best; the search
        ends when no weight changes. The n-gram counts of BLEU are computed once for each candidate.

        Args:
            lists: n-best lists. references: one for each list. tokenize: sacreBLEU's tokenizer.

        Raises:
            DataError: no lists, an empty list, or not one reference for each list.
        """
        if not lists or len(lists) != len(references) or not all(lists):
            raise DataError(
                f"tuning needs lists that are not empty and a reference for each: got {len(lists)} lists and "
                f"{len(references)} references"
            )
        count = len(lists[0][0].features)
        tuned = cls((1.0,) + (0.0,) * (count - 1))
        features = [tuned._features(one) for one in lists]
        metric: Any = sacrebleu.BLEU(tokenize=tokenize, force=True)
        sums = [_statistics(metric, *one) for one in zip(lists, references, strict=True)]
        best = _bleu(metric, tuned.weights, features, sums)
        for _ in range(ROUNDS):
            before = tuned
            for place in range(1, count):
                for value in _grid(features, place):
                    weights = (*tuned.weights[:place], float(value), *tuned.weights[place + 1 :])
                    found = _bleu(metric, weights, features, sums)
                    if found > best + 1e-9:
                        best, tuned = found, replace(tuned, weights=weights)
            if tuned == before:
                break
        return tuned

    def _features(self, candidates: Sequence[Candidate]) -> Floats:
        """Features [N, F] of candidates; -1e9 in place of NaN and minus infinity."""
        widths = {len(one.features) for one in candidates}
        if widths != {len(self.weights)}:
            raise ShapeError(f"expected {len(self.weights)} features a candidate, got {sorted(widths)}")
        table = numpy.array([one.features for one in candidates], dtype=numpy.float64)
        return numpy.nan_to_num(table, nan=-1e9, posinf=1e9, neginf=-1e9)


def _grid(features: list[Floats], place: int) -> Floats:
    """Values of a weight, of both signs, in units that scale the feature to the standard deviation of the first."""
    spread = numpy.concatenate(features).std(0)
    unit = spread[0] / spread[place] if spread[place] > 0 and spread[0] > 0 else 1.0
    half = numpy.geomspace(0.01, 10.0, GRID // 2)
    return numpy.concatenate([[0.0], -half, half]) * unit


def _statistics(metric: Any, candidates: Sequence[Candidate], reference: str) -> Floats:
    """The counts [N, 10] that corpus BLEU sums up, of each candidate against the reference of its list."""
    texts, references = [one.text for one in candidates], [[reference] * len(candidates)]
    return numpy.array(metric._extract_corpus_statistics(texts, references), numpy.float64)


def _bleu(metric: Any, weights: tuple[float, ...], features: list[Floats], sums: list[Floats]) -> float:
    chosen = [int((table @ numpy.asarray(weights)).argmax()) for table in features]
    total = numpy.sum([counts[i] for counts, i in zip(sums, chosen, strict=True)], 0)
    return float(metric._compute_score_from_stats(total.astype(int).tolist()).score)
