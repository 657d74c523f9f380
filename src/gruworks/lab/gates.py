"""Gates of a GRU over a sequence, and their statistics: memory length of the units, saturation of the gates."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor

from gruworks.errors import DataError, OptionError
from gruworks.lab.run_inputs import printable, run_inputs
from gruworks.nn.gru import GRU
from gruworks.nn.tracing import trace
from gruworks.ops.weights import Reset

__all__ = ["GateValues", "Look", "fresh", "memory_length", "of_run", "of_text", "one_hot", "saturation", "values_of"]

Floats = NDArray[numpy.float64]
SHUT, OPEN = 0.1, 0.9


@dataclass(frozen=True, kw_only=True)
class GateValues:
    """Gates, candidates and states of a GRU over one sequence, [T, H] each; an update gate of 1 replaces the state."""

    update: Floats
    reset: Floats
    candidate: Floats
    state: Floats

    def gates(self) -> dict[str, Floats]:
        """z_t, r_t, h̃_t and h_t by name."""
        return {"z_t": self.update, "r_t": self.reset, "h̃_t": self.candidate, "h_t": self.state}


@dataclass(frozen=True, kw_only=True)
class Look(GateValues):
    """Gates of a GRU with a description of the GRU and of its input at each step."""

    what: str
    reads: list[str]


def values_of(gru: GRU, x: Tensor) -> dict[str, Floats]:
    """The fields of `GateValues` for the first row of x [T, B, I], the first layer and the forward direction."""
    return {name: value[:, 0].numpy() for name, value in trace(gru, x).first()._asdict().items()}


def memory_length(update: Floats) -> Floats:
    """Memory length of each unit in steps, [H], from its update gate z [T, H]: -1 / mean_t log(1 - z_t).

    After so many steps the contribution of a state has decayed to 1/e. It is infinite where the gate is always 0, and 0
    where it is 1 at some step.

    >>> memory_length(numpy.full((5, 1), 0.1)).round(2).tolist()
    [9.49]
    """
    with numpy.errstate(divide="ignore"):
        lengths: Floats = -1 / numpy.log1p(-numpy.asarray(update, dtype=numpy.float64)).mean(0)
    return numpy.abs(lengths)  # 1 / -inf is -0


def saturation(gate: Floats) -> tuple[Floats, Floats]:
    """Fractions of steps at which each unit's gate [T, H] is closed (below 0.1) and open (above 0.9), [H] each."""
    return (gate < SHUT).mean(0), (gate > OPEN).mean(0)


def fresh(x: Tensor, reads: list[str], what: str, hidden: int = 8, reset: Reset = "before", seed: int = 0) -> Look:
    """Gates of an untrained GRU of hidden size `hidden` over x [T, 1, I]; `reads` and `what` describe the input.

    >>> fresh(torch.ones(5, 1, 1), list("abcde"), "ones").update.shape
    (5, 8)

    Raises:
        OptionError: a hidden size below 1 or a negative seed.
    """
    if hidden < 1 or seed < 0:
        raise OptionError(f"expected a hidden size of at least 1 and a seed of at least 0, got {hidden} and {seed}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        gru = GRU(x.shape[-1], hidden, reset=reset, dtype=torch.float64)
    return _look(gru, x.double(), reads, f"an untrained GRU of {hidden} units, reset {reset}, reading {what}")


def of_text(text: str, hidden: int = 8, reset: Reset = "before", seed: int = 0) -> Look:
    """Gates of an untrained GRU over the characters of a text, one-hot.

    Raises:
        DataError: an empty text. OptionError: as `fresh`.
    """
    return fresh(*one_hot(text), f"{len(text)} characters", hidden, reset, seed)


def one_hot(text: str) -> tuple[Tensor, list[str]]:
    """The characters of a text one-hot over its alphabet, float64 [T, 1, V], and their names.

    Raises:
        DataError: an empty text.
    """
    if not text:
        raise DataError("expected a text of one character or more")
    alphabet = sorted(set(text))
    x = torch.eye(len(alphabet), dtype=torch.float64)[[alphabet.index(one) for one in text]][:, None]
    return x, list(map(printable, text))


def of_run(path: Path | str, text: str | None = None, audio: Path | str | None = None) -> Look:
    """Gates of the first GRU of the trained run at `path`; arguments and errors as for `run_inputs`."""
    gru, x, reads, what = run_inputs(path, text, audio)
    return _look(gru.double(), x.double(), reads, what)


def _look(gru: GRU, x: Tensor, reads: list[str], what: str) -> Look:
    return Look(what=what, reads=reads, **values_of(gru, x))
