"""The n-gram decoder against the model's probabilities, from any context."""

from __future__ import annotations

import numpy
import pytest
import torch

from gruworks.nn.decoding.ngram import NGramDecoder
from gruworks.nn.decoding.sampling import Sampling, sample
from gruworks.nn.state import select
from gruworks.ops.language_model.kneser_ney import KneserNey

TEXTS = [[0, 1, 2, 0, 1, 3], [1, 0, 2, 2, 3], [2, 3]]  # 3 ends, 4 begins


@pytest.mark.parametrize("order", [1, 2, 5])
def test_steps_give_what_score_gives(order: int) -> None:
    model = KneserNey(TEXTS, 5, order)
    decoder = NGramDecoder(model, begin=4)
    state, tokens, found = decoder.start(torch.tensor([4])), torch.tensor([4]), []
    for token in [0, 1, 0, 2, 3]:
        answer, state = decoder.step(tokens, state)
        found.append(float(answer[0, token]))
        tokens = torch.tensor([token])
    rows = [[-1] * (5 - t) + [5, 0, 1, 0, 2][: t + 1] for t in range(5)]  # to the model, 5 begins
    shares = 1 - model.distribution(rows)[:, 4]  # what the begin symbol would have is given to the others
    assert found == pytest.approx(model.score([0, 1, 0, 2, 3]) - numpy.log(shares), rel=1e-5)
    assert answer.exp().sum() == pytest.approx(1.0)
    assert answer[0, 4] == -torch.inf


def test_it_starts_from_what_was_read() -> None:
    decoder = NGramDecoder(KneserNey(TEXTS, 5, 3), begin=4)
    _, state = decoder.step(torch.tensor([4]), decoder.start(torch.tensor([4])))
    assert torch.equal(decoder.start(torch.tensor([4, 1]))["last"], state["last"])


def test_it_is_drawn_from_in_rows() -> None:
    decoder = NGramDecoder(KneserNey(TEXTS, 5, 3), begin=4)
    state = select(decoder.start(torch.tensor([4])), torch.zeros(6, dtype=torch.long))
    steps = list(sample(decoder, state, torch.full((6,), 4), Sampling(), torch.Generator().manual_seed(1), end=3))
    written = torch.stack(steps, 1)
    assert written.shape[0] == 6
    assert (written < 4).all()
    assert (written[:, -1] == 3).all()
