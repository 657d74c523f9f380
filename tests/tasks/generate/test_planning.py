"""Sizes and rates of a language model by minutes and text."""

from __future__ import annotations

import pytest

from gruworks.data.text import Document
from gruworks.tasks.generate.config import Config
from gruworks.tasks.generate.planning import planned

LONG = [Document("to be or not to be\n" * 60_000)]


def test_more_time_gives_a_larger_model_with_more_dropout_and_a_lower_rate() -> None:
    plans = [planned(Config.from_flat({}), LONG, seconds) for seconds in (40.0, 170.0, 3600.0)]
    sizes = [plan.hidden_size for plan in plans]
    assert sizes == sorted(set(sizes))
    assert plans[0].dropout == 0 < plans[-1].dropout
    assert plans[0].training.learning_rate > plans[-1].training.learning_rate


def test_a_short_text_gets_a_small_model() -> None:
    short = planned(Config.from_flat({}), [Document("to be or not " * 300)], 3600.0)
    assert short.hidden_size < planned(Config.from_flat({}), LONG, 3600.0).hidden_size


def test_what_was_given_stays() -> None:
    given = {"hidden_size": 48, "dropout": 0.5, "learning_rate": 1e-3}
    plan = planned(Config.from_flat(given), LONG, 170.0)
    assert {name: plan.flat()[name] for name in given} == given
    assert planned(Config(), LONG, 170.0) == Config()


@pytest.mark.parametrize("heads", [3, 4, 5])
def test_attention_heads_divide_the_size(heads: int) -> None:
    plan = planned(Config.from_flat({"between": "attention", "heads": heads}), LONG, 170.0)
    assert plan.hidden_size % heads == 0
