"""Streaming on one core: seconds of work for a second of sound, and milliseconds for each 100 ms that come in.

    GRUWORKS_DATA=... python benchmarks/bench_transcribe_stream.py [--seconds 60]

Layers and width of the streaming recipe on AN4, on 40 log-mel bands of FSDD audio at 8 kHz, samples to text, greedy.
The weights are those of an untrained network: what a step costs does not depend on them.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import numpy
import soundfile
import torch
from recipe_transcribe_an4 import KINDS, SETTINGS
from record import record, write
from speech import RATE, fsdd

from gruworks import Transcriber


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    seconds = parser.parse_args().seconds
    torch.set_num_threads(1)
    network = {
        name: (SETTINGS | KINDS["streaming"])[name]
        for name in ("streaming", "channels", "layers", "hidden_size", "lookahead")
    }
    with tempfile.TemporaryDirectory() as folder:
        rows = [one for one, _, _ in fsdd(Path(folder))]
        fitted = Transcriber(**network, steps=1, validate_every=1).fit(rows[:200:5], quiet=True)
        samples = numpy.concatenate([soundfile.read(one.path, dtype="float32")[0] for one in rows])
    samples = samples[: int(seconds * RATE)]
    stream, took = fitted.stream(), []
    for piece in numpy.split(samples, range(RATE // 10, len(samples), RATE // 10)):
        begun = time.perf_counter()
        stream.accept(piece)
        took.append(time.perf_counter() - begun)
    factor = sum(took) / (len(samples) / RATE)
    slowest = 1000 * statistics.quantiles(took, n=20)[-1]
    parameters = sum(p.numel() for p in fitted.model.parameters())
    middle = 1000 * statistics.median(took)
    note = f"{len(samples) / RATE:.0f} s of sound; {1000 * fitted.latency:.0f} ms behind; median {middle:.2f} ms"
    print(factor, slowest, note)
    facts = {"parameters": parameters, "threads": 1, "note": note}
    figures = {"transcribe/stream/rtf": factor, "transcribe/stream/ms-p95-per-100ms": slowest}
    write("transcribe_stream", [record(name, value, **facts) for name, value in figures.items()])


if __name__ == "__main__":
    main()
