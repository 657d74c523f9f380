"""Gates and states of RNN, LSTM and GRU over the same sequence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy
import torch
from torch import Tensor

from gruworks.lab.gates import Look, fresh, memory_length, one_hot, saturation
from gruworks.lab.number_lines.cells import train_cell
from gruworks.lab.number_lines.lines import frame_of
from gruworks.lab.number_lines.next_number import next_number
from gruworks.nn.cells import make

__all__ = ["TRAINED", "Cell", "side_by_side", "told", "trained_side_by_side"]

Cell = Literal["rnn", "lstm", "gru"]
TRAINED = range(3, 13)  # lengths of sequences for which a GRU is trained


def side_by_side(
    cells: Sequence[Cell], numbers: Sequence[float] | None, text: str | None, hidden: int = 8, seed: int = 0
) -> list[dict[str, Any]]:
    """Gates, states, memory and saturation of each cell over numbers or a text, as JSON values: lists [T][H].

    For ["gru"] with hidden size 8 and 3 to 12 numbers, the GRU is trained on number lines and predicts the next number
    as "answer". Otherwise the cells are untrained, and numbers are divided by the largest absolute value.

    >>> [one["cell"] for one in side_by_side(["rnn", "gru"], [1, 2, 3], None)]
    ['rnn', 'gru']

    Raises:
        DataError: an empty text. OptionError: a hidden size below 1 or a negative seed.
    """
    if numbers is not None and list(cells) == ["gru"] and len(numbers) in TRAINED and hidden == 8:
        found = next_number(numbers, seed=seed)
        values = {name: getattr(found, name) for name in ("update", "reset", "candidate", "state")}
        look = Look(what="a GRU trained on number lines", reads=[f"{one:g}" for one in found.numbers], **values)
        return [told("gru", look) | {"answer": found.answer}]
    if numbers is None:
        x, reads = one_hot(text or "")
        return [_look(cell, x, reads, f"{len(reads)} characters", hidden, seed) for cell in cells]
    y = torch.tensor(list(numbers), dtype=torch.float64)
    x = (y / y.abs().max().clamp(min=1e-300))[:, None, None]
    return [_look(cell, x, [f"{one:g}" for one in numbers], "the input", hidden, seed) for cell in cells]


def trained_side_by_side(cells: Sequence[Cell], numbers: Sequence[float], seed: int = 0) -> list[dict[str, Any]]:
    """As `side_by_side`, of cells with hidden size 8 trained on number lines, each with its prediction as "answer".

    >>> [round(one["answer"]) for one in trained_side_by_side(["gru"], [1, 2, 3, 4, 5])]
    [6]
    """
    return [_trained(cell, numbers, seed) for cell in cells]


def _trained(cell: Cell, numbers: Sequence[float], seed: int) -> dict[str, Any]:
    if cell == "gru":
        return side_by_side(["gru"], numbers, None, seed=seed)[0]
    y = numpy.asarray(numbers, dtype=numpy.float64)
    frame = frame_of(y)
    read = frame.read(y)
    model = train_cell(cell, read.tolist(), seed)
    x = torch.from_numpy(read)[:, None, None]
    with torch.no_grad():
        answer = frame.restore(model(x).item())
    return _values(cell, model.cell, x, [f"{one:g}" for one in numbers], "trained on number lines") | {"answer": answer}


def told(cell: str, look: Look) -> dict[str, Any]:
    """Gates of a GRU with memory length and saturation of each unit, as JSON values."""
    shut, opened = saturation(look.update)
    return {
        "cell": cell, "what": look.what, "inputs": look.reads,
        "gates": {name: value.tolist() for name, value in look.gates().items()},
        "update": look.update.tolist(), "reset": look.reset.tolist(), "candidate": look.candidate.tolist(),
        "hidden": look.state.tolist(), "memory": memory_length(look.update).tolist(),
        "saturation": {"shut": shut.tolist(), "open": opened.tolist()},
    }  # fmt: skip


def _look(cell: Cell, x: Tensor, reads: list[str], what: str, hidden: int, seed: int) -> dict[str, Any]:
    if cell == "gru":
        return told("gru", fresh(x, reads, what, hidden, seed=seed))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        unit: Any = make(cell, x.shape[-1], hidden, engine="equations").double()
    return _values(cell, unit, x, reads, f"an untrained {cell.upper()} of {hidden} units")


def _values(cell: Cell, unit: Any, x: Tensor, reads: list[str], what: str) -> dict[str, Any]:
    """Gates, states and memory of an RNN or LSTM as JSON values."""
    gates, states = _steps(cell, unit, x)
    return {
        "cell": cell, "what": what, "inputs": reads,
        "gates": {name: v.tolist() for name, v in gates.items()},
        "update": None, "reset": None, "candidate": None, "hidden": states.tolist(),
        "memory": None if cell == "rnn" else memory_length(1 - gates["f_t"]).tolist(), "saturation": None,
    }  # fmt: skip


@torch.no_grad()
def _steps(cell: Cell, unit: Any, x: Tensor) -> tuple[dict[str, Any], Any]:
    """Gates and states [T, H] by name; the LSTM's gates are computed as in `nn/cells.py`."""
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
