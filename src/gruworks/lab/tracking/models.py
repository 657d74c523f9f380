"""Models of the state tracking table: cells with a linear readout, and residual stacks without a non-linear recurrence.

A cell is one layer. Where there are many symbols it stands between linear maps of `FACTORS` dimensions, an embedding
and a factored readout, without which the products of 120 elements are learned as a table. Attention, minGRU and the
diagonal recurrence stand in the two-layer pre-norm stack of a Transformer, as they are used: each mixes time steps, and
the feed-forward layers between them are non-linear.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from gruworks.errors import OptionError
from gruworks.lab.experiment import Reader
from gruworks.nn.cells import MinGRU, hidden_size_for, make

__all__ = ["CELLS", "MIXERS", "MODELS", "Stack", "tracker"]

HEADS = 4
FACTORS = 24  # dimensions of the embedding and of the factored readout, where there are more symbols
LAYERS = 2


class Attention(torch.nn.Module):
    """Causal self-attention over [T, B, H] without position embeddings; the causal mask alone orders the steps."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.project = torch.nn.Linear(size, 3 * size)
        self.mix = torch.nn.Linear(size, size)

    def forward(self, x: Tensor) -> Tensor:
        T, B, H = x.shape
        heads = self.project(x).view(T, B, 3, HEADS, H // HEADS).permute(2, 1, 3, 0, 4)
        y = functional.scaled_dot_product_attention(heads[0], heads[1], heads[2], is_causal=True)
        mixed: Tensor = self.mix(y.permute(2, 0, 1, 3).reshape(T, B, H))
        return mixed


class DiagonalRecurrence(torch.nn.Module):
    """h_t = a_t * h_{t-1} + W_b x_t with a_t = tanh(W_a x_t), between -1 and 1, then a linear map.

    Diagonal and chosen by the input, with negative eigenvalues as in Grazzi et al. 2024 (arXiv 2411.12537).
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.project = torch.nn.Linear(size, 2 * size)
        self.mix = torch.nn.Linear(size, size)

    def forward(self, x: Tensor) -> Tensor:
        a, b = self.project(x).chunk(2, -1)
        states, h = [], torch.zeros_like(b[0])
        for factor, term in zip(torch.tanh(a).unbind(0), b.unbind(0), strict=True):
            h = torch.addcmul(term, factor, h)
            states.append(h)
        mixed: Tensor = self.mix(torch.stack(states))
        return mixed


class MinGRUMixer(torch.nn.Module):
    """minGRU, then a linear map."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.cell = MinGRU(size, size)
        self.mix = torch.nn.Linear(size, size)

    def forward(self, x: Tensor) -> Tensor:
        mixed: Tensor = self.mix(self.cell(x)[0])
        return mixed


CELLS = ("gru", "gru-before", "lstm", "rnn")
MIXERS: dict[str, Callable[[int], torch.nn.Module]] = {
    "mingru": MinGRUMixer,
    "diagonal": DiagonalRecurrence,
    "transformer": Attention,
}
MODELS = (*CELLS, *MIXERS)


class Layer(torch.nn.Module):
    """Pre-norm residual layer: mixing of time steps, then a feed-forward network of twice the width."""

    def __init__(self, mixer: Callable[[int], torch.nn.Module], size: int) -> None:
        super().__init__()
        self.mixing = torch.nn.Sequential(torch.nn.LayerNorm(size), mixer(size))
        self.feeding = torch.nn.Sequential(
            torch.nn.LayerNorm(size), torch.nn.Linear(size, 2 * size), torch.nn.GELU(), torch.nn.Linear(2 * size, size)
        )

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.mixing(x)
        fed: Tensor = x + self.feeding(x)
        return fed


class Stack(torch.nn.Module):
    """Embedding of one-hot inputs [T, B, I] and two layers; with a cell's signature, and None for its state."""

    def __init__(self, name: str, inputs: int, size: int) -> None:
        super().__init__()
        self.hidden_size = size
        self.embedding = torch.nn.Linear(inputs, size)
        self.layers = torch.nn.Sequential(*(Layer(MIXERS[name], size) for _ in range(LAYERS)))
        self.norm = torch.nn.LayerNorm(size)

    def forward(self, x: Tensor) -> tuple[Tensor, None]:
        return self.norm(self.layers(self.embedding(x))), None


class Embedded(torch.nn.Module):
    """A cell that sees a linear embedding of its inputs [T, B, I]."""

    def __init__(self, name: str, inputs: int, size: int) -> None:
        super().__init__()
        self.hidden_size = size
        self.embedding = torch.nn.Linear(inputs, FACTORS, bias=False)
        self.cell = make(name, FACTORS, size)
        torch.nn.init.normal_(self.embedding.weight)

    def forward(self, x: Tensor) -> tuple[Tensor, Any]:
        found: tuple[Tensor, Any] = self.cell(self.embedding(x))
        return found


def _factored(name: str, inputs: int, outputs: int, parameters: int) -> Reader:
    """A cell between an embedding and a factored readout."""
    rest = parameters - FACTORS * inputs - (FACTORS + 1) * outputs
    model = Reader(Embedded(name, inputs, hidden_size_for(name, FACTORS, rest, FACTORS)), outputs)
    last = torch.nn.Linear(FACTORS, outputs)
    torch.nn.init.normal_(last.weight)
    factored = torch.nn.Sequential(torch.nn.Linear(model.readout.in_features, FACTORS), last)
    model.readout = factored  # type: ignore[assignment]
    return model


def tracker(name: str, inputs: int, outputs: int, parameters: int, seed: int = 0) -> Reader:
    """An untrained model of about `parameters` parameters, its readout included.

    >>> model = tracker("transformer", 120, 120, 100_000)
    >>> sum(p.numel() for p in model.parameters())
    99832

    Raises:
        OptionError: an unknown name.
    """
    if name not in MODELS:
        raise OptionError(f"there is no model {name!r}; there are: {', '.join(MODELS)}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if name in CELLS and inputs > FACTORS:
            return _factored(name, inputs, outputs, parameters)
        if name in CELLS:
            return Reader(make(name, inputs, hidden_size_for(name, inputs, parameters, outputs)), outputs)
        return Reader(Stack(name, inputs, _size_of(name, inputs, outputs, parameters)), outputs)


def _size_of(name: str, inputs: int, outputs: int, parameters: int) -> int:
    """The width, a multiple of the number of heads, at which a stack is closest to `parameters`."""

    def count(size: int) -> int:
        with torch.device("meta"):
            model = Reader(Stack(name, inputs, size), outputs)
        return sum(p.numel() for p in model.parameters())

    sizes = range(HEADS, 4096, HEADS)
    above = bisect.bisect_left(sizes, parameters, key=count)
    return min(sizes[max(0, above - 1) : above + 1], key=lambda size: abs(count(size) - parameters))
