"""Output of `gruworks lab trace`: gates as tables, picture and arrays; each unit's memory and saturation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy

from gruworks.app.cli.common.show import Show
from gruworks.training.runs import new_run_path, write_atomically

if TYPE_CHECKING:
    from gruworks.lab.gates import Look

__all__ = ["gates_of_numbers", "show_gates", "show_look"]

MOST_STEPS, MOST_UNITS = 40, 8  # size of a table in a terminal
NAMES = {"z_t": "update gate", "r_t": "reset gate", "h̃_t": "candidate", "h_t": "state"}
ARRAYS = {"z_t": "update", "r_t": "reset", "h̃_t": "candidate", "h_t": "state"}


def gates_of_numbers(numbers: list[float], hidden: int, reset: Any, seed: int) -> Look:
    """The gates of an untrained GRU that reads the numbers unscaled."""
    import torch

    from gruworks.lab.gates import fresh

    x = torch.tensor(numbers, dtype=torch.float64)[:, None, None]
    return fresh(x, [f"{value:.4g}" for value in numbers], f"{len(numbers)} numbers", hidden, reset, seed)


def show_look(show: Show, look: Look, out: Path | None) -> None:
    """Show the gates of a trained run or of an untrained GRU."""
    show.answer(look.what)
    steps = [f"{t}\n{text}" if len(text) < 6 else str(t) for t, text in enumerate(look.reads, 1)]
    facts = {"what": look.what, "reads": look.reads}
    show_gates(show, look.gates(), look.reads, facts, out, steps=steps, title=look.what)


def show_gates(
    show: Show, gates: dict[str, Any], inputs: list[str], facts: dict[str, Any], out: Path | None, **drawing: Any
) -> None:
    """Print the gates as far as they fit, each unit's memory and saturation, and write picture and arrays.

    Args:
        gates: gates and states by symbol, [T, H] each.
        inputs: the input of each step, T texts.
        facts: further values of the JSON result.
        **drawing: options of `draw_gates`.
    """
    from gruworks.plots.gates import draw_gates

    folder = out or new_run_path("lab-trace")
    picture = draw_gates(gates, folder / "gates.png", **drawing)
    arrays = _write_arrays(gates, folder)
    for name, values in gates.items():
        form = ".3f" if name in ("z_t", "r_t") else "+.2f"  # five characters, so that eight units fit 80 columns
        rows = [
            {"t": t, "input": text, **{str(i): f"{value:{form}}" for i, value in enumerate(row[:MOST_UNITS], 1)}}
            for t, (text, row) in enumerate(zip(inputs, values, strict=True), 1)
        ]
        show.note()
        show.table(rows[:MOST_STEPS], f"{NAMES[name]} {name}{_shown(values)}")
    show.note()
    units = _show_memory(show, gates["z_t"], gates["r_t"])
    show.answer(f"picture: {picture}\narrays: {arrays}")
    plain = {name: values.tolist() for name, values in gates.items()}
    show.result({**facts, **plain, "units": units, "picture": str(picture), "arrays": str(arrays)})


def _show_memory(show: Show, update: Any, reset: Any) -> list[dict[str, Any]]:
    """Print each unit's memory length, and the fraction of steps at which its gates are closed or open."""
    from gruworks.lab.gates import memory_length, saturation

    z_closed, z_open = saturation(update)
    r_closed, r_open = saturation(reset)
    rows = [
        {"unit": unit, "memory (steps)": float(memory), "z < 0.1": float(a), "z > 0.9": float(b),
         "r < 0.1": float(c), "r > 0.9": float(d)}
        for unit, (memory, a, b, c, d) in enumerate(
            zip(memory_length(update), z_closed, z_open, r_closed, r_open, strict=True), 1
        )
    ]  # fmt: skip
    show.table(rows, "memory length -1 / mean log(1 - z_t), and the fraction of steps with a gate closed or open")
    return [row if numpy.isfinite(row["memory (steps)"]) else row | {"memory (steps)": None} for row in rows]


def _write_arrays(gates: dict[str, Any], folder: Path) -> Path:
    """Write the gates as gates.safetensors, [T, H] each, under the names update, reset, candidate and state."""
    import safetensors.numpy

    held = {ARRAYS[name]: numpy.ascontiguousarray(values) for name, values in gates.items()}
    write_atomically(folder / "gates.safetensors", safetensors.numpy.save(held))
    return folder / "gates.safetensors"


def _shown(values: Any) -> str:
    T, H = values.shape
    left_out = T > MOST_STEPS or H > MOST_UNITS
    return f", the first {min(T, MOST_STEPS)} of {T} steps and {min(H, MOST_UNITS)} of {H} units" if left_out else ""
