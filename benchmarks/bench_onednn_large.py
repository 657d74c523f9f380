"""Ours beside oneDNN at (100, 64, 512, 512), forward and training, by turns on all threads.

    GRUWORKS_KERNEL=avx2 ONEDNN_MAX_CPU_ISA=AVX2 python benchmarks/bench_onednn_large.py PROGRAM [--rounds 11]

PROGRAM is built from onednn_gru.cc. The figure is the smaller of two medians, over the rounds, of oneDNN's time over
ours of the same round. Environment: as bench_recurrence.py.
"""

from __future__ import annotations

import argparse
import os
import statistics

import recurrence_engines as engines
import torch
from bench_stacks import Unit, by_module
from record import record, write

import gruworks
from gruworks.ops.backend import backend

UNIT = Unit(100, 64, 512, 512)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("program", help="the program built from onednn_gru.cc")
    parser.add_argument("--rounds", type=int, default=11)
    options = parser.parse_args()
    onednn = engines.OneDnn(options.program)
    shape, found, notes = tuple(UNIT[:4]), [], []
    for kind, train in (("forward", False), ("training", True)):
        run = by_module(gruworks.GRU, UNIT, train)
        pairs = [(engines.least(run, 1500), onednn.least(shape, "after", train, 1500)) for _ in range(options.rounds)]
        ours, theirs = (statistics.median(times) for times in zip(*pairs, strict=True))
        found.append(statistics.median(other / own for own, other in pairs))
        notes.append(f"{kind} ms: gruworks {ours:.1f}, onednn {theirs:.1f}, ratio {found[-1]:.3f}")
        print(notes[-1], flush=True)
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA", "none")
    notes.append(f"build {backend().name}, oneDNN limited to {limit}")
    write("onednn_large", [record("recurrence/onednn-large/ratio", min(found), threads=torch.get_num_threads(),
                                  note="; ".join(notes))])  # fmt: skip


if __name__ == "__main__":
    main()
