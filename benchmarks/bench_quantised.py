"""Streams with bfloat16 and int8 weights beside float32: time of a step, error by width, loss of a character model.

    python benchmarks/bench_quantised.py steps
    python benchmarks/bench_quantised.py loss RUN TEXT [characters]
    python benchmarks/bench_quantised.py tasks TRANSLATOR TRANSCRIBER

`steps`: one thread, one session, H = 64 to 1024, a loop in C++ as in bench_recurrence.py, the precisions by turns and
the smallest of nine rounds; with one input number (figures of recurrence/step-*), and with I = H. The error is that of
the state after 100 steps from zero on Gaussian inputs against float64, weights as torch draws them: its root mean
square.
`loss`: nats a character of a fitted generator of GRU blocks, stepped through the first characters (default 20,000) of
the last tenth of TEXT, which its fit held out.
`tasks`: what rounding every GRU's weights does to a German-English translator (BLEU, Multi30k test 2016), a transcriber
of AN4 (word error rate, greedy) and a forecaster of Seattle's weather that is fitted here (MAE, 14 days). The state is
not rounded here, as it is in int8 streams. Writes benchmarks/results/quantised.json.
"""

from __future__ import annotations

import itertools
import sys
import time
from pathlib import Path
from typing import Any, get_args

import numpy
from record import record, write

from gruworks.ops.quantised import Precision, matrix
from gruworks.ops.stream import GRUStream
from gruworks.ops.weights import GRUWeights

WIDTHS = (64, 128, 256, 512, 1024)
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
ROUNDS = 9


def times(weights: GRUWeights) -> dict[Precision, float]:
    """Microseconds of a step, by precision."""
    streams = {p: GRUStream(weights, threads=1, precision=p) for p in PRECISIONS}
    x = numpy.random.default_rng(0).standard_normal((1, weights.input_size)).astype(numpy.float32)
    steps = max(50, int(2e8 / (weights.w_ih.size + weights.w_hh.size) / 20))
    best = dict.fromkeys(PRECISIONS, float("inf"))
    for _ in range(ROUNDS):
        for p, stream in streams.items():
            stream._native.repeat(x, 20)
            begun = time.perf_counter()
            stream._native.repeat(x, steps)
            best[p] = min(best[p], (time.perf_counter() - begun) / steps * 1e6)
    return best


def errors(weights: GRUWeights) -> dict[Precision, float]:
    """Root mean square of the state's error after 100 steps, by precision."""
    x = numpy.random.default_rng(1).standard_normal((100, 8, weights.input_size))
    true = GRUStream(weights.astype(numpy.float64), 8, threads=1)
    for row in x:
        true.step(row)
    found = {}
    for p in PRECISIONS:
        stream = GRUStream(weights, 8, 1, p)
        for row in x.astype(numpy.float32):
            stream.step(row)
        found[p] = float(numpy.sqrt(((stream.state - true.state) ** 2).mean()))
    return found


def steps() -> None:
    records = []
    for H in WIDTHS:
        for I in (1, H):  # noqa: E741
            weights = GRUWeights.random(I, H).astype(numpy.float32)
            took, wrong = times(weights), errors(weights)
            for p in PRECISIONS:
                ratio = took["float32"] / took[p]
                name = f"quantised/{p}/h{H}/{'i1' if I == 1 else 'ih'}/us"
                note = f"{ratio:.2f} times as fast as float32; RMS error of the state after 100 steps {wrong[p]:.1e}"
                records.append(record(name, took[p], threads=1, baseline=took["float32"], note=note))
                print(f"{name:34} {took[p]:8.3f}  {note}", flush=True)
    narrow = {r["id"]: r["value"] for r in records}
    ratio = narrow["quantised/float32/h256/i1/us"] / narrow["quantised/int8/h256/i1/us"]
    records.append(record("quantised/int8-h256/ratio", ratio, threads=1, note="float32 step over int8 step, I = 1"))
    write("quantised", records)


def loss(run: str, text: str, characters: int) -> None:
    import torch

    from gruworks.tasks.generate.decoding import NetDecoder
    from gruworks.tasks.generate.estimator import Generator
    from gruworks.tasks.generate.stepping import Stepper

    generator = Generator.load(run)
    model: Any = generator.model
    assert generator.codec is not None
    whole = Path(text).read_text(encoding="utf-8")
    held_out = whole[-(len(whole) // 10) :][:characters]
    ids = generator.codec.vocabulary.encode(held_out)
    records, plain = [], 0.0
    for p in PRECISIONS:
        state = NetDecoder(model, []).start(torch.from_numpy(ids[:1]))
        stepper = Stepper(model, state, precision=p)
        begun, total = time.perf_counter(), 0.0
        for here, following in itertools.pairwise(ids):
            scores = stepper.scores(int(here)).astype(numpy.float64)
            total += numpy.log(numpy.exp(scores - scores.max()).sum()) + scores.max() - scores[following]
        nats, each = total / (len(ids) - 1), (time.perf_counter() - begun) / (len(ids) - 1) * 1e6
        plain = plain or nats
        config = generator.config
        note = (
            f"{config.layers} layers of {config.hidden_size}, {len(ids)} held-out characters of {Path(text).name}; "
            f"{(nats / plain - 1) * 100:+.3f} % of float32's loss; {each:.0f} us a character with Python's part"
        )
        records.append(record(f"quantised/loss/{p}/nats", nats, baseline=plain, note=note))
        print(f"{p:10} {nats:.5f}: {note}", flush=True)
        if p == "int8":
            records.append(record("quantised/int8-loss/share", nats / plain, note=note))
    write("quantised", records)


def rounded(model: Any, precision: Precision) -> int:
    """Give every GRU in a torch module the weights that `precision` leaves of its own; how many numbers that were."""
    import torch

    count = 0
    for module in model.modules():
        if isinstance(module, torch.nn.GRU | torch.nn.GRUCell):
            for name, parameter in module.named_parameters(recurse=False):
                if name.startswith("weight_"):
                    stored = matrix(parameter.detach().numpy(), precision)
                    parameter.data = torch.from_numpy(stored.values().copy())
                    count += parameter.numel()
    return count


def tasks(translator: str, transcriber: str) -> None:
    import tempfile

    import pandas
    from speech import an4
    from translation import bleu, multi30k

    from gruworks import Forecaster, Transcriber, Translator
    from gruworks.data.catalogue import seattle_weather

    test, _ = multi30k("de", "en", "test_2016_flickr")
    table = pandas.read_csv(seattle_weather())
    folder = tempfile.TemporaryDirectory()
    utterances = an4(Path(folder.name))[1]

    def translated(p: Precision) -> tuple[float, int]:
        made = Translator.load(translator)
        count = rounded(made.net, p)
        return bleu(made.translate(test.sources, beam_size=10, length_penalty=1.0), test.targets, "none"), count

    def transcribed(p: Precision) -> tuple[float, int]:
        made = Transcriber.load(transcriber)
        count = rounded(made.model, p)
        return 100 * made.evaluate(utterances).wer, count

    def forecast(p: Precision) -> tuple[float, int]:
        made = Forecaster(horizon=14, time="date", target="temp_max").fit(table.iloc[:-364], quiet=True)
        count = rounded(made.model, p)
        return made.evaluate(table, origins=26, quiet=True).ours.mae, count

    records = []
    for name, measure in (("bleu", translated), ("wer", transcribed), ("mae", forecast)):
        plain = 0.0
        for p in PRECISIONS:
            value, count = measure(p)
            plain = plain or value
            note = f"{count:,} weights of GRUs rounded, the state is not"
            records.append(record(f"quantised/tasks/{name}/{p}", value, baseline=plain, note=note))
            print(f"{name} {p}: {value:.4f}; {note}", flush=True)
    folder.cleanup()
    write("quantised", records)


if __name__ == "__main__":
    if sys.argv[1:2] == ["steps"]:
        steps()
    elif sys.argv[1:2] == ["loss"] and len(sys.argv) >= 4:
        loss(sys.argv[2], sys.argv[3], int(sys.argv[4]) if len(sys.argv) > 4 else 20_000)
    elif sys.argv[1:2] == ["tasks"] and len(sys.argv) == 4:
        tasks(sys.argv[2], sys.argv[3])
    else:
        sys.exit(__doc__)
