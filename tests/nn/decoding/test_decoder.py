"""Ensembles average probabilities; constraints are combined."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from gruworks.errors import OptionError
from gruworks.nn.decoding.decoder import Constrained, Ensemble
from gruworks.nn.state import select
from tests.nn.conftest import Chain


class Only:
    """Allows only the given tokens."""

    def __init__(self, *symbols: int) -> None:
        self.symbols = symbols

    def constrain(self, prefix: Tensor) -> Tensor:
        allowed = torch.zeros(len(prefix), 4, dtype=torch.bool)
        allowed[:, list(self.symbols)] = True
        return allowed


def test_an_ensemble_is_the_mean_of_its_members_probabilities() -> None:
    one, other = Chain(seed=1), Chain(seed=2)
    ensemble = Ensemble([one, other])
    state = ensemble.start([3, 3])
    tokens = torch.tensor([1, 2, 3])
    for _ in range(2):
        answer, state = ensemble.step(tokens, state)
        at = int(state["0.read"][0]) - 1
        expected = (one.table[at, tokens].exp() + other.table[at, tokens].exp()) / 2
        torch.testing.assert_close(answer.exp(), expected)
    assert select(state, torch.tensor([0]))["1.read"].tolist() == [[2]]


def test_an_ensemble_says_what_it_needs() -> None:
    with pytest.raises(OptionError, match="at least one decoder"):
        Ensemble([])
    with pytest.raises(OptionError, match="an ensemble of 2 needs as many contexts, got 1"):
        Ensemble([Chain(), Chain()]).start([3])


def test_constraints_meet(chain: Chain) -> None:
    both = Constrained(Constrained(chain, Only(1, 2)), Only(2, 3))
    assert both.constrains
    allowed = both.constrain(torch.empty(2, 0, dtype=torch.long))
    assert allowed is not None
    assert allowed.tolist() == [[False, False, True, False]] * 2
    ensemble = Ensemble([chain, Constrained(chain, Only(1))])
    assert ensemble.constrains
    assert ensemble.constrain(torch.empty(1, 0, dtype=torch.long)).tolist() == [[False, True, False, False]]  # type: ignore[union-attr]
    assert not Ensemble([chain]).constrains
    assert chain.constrain(torch.empty(1, 0, dtype=torch.long)) is None


def test_a_constrained_decoder_steps_as_the_bare_one(chain: Chain) -> None:
    held = Constrained(chain, Only(1))
    answer, state = held.step(torch.tensor([1, 2]), held.start(2))
    assert torch.equal(answer, chain.table[0, [1, 2]])
    assert state["read"].tolist() == [[1], [1]]
