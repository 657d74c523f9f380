"""Gate statistics: memory length of units, saturation of gates; of runs, text and numbers."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor

from gruworks.errors import DataError, OptionError
from gruworks.nn.gru import GRU
from gruworks.nn.tracing import trace
from gruworks.ops.weights import Reset

__all__ = ["Look", "fresh", "memory_length", "of_run", "of_text", "saturation"]

Floats = NDArray[numpy.float64]
SHUT, OPEN = 0.1, 0.9


class Look(NamedTuple):
    """One sequence through one GRU: what each step read, and the gates and state there, [T, H] each."""

    what: str
    reads: list[str]
    update: Floats
    reset: Floats
    candidate: Floats
    state: Floats

    def gates(self) -> dict[str, Floats]:
        """z_t, r_t, h̃_t and h_t by name."""
        return {"z_t": self.update, "r_t": self.reset, "h̃_t": self.candidate, "h_t": self.state}


def memory_length(update: Floats) -> Floats:
    """Memory length of each unit in steps, [H], from its update gate z [T, H]: -1 / mean_t log(1 - z_t).

    After so many steps 1/e of a state is left. A gate that never opens remembers for ever, one that is once quite open
    remembers nothing.

    >>> memory_length(numpy.full((5, 1), 0.1)).round(2).tolist()
    [9.49]
    """
    with numpy.errstate(divide="ignore"):
        lengths: Floats = -1 / numpy.log1p(-numpy.asarray(update, dtype=numpy.float64)).mean(0)
    return numpy.abs(lengths)  # 1 / -inf is -0


def saturation(gate: Floats) -> tuple[Floats, Floats]:
    """The share of steps at which each unit's gate [T, H] is shut (below 0.1), and open (above 0.9), [H] each."""
    return (gate < SHUT).mean(0), (gate > OPEN).mean(0)


def fresh(x: Tensor, reads: list[str], what: str, hidden: int = 8, reset: Reset = "before", seed: int = 0) -> Look:
    """An untrained unit of `hidden` units over x [T, 1, I].

    >>> fresh(torch.ones(5, 1, 1), list("abcde"), "ones").update.shape
    (5, 8)
    """
    if hidden < 1 or seed < 0:
        raise OptionError(f"expected one unit or more and a seed from 0 on, got {hidden} and {seed}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        gru = GRU(x.shape[-1], hidden, reset=reset, dtype=torch.float64)
    return _look(gru, x.double(), reads, f"an untrained GRU of {hidden} units, reset {reset}, reading {what}")


def of_text(text: str, hidden: int = 8, reset: Reset = "before", seed: int = 0) -> Look:
    """An untrained unit that reads `text`, a character a step, one-hot."""
    if not text:
        raise DataError("expected a text of one character or more")
    alphabet = sorted(set(text))
    x = torch.eye(len(alphabet))[[alphabet.index(one) for one in text]][:, None]
    reads = [one if one.isprintable() else repr(one)[1:-1] for one in text]
    return fresh(x, reads, f"{len(text)} characters", hidden, reset, seed)


def of_run(path: Path | str, text: str | None = None, audio: Path | str | None = None) -> Look:
    """The first GRU of a trained run: an experiment of the lab on a test sequence, a forecaster on its history, a
    generator or translator on `text`, a transcriber on the recording `audio`.

    Raises:
        RunError, OptionError, DataError: as `overhearing.run_inputs`.
    """
    from gruworks.lab.run_inputs import run_inputs

    gru, x, reads, what = run_inputs(path, text, audio)
    return _look(gru.double(), x.double(), reads, what)


def _look(gru: GRU, x: Tensor, reads: list[str], what: str) -> Look:
    inside = {name: value[:, 0].numpy() for name, value in trace(gru, x)._asdict().items()}
    return Look(what=what, reads=reads, **inside)
