"""The log-linear rescorer: it ranks by weighted features, and tuning finds what raises BLEU."""

from __future__ import annotations

import math

import numpy
import pytest
import sacrebleu

from gruworks.errors import DataError, ShapeError
from gruworks.tasks.translate.rescoring import Candidate, Rescorer

REFERENCES = [f"the {adjective} dog runs home today" for adjective in ("old", "small", "big", "young", "grey", "red")]


def lists(seed: int = 0) -> list[list[Candidate]]:
    """The first feature prefers a wrong answer by chance; the second one knows; the third is noise."""
    rng = numpy.random.default_rng(seed)
    found = []
    for reference in REFERENCES:
        texts = [reference, reference.replace("runs", "ran"), "a cat sleeps"]
        known = [-1.0, -3.0, -9.0]
        found.append(
            [
                Candidate(t, (float(rng.normal(-5, 2)), k, float(rng.normal())))
                for t, k in zip(texts, known, strict=True)
            ]
        )
    return found


def test_candidates_are_ranked_by_their_weighted_features() -> None:
    one = [Candidate("a", (1.0, 0.0)), Candidate("b", (0.0, 3.0)), Candidate("c", (0.0, 3.0))]
    assert [c.text for c in Rescorer((1.0, 0.5)).rank(one)] == ["b", "c", "a"]
    assert [c.text for c in Rescorer((1.0, 0.0)).rank(one)] == ["a", "b", "c"]


def test_tuning_finds_the_feature_that_knows() -> None:
    given = lists()
    before = sacrebleu.corpus_bleu(Rescorer((1.0, 0.0, 0.0)).choose(given), [REFERENCES]).score
    tuned = Rescorer.tune(given, REFERENCES)
    after = sacrebleu.corpus_bleu(tuned.choose(given), [REFERENCES]).score
    assert before < after == pytest.approx(100)
    assert tuned.weights[0] == 1.0
    assert tuned.weights[1] > 0
    fresh = sacrebleu.corpus_bleu(tuned.choose(lists(1)), [REFERENCES]).score
    assert fresh > before


def test_what_is_not_finite_comes_last() -> None:
    one = [Candidate("never", (-math.inf, 5.0)), Candidate("some", (-9.0, 0.0)), Candidate("nan", (math.nan, 0.0))]
    assert Rescorer((1.0, 1.0)).choose([one]) == ["some"]


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"expected 1 features a candidate, got \[2\]"):
        Rescorer((1.0,)).choose([[Candidate("a", (1.0, 2.0))]])
    with pytest.raises(DataError, match="got 1 lists and 0 references"):
        Rescorer.tune([[Candidate("a", (1.0,))]], [])
    with pytest.raises(DataError, match="not empty"):
        Rescorer.tune([[]], ["a"])
