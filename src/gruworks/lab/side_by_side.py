"""RNN, LSTM and GRU reading the same sequence: gates and states of each, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy
import torch
from torch import Tensor

from gruworks.errors import DataError
from gruworks.lab.gates import Look, fresh, memory_length, of_text, saturation
from gruworks.lab.number_lines.next_number import next_number
from gruworks.nn.cells import make

__all__ = ["Cell", "side_by_side", "told"]

Cell = Literal["rnn", "lstm", "gru"]
TRAINED = range(3, 13)  # numbers from which, and up to which, the next one is learnt


def side_by_side(
    cells: Sequence[Cell], numbers: Sequence[float] | None, text: str | None, hidden: int = 8, seed: int = 0
) -> list[dict[str, Any]]:
    """Each cell over the same input: plain values, arrays as nested lists [T][H].

    Numbers are read as they are where a GRU alone of 8 units is asked for: it is trained on number lines first and says
    what comes next. Otherwise the cells are untrained, and read the numbers over their largest size.

    >>> [one["cell"] for one in side_by_side(["rnn", "gru"], [1, 2, 3], None)]
    ['rnn', 'gru']
    """
    if numbers is not None and list(cells) == ["gru"] and len(numbers) in TRAINED and hidden == 8:
        found = next_number(numbers, seed=seed)
        reads = [f"{one:g}" for one in found.numbers]
        look = Look("a GRU trained on number lines", reads, found.update, found.reset, found.candidate, found.state)
        return [told("gru", look) | {"answer": found.answer}]
    x, reads = _input(numbers, text)
    return [_look(cell, x, reads, text, hidden, seed) for cell in cells]


def told(cell: str, look: Look) -> dict[str, Any]:
    """A GRU's gates as plain values, memory length and saturation of each unit with them."""
    shut, opened = saturation(look.update)
    return {
        "cell": cell, "what": look.what, "inputs": look.reads,
        "gates": {name: value.tolist() for name, value in look.gates().items()},
        "update": look.update.tolist(), "reset": look.reset.tolist(), "candidate": look.candidate.tolist(),
        "hidden": look.state.tolist(), "memory": memory_length(look.update).tolist(),
        "saturation": {"shut": shut.tolist(), "open": opened.tolist()},
    }  # fmt: skip


def _input(numbers: Sequence[float] | None, text: str | None) -> tuple[Tensor, list[str]]:
    if numbers is not None:
        y = torch.tensor(list(numbers), dtype=torch.float64)
        return (y / y.abs().max().clamp(min=1e-300))[:, None, None], [f"{one:g}" for one in numbers]
    if not text:
        raise DataError("expected numbers or a text of one character or more")
    alphabet = sorted(set(text))
    x = torch.eye(len(alphabet), dtype=torch.float64)[[alphabet.index(one) for one in text]][:, None]
    return x, [one if one.isprintable() else repr(one)[1:-1] for one in text]


def _look(cell: Cell, x: Tensor, reads: list[str], text: str | None, hidden: int, seed: int) -> dict[str, Any]:
    if cell == "gru":
        look = fresh(x, reads, "the input", hidden, seed=seed) if text is None else of_text(text, hidden, seed=seed)
        return told("gru", look)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        unit: Any = make(cell, x.shape[-1], hidden, engine="equations").double()
    gates, states = _steps(cell, unit, x)
    what = f"an untrained {cell.upper()} of {hidden} units"
    return {
        "cell": cell, "what": what, "inputs": reads, "gates": {name: v.tolist() for name, v in gates.items()},
        "update": None, "reset": None, "candidate": None, "hidden": states.tolist(),
        "memory": None if cell == "rnn" else memory_length(1 - gates["f_t"]).tolist(), "saturation": None,
    }  # fmt: skip


@torch.no_grad()
def _steps(cell: Cell, unit: Any, x: Tensor) -> tuple[dict[str, Any], Any]:
    """Gates and states at each step; an LSTM's gates are formed as in `nn/cells.py`, i f g o."""
    state = (x.new_zeros(1, unit.hidden_size),) * unit.num_states
    rows: dict[str, list[Any]] = {}
    for term in unit.input_projections(x).unbind(0):
        if cell == "lstm":
            i, f, g, o = (term + torch.nn.functional.linear(state[0], unit.weight_hh_l0, unit.bias_hh_l0)).chunk(4, -1)
            for name, value in zip("ifo", (i, f, o), strict=True):
                rows.setdefault(f"{name}_t", []).append(torch.sigmoid(value)[0].numpy())
            rows.setdefault("g_t", []).append(torch.tanh(g)[0].numpy())
        state = unit.step(term, state)
        for name, value in zip(("h_t", "c_t"), state, strict=False):
            rows.setdefault(name, []).append(value[0].numpy())
    found = {name: numpy.stack(values) for name, values in rows.items()}
    return found, found["h_t"]
