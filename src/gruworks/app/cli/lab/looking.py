"""`gruworks lab trace` beyond number lines: the gates of a run, of a text, of numbers through a fresh unit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy

from gruworks.app.cli.common.show import Show
from gruworks.training.runs import new_run_path, write_atomically

if TYPE_CHECKING:
    from gruworks.lab.gates import Look

__all__ = ["gates_of_numbers", "show_look", "show_memory", "write_arrays"]

MOST_STEPS, MOST_UNITS = 40, 8  # what a table in a terminal holds
NAMES = {"z_t": "update gate", "r_t": "reset gate", "h̃_t": "candidate", "h_t": "state"}


def gates_of_numbers(numbers: list[float], hidden: int, reset: Any, seed: int) -> Look:
    """The gates of an untrained unit that reads the numbers as they are."""
    import torch

    from gruworks.lab.gates import fresh

    x = torch.tensor(numbers, dtype=torch.float64)[:, None, None]
    return fresh(x, [f"{value:.4g}" for value in numbers], f"{len(numbers)} numbers", hidden, reset, seed)


def show_look(show: Show, look: Look, out: Path | None) -> None:
    """Print the gates as far as they fit, each unit's memory and saturation, and write picture and arrays."""
    from gruworks.plots.gates import draw_gates

    folder = out or new_run_path("lab-trace")
    steps = [f"{t}\n{text}" if len(text) < 6 else str(t) for t, text in enumerate(look.reads, 1)]
    picture = draw_gates(look.gates(), folder / "gates.png", steps=steps, title=look.what)
    arrays = write_arrays(look.gates(), folder)
    show.answer(look.what)
    for name, values in look.gates().items():
        form = ".3f" if name in ("z_t", "r_t") else "+.2f"
        rows = [
            {"t": t, "reads": text, **{str(i): f"{value:{form}}" for i, value in enumerate(row[:MOST_UNITS], 1)}}
            for t, (text, row) in enumerate(zip(look.reads, values, strict=True), 1)
        ]
        show.note()
        show.table(rows[:MOST_STEPS], f"{NAMES[name]} {name}{_shown(values)}")
    show.note()
    memory = show_memory(show, look.update, look.reset)
    show.answer(f"picture: {picture}\narrays: {arrays}")
    plain = {name: values.tolist() for name, values in look.gates().items()}
    show.result(
        {
            "what": look.what,
            "reads": look.reads,
            **plain,
            "units": memory,
            "picture": str(picture),
            "arrays": str(arrays),
        }
    )


def show_memory(show: Show, update: Any, reset: Any) -> list[dict[str, Any]]:
    """Each unit's memory in steps, and the share of steps at which its gates are shut or open, as a table."""
    from gruworks.lab.gates import memory_length, saturation

    z_shut, z_open = saturation(update)
    r_shut, r_open = saturation(reset)
    rows = [
        {"unit": unit, "memory (steps)": float(memory), "z < 0.1": float(a), "z > 0.9": float(b),
         "r < 0.1": float(c), "r > 0.9": float(d)}
        for unit, (memory, a, b, c, d) in enumerate(
            zip(memory_length(update), z_shut, z_open, r_shut, r_open, strict=True), 1
        )
    ]  # fmt: skip
    show.table(rows, "memory -1 / mean log(1 - z_t), and the share of steps with a gate shut or open")
    return [row if numpy.isfinite(row["memory (steps)"]) else row | {"memory (steps)": None} for row in rows]


def write_arrays(gates: dict[str, Any], folder: Path) -> Path:
    """Write the gates as gates.safetensors, [T, H] each, under the names update, reset, candidate and state."""
    import safetensors.numpy

    names = dict(zip(("z_t", "r_t", "h̃_t", "h_t"), ("update", "reset", "candidate", "state"), strict=True))
    held = {names[name]: numpy.ascontiguousarray(values) for name, values in gates.items()}
    write_atomically(folder / "gates.safetensors", safetensors.numpy.save(held))
    return folder / "gates.safetensors"


def _shown(values: Any) -> str:
    T, H = values.shape
    left_out = T > MOST_STEPS or H > MOST_UNITS
    return f", the first {min(T, MOST_STEPS)} of {T} steps and {min(H, MOST_UNITS)} of {H} units" if left_out else ""
