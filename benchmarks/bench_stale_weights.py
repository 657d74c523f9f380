"""Patterned writes to weights between calls of gruworks.GRU: how many calls still use weights packed before.

    python benchmarks/bench_stale_weights.py [--tried 1000000] [--seed 0]

Each write is one that a weak content hash takes for none: two entries at a distance (every distance of a matrix in
turn) exchanged, negated, one doubled and one halved, one bit added here and taken there; rows, columns, blocks and
stripes exchanged, rotated, negated, set to zero or a constant; the same change in several lanes; entries of the two
matrices exchanged. They are written through `.data`, a NumPy view, or by another process into shared memory, into
random, two-valued and constant weights of sizes 8 to 512, float32 and float64, on every build that the processor has,
before forward and before training calls that are long enough to use packed weights.

An answer (training: the gradient of the input too) whose bits are those before the write is held against a new module
with copies of the weights. Where that differs the answer was stale; where not, the write was too small to see and
doesn't count. One call in 500 is held against a new module anyway. Writes benchmarks/results/stale_weights.json.
"""

from __future__ import annotations

import argparse
import itertools
import math
import mmap
import multiprocessing
import time
from typing import Any

import numpy
import torch
from record import record, write
from stale_writes import KINDS, Edit, Entries, edits

from gruworks import GRU
from gruworks.ops.backend import native

SIZES = (8, 17, 32, 64, 100, 128, 256, 512)
SHARES = {256: 0.2, 512: 0.05}  # of the trials that a smaller size gets
STEPS = 16  # of a call: long enough to use packed weights
VISIBLE = 0.8  # of the writes, at least
CASES = (("random", False), ("two values", False), ("constant", False), ("random", True))  # first weights, training


class Writer:
    """Another process, which writes into memory that it shares with this one."""

    def __init__(self, memory: mmap.mmap) -> None:
        context = multiprocessing.get_context("fork")
        self.end, theirs = context.Pipe()
        self.process = context.Process(target=_obey, args=(memory, theirs), daemon=True)
        self.process.start()

    def write(self, edit: Edit) -> None:
        self.end.send(edit)
        self.end.recv()

    def close(self) -> None:
        self.end.send(None)
        self.process.join()


def _obey(memory: mmap.mmap, end: Any) -> None:
    while (edit := end.recv()) is not None:
        indices, values = edit
        numpy.frombuffer(memory, values.dtype)[indices] = values
        end.send(True)


class Subject:
    """A layer whose weights lie end to end in shared memory, and the answer of its last call."""

    def __init__(self, H: int, dtype: Any, case: tuple[str, bool], seed: int, memory: mmap.mmap) -> None:
        self.H = H
        self.fill, self.training = case
        self.draw = numpy.random.default_rng(seed)
        self.gru = GRU(H, H, dtype=torch.from_numpy(numpy.empty(0, dtype)).dtype)
        sizes = [p.numel() for p in self.gru.parameters()]
        self.all: Entries = numpy.frombuffer(memory, dtype, sum(sizes))
        for parameter, begin, size in zip(
            self.gru.parameters(), itertools.accumulate([0, *sizes]), sizes, strict=False
        ):
            parameter.data = torch.from_numpy(self.all[begin : begin + size]).view(parameter.shape)
        self.matrix = 3 * H * H
        self.x = torch.from_numpy(self.draw.standard_normal((STEPS, 1, H)).astype(dtype)).requires_grad_(self.training)
        self.fresh_weights()

    def fresh_weights(self) -> None:
        bound = 1 / math.sqrt(self.H)
        values = self.draw.uniform(-bound, bound, self.all.size)
        if self.fill == "two values":
            values = numpy.where(values < 0, -bound, bound)
        self.all[:] = bound if self.fill == "constant" else values
        self.answer = self.call(self.gru)

    def call(self, gru: GRU) -> bytes:
        if not self.training:
            with torch.no_grad():
                return bytes(gru(self.x)[0].numpy())
        output = gru(self.x)[0]
        (grad,) = torch.autograd.grad(output.sum(), self.x)
        return bytes(output.detach().numpy()) + bytes(grad.numpy())

    def expected(self) -> bytes:
        """Results of weights that were never packed before."""
        other = GRU(self.H, self.H, dtype=self.x.dtype)
        for mine, theirs in zip(other.parameters(), self.gru.parameters(), strict=True):
            mine.data = theirs.detach().clone()
        return self.call(other)

    def write(self, edit: Edit, writer: Writer | None, way: int) -> None:
        indices, values = edit
        if writer and way % 20 == 0:
            writer.write(edit)
        elif way % 2:
            self.all[indices] = values
        else:
            for number, parameter in enumerate((self.gru.weight_ih_l0, self.gru.weight_hh_l0)):
                own = (indices >= number * self.matrix) & (indices < (number + 1) * self.matrix)
                flat = parameter.data.view(-1)
                flat[torch.from_numpy(indices[own] - number * self.matrix)] = torch.from_numpy(values[own])


def stale(s: Subject, writer: Writer | None, trials: int) -> tuple[int, int]:
    """Number of stale answers, and of writes that must be detected."""
    found = tried = 0
    for trial, edit in enumerate(itertools.islice(edits(s.all, s.H, s.draw), trials)):
        if trial % 300 == 299:
            s.fresh_weights()
            continue  # the edit was made for the weights before
        s.write(edit, writer, trial)
        answer, earlier = s.call(s.gru), s.answer
        s.answer = answer
        expected = s.expected() if answer == earlier or trial % 500 == 0 else answer
        found += answer != expected
        tried += expected != earlier
    return found, tried


def count(tried: int, seed: int, sizes: tuple[int, ...] = SIZES, processes: bool = True) -> tuple[int, int]:
    """Stale answers and visible writes over all builds, types, sizes, first weights and kinds of call."""
    cases = list(itertools.product(native.builds(), (numpy.float32, numpy.float64), sizes))
    weight = sum(SHARES.get(H, 1) for _, _, H in cases) * VISIBLE
    memory = mmap.mmap(-1, 8 * (6 * max(sizes) ** 2 + 6 * max(sizes)))
    writer = Writer(memory) if processes else None
    total, chosen = (0, 0), native.build()
    try:
        for number, (build, dtype, H) in enumerate(cases):
            native.choose_build(build)
            trials = int(tried / weight * SHARES.get(H, 1) / len(CASES)) + 1
            for part, case in enumerate(CASES):
                found, seen = stale(Subject(H, dtype, case, seed + 4 * number + part, memory), writer, trials)
                total = total[0] + found, total[1] + seen
            print(f"{build:9}{dtype.__name__:9}{H:5}: {total[0]} stale of {total[1]:,} so far", flush=True)
    finally:
        native.choose_build(chosen)
        if writer:
            writer.close()
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tried", type=int, default=1_000_000, help="writes that must be seen, about")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    begun = time.perf_counter()
    found, tried = count(asked.tried, asked.seed)
    builds = ", ".join(native.builds())
    note = f"{KINDS} kinds of writes, sizes {SIZES[0]} to {SIZES[-1]}, float32 and float64, builds {builds}"
    facts = {"tried": tried, "note": note, "minutes": round((time.perf_counter() - begun) / 60, 1), "threads": 1}
    write("stale_weights", [record("trust/stale-weights/count", found, **facts)])


if __name__ == "__main__":
    main()
