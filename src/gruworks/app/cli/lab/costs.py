"""`gruworks lab cost`: parameters, operations and time of a step of each cell at a given size."""

from __future__ import annotations

import statistics
import time
from typing import Annotated, Any

import typer

from gruworks.app.cli.common.show import Show

__all__ = ["cost"]

STEPS, ROUNDS = 200, 7
CELLS = "rnn,gru,lstm,mingru"


def cost(
    show: Show,
    input_size: Annotated[int, typer.Option("--input", min=1, help="Input size: number of features a step.")] = 64,
    hidden_size: Annotated[int, typer.Option("--hidden", min=1, help="Hidden size.")] = 128,
    batch: Annotated[int, typer.Option(min=1, help="Batch size of the measured forward pass.")] = 1,
    cells: Annotated[str, typer.Option(help="Names of the cells, separated by commas.")] = CELLS,
) -> None:
    """Parameters, operations and time of a step of each cell, at your sizes and on this machine."""
    from gruworks.nn.flops import cost as counted

    rows = []
    for name in (part.strip() for part in cells.split(",") if part.strip()):
        one = counted(name, input_size, hidden_size)
        rows.append({"cell": name, "parameters": one.parameters, "kB in float32": round(4 * one.parameters / 1000, 1),
                     "operations a step": one.operations,
                     "µs a step": round(_microseconds(name, input_size, hidden_size, batch), 2)})  # fmt: skip
    show.table(rows)
    show.note(f"\ntime: median of {ROUNDS} forward passes over {STEPS} steps, batch size {batch}, float32, inference")
    show.result({"input_size": input_size, "hidden_size": hidden_size, "batch": batch, "cells": rows})


def _microseconds(name: str, input_size: int, hidden_size: int, batch: int) -> float:
    """Median time of a step, in a forward pass of `STEPS` steps."""
    import torch

    from gruworks.nn.cells import make

    cell: Any = make(name, input_size, hidden_size).eval()
    x, times = torch.randn(STEPS, batch, input_size), []
    with torch.no_grad():
        cell(x)
        for _ in range(ROUNDS):
            begun = time.perf_counter()
            cell(x)
            times.append(time.perf_counter() - begun)
    return statistics.median(times) / STEPS * 1e6
