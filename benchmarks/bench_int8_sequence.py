"""Whole-sequence inference with int8 and bfloat16 weights beside float32: figure `layer/int8-sequence/ratio`.

    OMP_NUM_THREADS=1 python benchmarks/bench_int8_sequence.py

(T, B, I, H) = (1000, 1, 256, 256), `gruworks.GRU` under no_grad beside `gruworks.quantize` of it, one thread; by turns,
medians of 41 rounds. Writes benchmarks/results/int8_sequence.json, with the largest difference of the outputs.
"""

from __future__ import annotations

import torch
from record import record, write
from timing import by_turns

import gruworks

SIZES = (1000, 1, 256, 256)
ROUNDS = 41


@torch.no_grad()
def main() -> None:
    T, B, I, H = SIZES  # noqa: E741 (the field's letters)
    torch.set_num_threads(1)
    torch.manual_seed(0)
    gru, x, records = gruworks.GRU(I, H).eval(), torch.randn(T, B, I), []
    small = {name: gruworks.quantize(gru, name) for name in ("int8", "bfloat16")}
    calls = {"float32": lambda: gru(x), **{name: (lambda one=one: one(x)) for name, one in small.items()}}
    took = by_turns(calls, ROUNDS)
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
