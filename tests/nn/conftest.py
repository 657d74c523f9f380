"""A decoder small enough for exhaustive search."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from gruworks.nn.decoding.decoder import Decoder
from gruworks.nn.state import State


class Chain(Decoder):
    """Log-probabilities by the last token and the number of steps; token 0 is the end token."""

    def __init__(self, symbols: int = 4, depth: int = 8, seed: int = 0) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.table = torch.randn(depth, symbols, symbols, generator=generator).mul(1.5).log_softmax(-1)

    def start(self, context: Any) -> State:
        return {"read": torch.zeros(int(context), 1, dtype=torch.long)}

    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        read = state["read"]
        return self.table[read[:, 0], tokens], {"read": read + 1}


@pytest.fixture
def chain() -> Chain:
    return Chain()
