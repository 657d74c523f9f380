"""Whole-sequence inference with int8 and bfloat16 weights beside float32: figure `layer/int8-sequence/ratio`.

    OMP_NUM_THREADS=1 python benchmarks/bench_int8_sequence.py

(T, B, I, H) = (1000, 1, 256, 256), `gruworks.GRU` under no_grad beside `gruworks.quantize` of it, one thread; by turns,
medians of 41 rounds. Writes benchmarks/results/int8_sequence.json, with the largest difference of the outputs.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
from record import record, write

import gruworks

SIZES = (1000, 1, 256, 256)
ROUNDS = 41


def by_turns(calls: Mapping[str, Callable[[], Any]]) -> dict[str, float]:
    """Median milliseconds of each call."""
    took: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            begun = time.perf_counter()
            call()
            took[name].append((time.perf_counter() - begun) * 1e3)
    return {name: statistics.median(times) for name, times in took.items()}


@torch.no_grad()
def main() -> None:
    T, B, I, H = SIZES  # noqa: E741 (the field's letters)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    gru, x, records = gruworks.GRU(I, H).eval(), torch.randn(T, B, I), []
    small = {name: gruworks.quantize(gru, name) for name in ("int8", "bfloat16")}
    took = by_turns({"float32": lambda: gru(x), **{name: (lambda one=one: one(x)) for name, one in small.items()}})
    for name, one in small.items():
        worst = (one(x)[0] - gru(x)[0]).abs().max().item()
        note = f"{took[name]:.2f} ms against {took['float32']:.2f} in float32; outputs differ by at most {worst:.1e}"
        note += f"; build {one.layers()[0].build}"
        ratio = took["float32"] / took[name]
        records.append(record(f"layer/{name}-sequence/ratio", ratio, threads=1, baseline=took["float32"], note=note))
        print(f"{name:9} {ratio:.2f}  {note}")
    write("int8_sequence", records)


if __name__ == "__main__":
    main()
