"""Ensembles average probabilities; guidance raises them to a power; constraints are combined."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from gruworks.errors import OptionError
from gruworks.nn.decoding.decoder import Constrained, Ensemble, Guided
from gruworks.nn.decoding.ngram import NGramDecoder
from gruworks.nn.state import select
from gruworks.ops.language_model.kneser_ney import KneserNey
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


@pytest.mark.parametrize("guidance", [0.0, 1.0, 2.5])
def test_guidance_raises_the_ratio_of_both_contexts_to_a_power(guidance: float) -> None:
    decoder = NGramDecoder(KneserNey([[0, 1, 2, 0, 2, 1, 1, 0], [2, 1, 0, 0]], size=4), begin=3)
    own, neutral = torch.tensor([3, 0, 1]), torch.tensor([3])
    guided = Guided(decoder, guidance)
    state, mine, other = guided.start((own, neutral)), decoder.start(own), decoder.start(neutral)
    tokens, beside = own[-1:], neutral[-1:]
    for _ in range(4):
        answer, state = guided.step(tokens, state)
        one, mine = decoder.step(tokens, mine)
        two, other = decoder.step(beside, other)
        expected = (one + guidance * (one - two))[:, :3].log_softmax(1)
        torch.testing.assert_close(answer[:, :3], expected)  # 3, the first token, is impossible in both
        tokens = beside = answer.argmax(1)


def test_guidance_leaves_what_is_impossible_impossible() -> None:
    class Sure(Chain):
        def step(self, tokens: Tensor, state: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
            answer, state = super().step(tokens, state)
            return answer.index_fill(1, torch.tensor([1]), -torch.inf), state

        def start(self, context: Tensor) -> dict[str, Tensor]:  # type: ignore[override]
            return super().start(1)

    guided = Guided(Sure(), 3.0)
    answer, _ = guided.step(torch.tensor([2]), guided.start((torch.tensor([3]), torch.tensor([3]))))
    assert answer[0, 1] == -torch.inf
    assert not answer.isnan().any()


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
