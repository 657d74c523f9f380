"""Beam search against exhaustive search."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch
from torch import Tensor

import gruworks.nn.decoding.decoder as decoder_module
from gruworks.errors import OptionError, SearchError
from gruworks.nn.decoding.beam_search import Hypothesis, beam
from gruworks.nn.decoding.decoder import Constrained, Ensemble
from gruworks.nn.recurrence.threads import torch_threads
from gruworks.nn.state import State
from tests.nn.conftest import Chain

END = 0


def search(chain: Any, rows: int = 1, first: list[int] | None = None, **how: Any) -> list[list[Hypothesis]]:
    tokens = torch.tensor(first or [1] * rows)
    return beam(chain, chain.start(len(tokens)), tokens, END, **{"length": 4, **how})


def every_answer(chain: Chain, first: int, length: int, alpha: float) -> list[tuple[float, list[int]]]:
    """All hypotheses that end within `length` tokens, best first."""
    answers = []
    for count in range(length):
        for tokens in itertools.product(range(1, 4), repeat=count):
            path = [first, *tokens, END]
            total = sum(float(chain.table[i, path[i], path[i + 1]]) for i in range(len(path) - 1))
            answers.append((total / (count + 1) ** alpha, list(tokens)))
    return sorted(answers, reverse=True)


@pytest.mark.parametrize("alpha", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("seed", range(4))
def test_a_beam_wide_enough_finds_the_best_answers_of_all(alpha: float, seed: int) -> None:
    chain = Chain(seed=seed)
    found = search(chain, first=[1, 2, 3], width=200, n_best=5, alpha=alpha)
    for first, answers in zip([1, 2, 3], found, strict=True):
        best = every_answer(chain, first, 4, alpha)[:5]
        assert [answer.tokens for answer in answers] == [tokens for _, tokens in best]
        assert [answer.score for answer in answers] == pytest.approx([score for score, _ in best], rel=1e-5)
        assert all(answer.ended for answer in answers)


def test_width_1_is_greedy(chain: Chain) -> None:
    for first in (1, 2, 3):
        tokens, last = [], first
        for depth in range(8):
            last = int(chain.table[depth, last].argmax())
            if last == END:
                break
            tokens.append(last)
        (answer,) = search(chain, first=[first], width=1, length=8)[0]
        assert answer.tokens == tokens


def test_a_row_s_answer_does_not_depend_on_its_neighbours(chain: Chain) -> None:
    together = search(chain, first=[1, 2, 3, 1], width=3, n_best=2)
    alone = [search(chain, first=[first], width=3, n_best=2)[0] for first in (1, 2, 3, 1)]
    assert together == alone


def test_each_row_has_its_own_length(chain: Chain) -> None:
    chain.table[:, :, END] = -50.0  # nobody wants to end
    short, long = search(chain, first=[1, 1], width=2, length=torch.tensor([2, 6]))
    assert (len(short[0].tokens), len(long[0].tokens)) == (2, 6)
    assert not short[0].ended


def test_a_forced_prefix_is_kept_and_counted(chain: Chain) -> None:
    forced = torch.tensor([[3, 2], [2, -1]])
    held, half = search(chain, first=[1, 1], width=50, forced=forced, alpha=0.0)
    assert held[0].tokens[:2] == [3, 2]
    assert half[0].tokens[0] == 2
    best = next((total, tokens) for total, tokens in every_answer(chain, 1, 4, 0.0) if tokens[:2] == [3, 2])
    assert (held[0].log_probability, held[0].tokens) == (pytest.approx(best[0]), best[1])


class Rising:
    """Token indices only increase."""

    def constrain(self, prefix: Tensor) -> Tensor:
        highest = prefix.amax(1, keepdim=True) if prefix.shape[1] else torch.zeros(len(prefix), 1)
        symbols = torch.arange(4)
        return (symbols > highest) | (symbols == END)


def test_rules_hold_in_every_answer(chain: Chain) -> None:
    found = search(Constrained(chain, Rising()), width=30, n_best=8, alpha=0.0)[0]
    assert len(found) == 8  # as many as there are: the subsets of {1, 2, 3}
    assert all(answer.tokens == sorted(set(answer.tokens)) for answer in found)
    best = [tokens for _, tokens in every_answer(chain, 1, 4, 0.0) if tokens == sorted(set(tokens))]
    assert [answer.tokens for answer in found] == best


class Nothing:
    def constrain(self, prefix: Tensor) -> Tensor:
        return torch.zeros(len(prefix), 4, dtype=torch.bool)


def test_rules_without_an_answer_are_said(chain: Chain) -> None:
    with pytest.raises(SearchError, match="the rules leave row 0 no answer"):
        search(Constrained(chain, Nothing()), width=2)


@pytest.mark.parametrize("wrong", [{"width": 0}, {"n_best": 0}, {"width": 2, "n_best": 3}, {"length": 0}])
def test_settings_that_make_no_sense_are_refused(chain: Chain, wrong: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match="beam search needs 1 <= n_best <= width"):
        search(chain, **wrong)


def test_no_rows_no_answers(chain: Chain) -> None:
    assert beam(chain, chain.start(0), torch.empty(0, dtype=torch.long), END, 4) == []


class Single(Chain):
    """Requests one thread and records the number at each step."""

    def __init__(self) -> None:
        super().__init__()
        self.used: list[int] = []

    def threads(self, rows: int) -> int:
        return 1

    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        self.used.append(torch.get_num_threads())
        return super().step(tokens, state)


def test_a_decoder_s_steps_run_on_as_many_threads_as_it_wants(chain: Chain) -> None:
    one, other = Single(), Single()
    with torch_threads(2):
        search(Constrained(one, Rising()))
        both = Ensemble([one, other])
        beam(both, both.start([1, 1]), torch.ones(1, dtype=torch.long), END, 3)
        assert torch.get_num_threads() == 2
    assert set(one.used) == set(other.used) == {1}
    assert Ensemble([one, chain]).threads(1) == 0  # all, since one of them wants all


@pytest.mark.parametrize("symbols", [64 * 12, 64 * 12 + 1, 64 * 40 + 63])
def test_the_best_of_a_large_row_are_those_of_topk(symbols: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoder_module, "LARGE", 0)
    generator = torch.Generator().manual_seed(symbols)
    answer = torch.randn(50, symbols, generator=generator)
    answer[0, -1] = 9.0  # in the last, short block
    answer[1, :6] = 9.0 + torch.arange(6)
    answer[2, 3:] = -torch.inf
    values, places = decoder_module.largest(answer, 6)
    assert torch.equal(values, answer.topk(6, dim=1).values)
    assert torch.equal(answer.gather(1, places), values)
