"""Shared parts of the text generation recipes: data, a fit that resumes, sums of nats, records."""

import argparse
import gzip
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import torch
from record import RESULTS

from gruworks import Generator
from gruworks.data.catalogue import data_folder
from gruworks.data.text import Document
from gruworks.errors import DataError
from gruworks.tasks.generate.data import Codec, padded
from gruworks.tasks.generate.decoding import log_probabilities
from gruworks.tasks.generate.fitting import weight

__all__ = ["Outcome", "apart", "arguments", "carried", "codec_of", "fitted", "outcome", "parameters", "poems"]
__all__ += ["recorded", "text", "windows"]


@dataclass(frozen=True)
class Outcome:
    """A network's perplexity, the facts of its fit for a record, and a sentence about it."""

    perplexity: float
    facts: dict[str, Any]
    told: str


def arguments(about: str | None, minutes: float) -> argparse.ArgumentParser:
    """--minutes, --threads, --seed and --out; the same --out goes on with what was cut off."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--minutes", type=float, default=minutes, help="of training at most")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="run folder, needed for a fit; an unfinished one is gone on with")
    return parser


def text(name: str) -> str:
    """A text of the data folder."""
    return _found(name).read_text(encoding="utf-8")


def poems(remainders: set[int]) -> list[Document]:
    """The Tang poems whose place modulo 20 is one of `remainders`, a line of the text for each line of the poem."""
    rows = gzip.decompress(_found("tang-poems.jsonl.gz").read_bytes()).decode().splitlines()
    chosen = [json.loads(row) for place, row in enumerate(rows) if place % 20 in remainders]
    return [Document("".join(f"{line}\n" for line in one["lines"]), one["title"]) for one in chosen]


def fitted(
    settings: dict[str, Any], learnt: list[Document], held_out: list[Document], options: argparse.Namespace
) -> Generator:
    """The generator of the run folder `--out`: loaded if its fit is done, gone on with if begun, else fitted anew."""
    if options.out is None:
        raise SystemExit("--out must name the run folder of the fit")
    run = options.out / "run.json"
    state = json.loads(run.read_text())["state"] if run.exists() else None
    if state == "fitted":
        return Generator.load(options.out)
    generator = Generator(
        **settings, minutes=options.minutes, threads=options.threads, seed=options.seed, patience=1000
    )
    return generator.fit(
        learnt, validation=held_out, out=options.out, resume=state is not None, quiet=not sys.stderr.isatty()
    )


def codec_of(settings: dict[str, Any], learnt: list[Document]) -> Codec:
    """The codec of a generator that learns these documents, without a fit."""
    return Codec.of(learnt, Generator(**settings).config)


def outcome(generator: Generator, perplexity: float, options: argparse.Namespace) -> Outcome:
    """Facts of a fit for its record."""
    fit = generator.metrics
    facts = {"parameters": parameters(generator), "minutes": fit["minutes"], "threads": options.threads}
    steps = f"{fit['steps']} steps, best at {fit['best_step']}, {fit['ended_by']}"
    return Outcome(perplexity, {"seeds": 1, **facts}, f"seed {options.seed}, {steps}")


def recorded(name: str, figure: str) -> Outcome:
    """The network of a recorded ratio to a baseline, its value times the baseline: for a baseline that is renewed."""
    records = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    old = next(one for one in records if one["id"] == figure)
    facts = {key: old[key] for key in ("seeds", "parameters", "minutes", "threads")}
    told = old["note"][old["note"].index("seed ") :]
    if "network of" not in told:
        told += f"; network of the record at commit {old['commit'][:8]} ({old['machine']}), its baseline renewed"
    return Outcome(old["value"] * old["baseline"], facts, told)


def parameters(generator: Generator) -> int:
    return sum(p.numel() for p in generator.model.parameters())


def carried(generator: Generator, held_out: str) -> float:
    """Mean nats of each symbol of `held_out` but the first, the state carried from its first to its last."""
    ids = generator.codec.vocabulary.encode(held_out)
    return -float(log_probabilities(generator.model, ids).astype(float).mean())


@torch.no_grad()
def apart(generator: Generator, documents: list[Document], titled: bool = False) -> float:
    """Mean nats of each symbol of documents that are read apart, their end symbols counted."""
    read = sorted((generator.codec.encode(one, titled) for one in documents), key=lambda one: len(one[0]))
    total, count = 0.0, 0
    for start in range(0, len(read), 64):
        batch = padded(read[start : start + 64])
        features, _ = generator.model.eval()(batch["tokens"])
        total += float(generator.model.losses(features, batch["targets"]).double().sum())
        count += weight(batch)
    return total / count


@torch.no_grad()
def windows(generator: Generator, held_out: str, length: int = 256) -> float:
    """Mean nats over all windows that don't overlap, each from an empty state and without its first symbol."""
    ids = generator.codec.vocabulary.encode(held_out)
    count = (len(ids) - 1) // length
    read = numpy.arange(count)[None] * length + numpy.arange(length + 1)[:, None]
    tokens = torch.from_numpy(ids[read])
    features, _ = generator.model.eval()(tokens[:-1])
    return float(generator.model.losses(features, tokens[1:]).double().mean())


def _found(name: str) -> Path:
    folder = data_folder()
    if folder is None:
        raise DataError("set GRUWORKS_DATA to the folder of data sets")
    return folder / "text" / name
