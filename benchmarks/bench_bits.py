"""Rows whose bits differ in exact mode: over batch sizes of 1 to 128, chunks, threads, streams and ragged batches.

    python benchmarks/bench_bits.py

Each layer (both reset forms, float32 and float64, drawn sizes) computes a batch of 128 rows over some steps. A row is
then computed again: in a batch of another size and place, in chunks of drawn lengths, on one and on two threads, step
by step in a stream, and in a ragged batch. Counted are the rows with any differing bit, of all rows computed again, on
every build of the kernel that this processor runs. With --default the mode is off, which shows what it changes.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

import numpy
import torch
from record import record, write

import gruworks
from gruworks.nn.recurrence.threads import torch_threads
from gruworks.ops.backend import backend, native

MOST, LAYERS = 128, 12


def again(gru: gruworks.GRU, x: torch.Tensor, whole: torch.Tensor, rng: Any) -> Iterator[tuple[torch.Tensor, Any]]:
    """Pairs of a row's states: computed again, and as they were."""
    T = len(x)
    for B in (1, 2, 3, 4, 5, 8, 13, 31, 64, 127):
        first = int(rng.integers(MOST - B + 1))
        for threads in (1, 2):
            with torch_threads(threads):
                found, _ = gru(x[:, first : first + B].contiguous())
            yield from zip(found.unbind(1), whole[:, first : first + B].unbind(1), strict=True)
    row = int(rng.integers(MOST))
    state, parts = None, []
    for part in x[:, row : row + 1].split(rng.multinomial(T, [0.2] * 5).tolist()):
        if len(part):
            output, state = gru(part, state)
            parts.append(output)
    yield torch.cat(parts)[:, 0], whole[:, row]
    stream = gruworks.GRUStream(gru.weights().map(lambda w: w.numpy()), sessions=3)
    steps = [torch.from_numpy(stream.step(x[t, :3].numpy()).copy()) for t in range(T)]
    yield from zip(torch.stack(steps).unbind(1), whole[:, :3].unbind(1), strict=True)
    lengths = torch.from_numpy(rng.integers(1, T + 1, MOST))
    ragged, _ = gru(x, lengths=lengths)
    yield from ((ragged[:length, b], whole[:length, b]) for b, length in enumerate(lengths.tolist()))


def count(build: str, exact: bool) -> tuple[int, int]:
    """Differing rows, and rows tried."""
    native.choose_build(build)
    rng, differing, tried = numpy.random.default_rng(0), 0, 0
    torch.manual_seed(0)
    with torch.no_grad(), gruworks.exact(exact):
        for n in range(LAYERS):
            T, I, H = (int(rng.integers(2, most)) for most in (50, 200, 260))  # noqa: E741 (the field's letters)
            dtype = torch.float64 if n % 3 == 2 else torch.float32
            gru = gruworks.GRU(I, H, reset="before" if n % 2 else "after", dtype=dtype)
            x = torch.randn(T, MOST, I, dtype=dtype)
            for one, other in again(gru, x, gru(x)[0], rng):
                differing += not torch.equal(one, other)
                tried += 1
    return differing, tried


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--default", action="store_true", help="without exact mode; nothing is recorded")
    options = parser.parse_args()
    found = {build: count(build, not options.default) for build in native.builds()}
    native.choose_build(backend().name)
    print(found)
    if options.default:
        return
    differing, tried = (sum(values) for values in zip(*found.values(), strict=True))
    note = "; ".join(f"{build} {different} of {rows}" for build, (different, rows) in found.items())
    write("bits", [record("recurrence/bits/differences", differing, tried=tried, note=note)])


if __name__ == "__main__":
    main()
