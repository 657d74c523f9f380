"""The network: in pieces as in one, ragged rows as if alone."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gruworks.tasks.transcribe.config import Config
from gruworks.tasks.transcribe.model import TranscribeNet
from tests.tolerances import FLOAT32_GRADIENT

PIECE = 8


def network(**settings: object) -> TranscribeNet:
    torch.manual_seed(0)
    small = {"channels": 8, "kernel_size": 5, "strides": (2, 2), "hidden_size": 12, "layers": 2, "lookahead": 3}
    options = {"streaming": True, "dropout": 0.0, **small, **settings}
    return TranscribeNet(5, 7, Config(**options)).eval()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"lookahead": 0},
        {"reset": "before"},
        {"strides": (4,)},
        {"cell": "ligru"},
        {"weight_dropout": 0.3, "recurrent_dropout": 0.3},
    ],
)
@given(lengths=st.lists(st.integers(0, 45), min_size=1, max_size=4))
def test_pieces_give_what_the_whole_gives(settings: dict[str, object], lengths: list[int]) -> None:
    model, count = network(**settings), torch.tensor(lengths)
    x = torch.randn(len(lengths), max(lengths) + PIECE, 5)
    whole, ends = model(x, count)
    state, outputs = model.start(len(lengths)), [[] for _ in lengths]
    for first in range(0, x.shape[1] - PIECE + 1, PIECE):
        left = (count - first).clamp(0, PIECE)
        y, ready, state = model.step(x[:, first : first + PIECE], left, state, count <= first + PIECE)
        for row, output in enumerate(outputs):
            output.append(y[row, : int(ready[row])])
    for row, output in enumerate(outputs):
        found = torch.cat(output)
        assert len(found) == int(ends[row]) == -(-lengths[row] // 4)
        torch.testing.assert_close(found, whole[row, : len(found)], atol=FLOAT32_GRADIENT, rtol=0)


@pytest.mark.parametrize("cell", ["gru", "ligru"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_rows_are_as_if_alone(bidirectional: bool, cell: str) -> None:
    model = network(streaming=not bidirectional, cell=cell)
    x, lengths = torch.randn(3, 30, 5), torch.tensor([30, 17, 2])
    whole, ends = model(x, lengths)
    for row, (length, end) in enumerate(zip(lengths.tolist(), ends.tolist(), strict=True)):
        alone, _ = model(x[row : row + 1, :length], torch.tensor([length]))
        torch.testing.assert_close(whole[row, :end], alone[0], atol=FLOAT32_GRADIENT, rtol=0)


def test_the_look_ahead_is_what_is_said() -> None:
    model = network()
    assert model.lookahead == 2 * 3 * 4
    x = torch.randn(1, 80, 5)
    changed = x.clone()
    changed[:, 40:] += 1
    first = ((model(x, torch.tensor([80]))[0] - model(changed, torch.tensor([80]))[0]).abs().sum(-1)[0] > 0).nonzero()
    assert int(first[0]) == 10 - 6
    assert network(streaming=False).lookahead == 0


def test_probabilities_sum_to_one_and_every_weight_learns() -> None:
    model = network()
    answer, ends = model(torch.randn(2, 21, 5), torch.tensor([21, 9]))
    assert answer.exp().sum(-1).allclose(torch.ones(2, 6))
    torch.nn.functional.ctc_loss(answer.transpose(0, 1), torch.tensor([1, 2, 3]), ends, torch.tensor([2, 1])).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_what_is_dropped_is_dropped_in_training_alone() -> None:
    plain, x, lengths = network(), torch.randn(2, 30, 5), torch.tensor([30, 22])
    for settings in ({"weight_dropout": 0.5}, {"recurrent_dropout": 0.5}):
        model = network(**settings)
        torch.testing.assert_close(model(x, lengths)[0], plain(x, lengths)[0], rtol=0, atol=0)
        first, again = (model.train()(x, lengths)[0] for _ in range(2))
        assert not torch.equal(first, again)
