"""gruworks.GRUCell and one-step GRUs against torch's own at B = 1, I = H: a call's time, forward and training.

    python benchmarks/bench_cell.py [--rounds 31] [--quick]

Both run by turns in one process, the median of all rounds each; plain modules, the same weights throughout, torch's
threads set to one and to two, every build of the kernels above the portable one. Training is a call and its backward
from a ready gradient of the new state to x, the state and all weights. The figure recurrence/cell-b1-torch/ratio is
the worst of GRUCell's forward calls without gradients, H from 64 to 512. Writes benchmarks/results/cell.json.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from record import record, write

import gruworks
from gruworks.ops.backend import native

WIDTHS = (4, 16, 32, 64, 100, 128, 256, 512, 1024)
ROUND = 2e-3  # seconds


def cell(module: Any, H: int, train: bool) -> Callable[[], Any]:
    torch.manual_seed(0)
    own, x, h = module.GRUCell(H, H), torch.randn(1, H), torch.randn(1, H)
    if not train:
        return lambda: own(x, h)
    operands, grad = (x.requires_grad_(), h.requires_grad_(), *own.parameters()), torch.ones(1, H)
    return lambda: torch.autograd.grad(own(x, h), operands, grad)


def one_step(module: Any, H: int, train: bool) -> Callable[[], Any]:
    torch.manual_seed(0)
    own, x, h = module.GRU(H, H), torch.randn(1, 1, H), torch.randn(1, 1, H)
    if not train:
        return lambda: own(x, h)
    operands, grad = (x.requires_grad_(), h.requires_grad_(), *own.parameters()), torch.ones(1, 1, H)
    return lambda: torch.autograd.grad(own(x, h)[0], operands, grad)


def seconds(run: Callable[[], Any], times: int) -> float:
    begun = time.perf_counter()
    for _ in range(times):
        run()
    return (time.perf_counter() - begun) / times


def medians(make: Callable[..., Callable[[], Any]], H: int, train: bool, rounds: int) -> tuple[float, float]:
    """Microseconds of a call, ours and torch's."""
    with torch.set_grad_enabled(train):
        runs = [make(module, H, train) for module in (gruworks, torch.nn)]
        for run in runs:
            seconds(run, 20)
        times = [max(1, int(ROUND / seconds(run, 20))) for run in runs]
        taken: list[list[float]] = [[], []]
        for _ in range(rounds):
            for own, run, n in zip(taken, runs, times, strict=True):
                own.append(seconds(run, n))
    return statistics.median(taken[0]) * 1e6, statistics.median(taken[1]) * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=31)
    parser.add_argument("--quick", action="store_true", help="H = 64 and 512 alone")
    asked = parser.parse_args()
    builds = [name for name in native.builds() if name != "portable"]
    records, worst = [], (float("inf"), "")
    for build, threads, kind, train in itertools.product(builds, (1, 2), (cell, one_step), (False, True)):
        native.choose_build(build)
        torch.set_num_threads(threads)
        for H in (64, 512) if asked.quick else WIDTHS:
            ours, theirs = medians(kind, H, train, asked.rounds)
            name = "cell" if kind is cell else "gru"
            where = f"{build}, {threads} thread{'s' * (threads > 1)}, H = {H}"
            figure = f"{name}-b1/{build}/t{threads}/{'train' if train else 'fwd'}/h{H}/us"
            note = f"I = H, {theirs / ours:.2f} times as fast as torch.nn"
            records.append(record(figure, round(ours, 2), baseline=round(theirs, 2), threads=threads, note=note))
            print(f"{figure:36}{ours:9.2f}  torch {theirs:9.2f}  {theirs / ours:.2f}", flush=True)
            if name == "cell" and not train and 64 <= H <= 512:
                worst = min(worst, (theirs / ours, where))
    note = f"GRUCell, B = 1, I = H, no_grad, one and two threads, builds {', '.join(builds)}; worst at {worst[1]}"
    records.append(record("recurrence/cell-b1-torch/ratio", round(worst[0], 3), note=note))
    write("cell", records)


if __name__ == "__main__":
    main()
