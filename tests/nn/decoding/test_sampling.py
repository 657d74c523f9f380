"""Sampling: frequencies, truncation, penalty, end token, constraints, seeds."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from torch import Tensor

from gruworks.errors import OptionError, SearchError
from gruworks.nn.decoding.decoder import Constrained
from gruworks.nn.decoding.sampling import Sampling, sample, shaped
from tests.nn.conftest import Chain

NOTHING = torch.empty(1, 0, dtype=torch.long)


def written(chain: Any, steps: int, rows: int = 1, seed: int = 0, end: int | None = None, **how: Any) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.ones(rows, dtype=torch.long)
    drawn = sample(chain, chain.start(rows), tokens, Sampling(**how), generator, end)
    return torch.stack(list(itertools.islice(drawn, steps)), 1)


def test_token_frequencies_match_probabilities(chain: Chain) -> None:
    drawn = written(chain, 1, rows=20_000)[:, 0]
    frequency = drawn.bincount(minlength=4) / len(drawn)
    torch.testing.assert_close(frequency, chain.table[0, 1].exp(), atol=0.015, rtol=0)


def test_temperature_0_takes_the_likeliest_and_the_seed_decides_otherwise(chain: Chain) -> None:
    greedy = written(chain, 6, temperature=0.0)[0].tolist()
    expected, last = [], 1
    for depth in range(6):
        last = int(chain.table[depth, last].argmax())
        expected.append(last)
    assert greedy == expected
    assert torch.equal(written(chain, 6, rows=5, seed=3), written(chain, 6, rows=5, seed=3))
    assert not torch.equal(written(chain, 6, rows=5, seed=3), written(chain, 6, rows=5, seed=4))


@pytest.mark.parametrize(
    ("how", "kept"),
    [
        ({}, [0, 1, 2, 3]),
        ({"top_k": 2}, [1, 3]),
        ({"top_k": 9}, [0, 1, 2, 3]),
        ({"top_p": 0.49}, [3]),
        ({"top_p": 0.51}, [1, 3]),
        ({"top_p": 0.0}, [3]),
        ({"min_p": 0.5}, [1, 3]),
        ({"min_p": 1.0}, [3]),
        ({"temperature": 0.1, "top_p": 0.9}, [3]),
        ({"top_k": 3, "top_p": 0.6}, [1, 3]),  # top-p over what top-k left
    ],
)
def test_cuts_keep_the_likeliest(how: dict[str, Any], kept: list[int]) -> None:
    answer = torch.tensor([[0.08, 0.3, 0.12, 0.5]]).log()
    left = shaped(answer, Sampling(**how), NOTHING)[0]
    assert left.isfinite().nonzero().flatten().tolist() == kept


def test_the_repetition_penalty_applies_to_its_window() -> None:
    answer = torch.tensor([[0.25, 0.25, 0.25, 0.25]]).log()
    past = torch.tensor([[0, 1, 1]])
    how = Sampling(repetition_penalty=2.0)
    assert shaped(answer, how, past).exp()[0].tolist() == pytest.approx([0.0625, 0.0625, 0.25, 0.25])
    near = Sampling(repetition_penalty=2.0, repetition_window=2)
    assert shaped(answer, near, past).exp()[0].tolist() == pytest.approx([0.25, 0.0625, 0.25, 0.25])
    assert written(Chain(), 7, repetition_penalty=100.0, temperature=0.0)[0].unique().numel() > 2


def test_rows_that_ended_repeat_the_end_and_the_last_one_stops_it() -> None:
    drawn = written(Chain(depth=200), 200, rows=30, end=0)
    ends = (drawn == 0).to(torch.int8).argmax(1)
    for row, at in zip(drawn, ends, strict=True):
        assert (row[at:] == 0).all()
    assert drawn.shape[1] == int(ends.max()) + 1


class NeverTwice:
    """No token twice, and no end token."""

    def constrain(self, prefix: Tensor) -> Tensor:
        allowed = torch.ones(len(prefix), 4, dtype=torch.bool).scatter(1, prefix, False)
        allowed[:, 0] = False
        return allowed


def test_rules_hold_and_a_row_without_a_way_on_is_named(chain: Chain) -> None:
    drawn = written(Constrained(chain, NeverTwice()), 3, rows=20)
    assert (drawn.sort(1).values == torch.tensor([1, 2, 3])).all()
    with pytest.raises(SearchError, match="the rules allow row 0 no token"):
        written(Constrained(chain, NeverTwice()), 4, rows=2)


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_nan_is_an_error(chain: Chain, temperature: float) -> None:
    chain.table[1] = torch.nan
    with pytest.raises(SearchError, match="NaN in place of probabilities"):
        written(chain, 3, temperature=temperature)


@pytest.mark.parametrize("wrong", [{"temperature": -1.0}, {"top_p": 1.5}, {"top_k": -1}, {"min_p": 2.0}])
def test_settings_outside_their_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match=f"Sampling.{next(iter(wrong))} must be"):
        Sampling(**wrong)
