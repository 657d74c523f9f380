"""A model of each task, exported to ONNX, beside its original on 100 random real inputs of other batches and lengths.

    python benchmarks/bench_exchange_runs.py [RUN ...]

RUN: trained runs, used in the place of the short fits that are made here otherwise (default sizes, 20 steps: agreement
is a matter of sizes and data, not of skill). Data: Seattle's weather, Tiny Shakespeare, Multi30k, FSDD.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import generation
import numpy
import onnxruntime
import pandas
import speech
import torch
import translation
from record import record, write

from gruworks import Forecaster, Generator, Transcriber, Translator
from gruworks.data.catalogue import seattle_weather
from gruworks.data.text import Document
from gruworks.tasks import registry
from gruworks.tasks.transcribe.audio import read_audio
from gruworks.tasks.transcribe.features import FEATURE_FILES, filter_bank, read_features
from gruworks.tasks.translate.data import padded

COUNT = 100
SHORT: dict[str, Any] = {"steps": 20, "validate_every": 10}
Graphs = dict[str, Callable[..., dict[str, Any]]]
Pairs = Iterator[tuple[Any, Any]]
rng = numpy.random.default_rng(0)


def graphs(folder: Path) -> Graphs:
    """Each graph of an export as a function of its inputs by name."""
    found: Graphs = {}
    for name in json.loads((folder / "model.json").read_text(encoding="utf-8"))["graphs"]:
        session = onnxruntime.InferenceSession(folder / f"{name}.onnx")
        outputs, inputs = [one.name for one in session.get_outputs()], [one.name for one in session.get_inputs()]
        found[name] = lambda s=session, o=outputs, i=inputs, **feed: dict(
            zip(o, s.run(o, {name: feed[name] for name in i}), strict=True)
        )
    return found


def forecast(run: Path | None, folder: Path) -> Pairs:
    """Stretches of the temperatures, in units of their mean change."""
    frame = pandas.read_csv(seattle_weather(), parse_dates=["date"])
    settings = {"horizon": 14, "time": "date", "target": "temp_max"}
    one = Forecaster.load(run) if run else Forecaster(**settings, **SHORT).fit(frame, quiet=True)
    one.export(folder)
    model = graphs(folder)["model"]
    for _ in range(COUNT):
        first, rows = int(rng.integers(0, 400)), int(rng.integers(30, 900))
        piece = frame[first : first + rows]
        y, stamps = piece["temp_max"].to_numpy(float), piece["date"].to_numpy().astype("datetime64[us]")
        expected = one.predict(piece)[["y_hat-lo-80", "y_hat", "y_hat-hi-80"]].to_numpy()
        scale = numpy.abs(numpy.diff(y)).mean()
        found = model(y=y[None], positions=one.frequency.positions(stamps)[None])["quantiles"][0]
        yield found / scale, expected / scale


def generate(run: Path | None, folder: Path) -> Pairs:
    """Stretches of the play, the state carried from one piece to the next in the graph."""
    text = generation.text("tinyshakespeare.txt")
    one = Generator.load(run) if run else Generator(**SHORT).fit([Document(text)], quiet=True)
    one.export(folder)
    model, says = graphs(folder)["model"], json.loads((folder / "model.json").read_text(encoding="utf-8"))
    for _ in range(COUNT):
        B, T, cut = (int(rng.integers(low, high)) for low, high in ((1, 9), (20, 200), (1, 19)))
        starts = rng.integers(0, len(text) - T, B)
        tokens = numpy.stack([one.codec.vocabulary.encode(text[start : start + T]) for start in starts], 1)
        with torch.no_grad():
            features, _ = one.model(torch.from_numpy(tokens))
            expected = one.model.scores(features).log_softmax(-1).numpy()
        state = {name: value.numpy() for name, value in one.model.empty(B).items()}
        first = model(tokens=tokens[:cut], **state)
        carried = {into: first[out] for out, into in says["graphs"]["model"]["carried"].items()}
        rest = model(tokens=tokens[cut:], **carried)
        yield numpy.concatenate([first["log_probabilities"], rest["log_probabilities"]]), expected


def translate(run: Path | None, folder: Path) -> Pairs:
    """Captions with their translations, read at once and symbol by symbol."""
    train, _ = translation.multi30k("de", "en", "val")
    test, _ = translation.multi30k("de", "en", "test_2016_flickr")
    one = Translator.load(run) if run else Translator(**SHORT).fit(train, quiet=True)
    one.export(folder)
    parts, says = graphs(folder), json.loads((folder / "model.json").read_text(encoding="utf-8"))
    sides = list(zip(test.sources, test.targets, strict=True))
    done = 0
    while done < COUNT:
        chosen = [sides[i] for i in rng.integers(0, len(sides), rng.integers(1, 9))]
        done += len(chosen)
        sources, targets = zip(*chosen, strict=True)
        batch = padded(one.codec.source.encode_all(sources), one.codec.target.encode_all(targets))
        tokens = batch["target"][:, :-1]
        with torch.no_grad():
            features, _ = one.net.read(one.net.encode(batch["source"], batch["source_lengths"]), tokens)
            expected = one.net.scores(features).log_softmax(-1).transpose(0, 1).numpy()
        memory = parts["encoder"](source=batch["source"].numpy(), lengths=batch["source_lengths"].numpy())
        state = {name: memory[name][:, None] for name in says["graphs"]["decoder"]["carried"].values()}
        if "reader" in parts:
            yield parts["reader"](tokens=tokens.numpy(), **memory)["log_probabilities"], expected
        for t in range(tokens.shape[1]):
            answer = parts["decoder"](tokens=tokens[:, t : t + 1].numpy(), **(memory | state))
            state = {into: answer[out] for out, into in says["graphs"]["decoder"]["carried"].items()}
            yield answer["log_probabilities"][:, 0], expected[:, t]


def transcribe(run: Path | None, folder: Path) -> Pairs:
    """Recordings in ragged batches; where the model streams, in chunks too."""
    with tempfile.TemporaryDirectory() as name:
        one = Transcriber.load(run) if run else None
        given = one is not None and one.codec.rate is None
        rows = (
            [u for part in speech.an4(Path(name)) for u in part] if given else [u for u, *_ in speech.fsdd(Path(name))]
        )
        if one is None:
            one = Transcriber(streaming=True, **SHORT).fit(rows[::10], quiet=True)
        one.export(folder)
        parts, done = graphs(folder), 0
        while done < COUNT:
            chosen = [rows[i] for i in rng.integers(0, len(rows), rng.integers(1, 9))]
            done += len(chosen)
            yield from heard(one, parts, [frames(one, row.path) for row in chosen])


def frames(one: Transcriber, path: Path) -> Any:
    if path.suffix in FEATURE_FILES:
        return read_features(path, one.config.coefficients)
    return filter_bank(read_audio(path, one.codec.rate), one.codec.rate, one.config.bands)


def heard(one: Transcriber, parts: Graphs, given: list[Any]) -> Pairs:
    rows = torch.nn.utils.rnn.pad_sequence([torch.from_numpy(f) for f in given], batch_first=True)
    lengths = torch.tensor([len(f) for f in given])
    normal = (rows - torch.from_numpy(one.codec.normaliser.mean)) / torch.from_numpy(one.codec.normaliser.deviation)
    with torch.no_grad():
        expected, steps = one.model(normal, lengths)
    found = parts["model"](frames=rows.numpy(), lengths=lengths.numpy())
    for row, other, count in zip(found["log_probabilities"], expected.numpy(), steps.tolist(), strict=True):
        yield row[:count], other[:count]
    if "stream" not in parts:
        return
    chunk = one.config.chunk * one.model.stride
    for frames, other, count in zip(given, expected.numpy(), steps.tolist(), strict=True):
        state = {name: value.numpy() for name, value in one.model.start(1).items()}
        pieces = []
        for start in range(0, len(frames), chunk):
            piece = frames[None, start : start + chunk]
            last = numpy.array([start + chunk >= len(frames)])
            answer = parts["stream"](frames=piece, lengths=numpy.array([piece.shape[1]]), last=last, **state)
            state = {name: answer[f"next.{name}"] for name in state}
            pieces.append(answer["log_probabilities"][0, : answer["steps"][0]])
        yield numpy.concatenate(pieces), other[:count]


def main() -> None:
    runs = {json.loads((Path(run) / "run.json").read_text())["task"]: Path(run) for run in sys.argv[1:]}
    records = []
    for task in registry.TASKS:
        with tempfile.TemporaryDirectory() as folder:
            pairs = globals()[task](runs.get(task), Path(folder) / "onnx")
            worst, count = 0.0, 0
            for found, expected in pairs:
                worst, count = max(worst, float(numpy.abs(found - expected).max())), count + 1
        note = (
            f"{count} comparisons over {COUNT} random real inputs; {'a trained run' if task in runs else 'a short fit'}"
        )
        records.append(record(f"exchange-table/exported/{task}/abs", worst, note=note))
        print(task, f"{worst:.3g}", note)
    for one in records:
        one["command"] = "python benchmarks/bench_exchange_runs.py" + " RUN" * len(runs)  # the command names no folders
    write("exchange_runs", records)


if __name__ == "__main__":
    main()
