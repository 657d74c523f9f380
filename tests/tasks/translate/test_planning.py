"""Sizes and rates of a translator by minutes and pairs."""

from __future__ import annotations

from gruworks.tasks.translate.config import Config
from gruworks.tasks.translate.planning import planned
from gruworks.tasks.translate.reading import Pairs

LINES = [f"a sentence of some length, number {i}" for i in range(20_000)]
PAIRS = Pairs(LINES, LINES, "pairs")


def test_more_time_gives_a_larger_model_more_subwords_and_more_dropout() -> None:
    plans = [planned(Config.from_flat({}), PAIRS, seconds) for seconds in (10.0, 30.0, 140.0)]
    for name in ("hidden_size", "vocabulary_size", "dropout"):
        values = [getattr(plan, name) for plan in plans]
        assert values == sorted(set(values)), name
    assert plans[0].batch_tokens < plans[-1].batch_tokens
    assert plans[0].bpe_dropout == 0 < plans[-1].bpe_dropout


def test_few_pairs_get_a_small_model_and_what_was_given_stays() -> None:
    few = planned(Config.from_flat({}), PAIRS.at(range(500)), 3600.0)
    assert few.hidden_size < planned(Config.from_flat({}), PAIRS, 3600.0).hidden_size
    assert planned(Config.from_flat({"vocabulary_size": 777}), PAIRS, 120.0).vocabulary_size == 777
    assert planned(Config(), PAIRS, 120.0) == Config()
