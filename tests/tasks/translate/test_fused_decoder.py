"""The quick network gives the plain one's numbers in every build; its 8-bit output comes close."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from gruworks.nn.state import State
from gruworks.ops.backend import backend
from gruworks.tasks.translate.fused_decoder import FusedAttentionDecoder
from gruworks.tasks.translate.model import AttentionNet
from tests import tolerances
from tests.tasks.translate.test_model import LENGTHS, SOURCE, net

if backend().name == "torch":
    pytest.skip(backend().reason, allow_module_level=True)

SIZES: tuple[dict[str, int], ...] = (
    {},
    {"embedding_size": 16, "hidden_size": 32, "attention_size": 48, "layers": 1},
    {"embedding_size": 33, "hidden_size": 17, "attention_size": 70},
)


def stepped(plain: AttentionNet, memory: State, rows: int) -> tuple[Tensor, State, Tensor]:
    """Tokens, states and log-probabilities after two steps of the plain network."""
    generator = torch.Generator().manual_seed(1)
    state = {name: value.repeat_interleave(rows // 2, 0) for name, value in plain.start(memory).items()}
    for _ in range(2):
        tokens = torch.randint(0, 12, (rows,), generator=generator)
        before = state
        features, state = plain.step(tokens, state, memory)
    return tokens, before, torch.log_softmax(plain.scores(features), -1)


@pytest.mark.parametrize("reset", ["after", "before"])
@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("rows", [2, 10, 62, 112])
@torch.no_grad()
def test_it_gives_the_plain_networks_numbers(build: str, reset: str, sizes: dict[str, int], rows: int) -> None:
    plain = net(**sizes, reset=reset)
    quick = FusedAttentionDecoder(plain, eight_bits=False)
    memory, own = plain.encode(SOURCE, LENGTHS), quick.encode(SOURCE, LENGTHS)
    tokens, state, wanted = stepped(plain, memory, rows)
    _, after = plain.step(tokens, state, memory)
    found, mine = quick.step(tokens, state, own)
    assert torch.allclose(found, wanted, atol=2 * tolerances.FLOAT32_OUTPUT)
    for name, value in after.items():
        assert torch.allclose(mine[name], value, atol=tolerances.FLOAT32_OUTPUT)
    values, symbols, _ = quick.best(tokens, state, own, 5)
    assert torch.allclose(values, found.topk(5).values, atol=tolerances.FLOAT32_OUTPUT)
    assert torch.equal(values, found.gather(1, symbols))
    assert bool((values.diff() <= 0).all())


@torch.no_grad()
def test_of_equal_symbols_the_first_come_first_and_a_row_stands_alone() -> None:
    plain = net()
    plain.bias.data.fill_(0)
    plain.target_embedding.weight.data.fill_(0.25)
    quick = FusedAttentionDecoder(plain, eight_bits=False)
    memory = quick.encode(SOURCE, LENGTHS)
    state = {name: value.repeat_interleave(4, 0) for name, value in quick.net.start(memory).items()}
    values, symbols, _ = quick.best(torch.arange(8), state, memory, 12)
    assert symbols.tolist() == [list(range(12))] * 8
    assert torch.allclose(values, torch.tensor(12.0).log().neg().expand(8, 12))
    state["first"][3] = torch.nan
    _, after = quick.step(torch.arange(8), state, memory)
    assert after["second"].isnan().any(1).tolist() == [False, False, False, True, False, False, False, False]


@torch.no_grad()
def test_eight_bits_come_close(build: str) -> None:
    plain = net(embedding_size=64)
    exact, narrow = FusedAttentionDecoder(plain, eight_bits=False), FusedAttentionDecoder(plain)
    memory = exact.encode(SOURCE, LENGTHS)
    tokens, state, _ = stepped(plain, plain.encode(SOURCE, LENGTHS), 50)
    wanted, _ = exact.step(tokens, state, memory)
    found, _ = narrow.step(tokens, state, memory)
    assert 0 < float((found - wanted).std()) < 0.02 * float(wanted.std())
