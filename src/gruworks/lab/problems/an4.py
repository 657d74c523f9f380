"""AN4 as a task of the lab: 30 ms of speech a step, and the letters by CTC.

13 MFCC a frame, three frames a step, each utterance less its own mean, over the training part's deviation. One speaker
in ten of the training part is what is validated on.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from typing import NamedTuple

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from gruworks.data.catalogue import find
from gruworks.errors import DataError
from gruworks.lab.problems.passes import bucketed, passes
from gruworks.lab.problems.synthetic import Batch
from gruworks.tasks.transcribe.features import parse_mfc

__all__ = ["INPUTS", "OUTPUTS", "Speech", "ctc", "speech"]

COEFFICIENTS, FRAMES = 13, 3
INPUTS = COEFFICIENTS * FRAMES
LETTERS = " abcdefghijklmnopqrstuvwxyz'"  # after the blank, which is 0
OUTPUTS = 1 + len(LETTERS)
ROWS = 20


class Said(NamedTuple):
    """An utterance: steps [T, 39], letters as numbers, who says it."""

    x: NDArray[numpy.float32]
    letters: list[int]
    speaker: str


class Speech(NamedTuple):
    """Training batches by (epoch, index), validation and test batches."""

    draw: Callable[[int, int], Batch]
    valid: list[Batch]
    test: list[Batch]


def ctc(answers: Tensor, y: Tensor) -> Tensor:
    """Nats a letter of answers [N, 29], the steps of all rows, time first; y [B, 1 + L]: steps, then letters, then -1.

    Connectionist temporal classification (Graves et al. 2006).
    """
    steps, letters = y[:, 0], y[:, 1:]
    mask = torch.arange(int(steps.max()))[:, None] < steps
    scores = answers.new_zeros(*mask.shape, answers.shape[-1]).masked_scatter(mask[..., None], answers)
    lengths = (letters >= 0).sum(1)
    lost = functional.ctc_loss(scores.log_softmax(-1), letters.clamp(min=0), steps, lengths, reduction="sum")
    return lost / lengths.sum()


def speech(rows: int, per_epoch: int, seed: int, parts: tuple[list[Said], list[Said]] | None = None) -> Speech:
    """Batches of `rows` utterances, x [T, B, 39], all their steps asked; y as `ctc` takes it.

    Args:
        parts: training and test part; AN4's if none are given.
    """
    learnt, test = parts or _read()
    deviation = numpy.concatenate([one.x - one.x.mean(0) for one in learnt]).std(0) + 1e-5
    speakers = sorted({one.speaker for one in learnt})
    held = set(speakers[::10])

    def batch(said: list[Said]) -> Batch:
        x = torch.zeros(max(len(one.x) for one in said), len(said), INPUTS)
        y = torch.full((len(said), 1 + max(len(one.letters) for one in said)), -1)
        asked = torch.zeros(x.shape[:2], dtype=torch.bool)
        for row, one in enumerate(said):
            x[: len(one.x), row] = torch.from_numpy((one.x - one.x.mean(0)) / deviation)
            asked[: len(one.x), row] = True
            y[row, 0] = len(one.x)
            y[row, 1 : 1 + len(one.letters)] = torch.tensor(one.letters)
        return Batch(x, asked, y)

    def listed(said: list[Said]) -> list[Batch]:
        ordered = sorted(said, key=_length)
        return [batch(ordered[i : i + ROWS]) for i in range(0, len(ordered), ROWS)]

    own = [one for one in learnt if one.speaker not in held]
    chosen = passes(
        len(own), rows, per_epoch, "utterances", lambda number: bucketed(own, rows, _length, (seed, number))
    )

    def draw(epoch: int, index: int) -> Batch:
        return batch(chosen(epoch, index))

    return Speech(draw, listed([one for one in learnt if one.speaker in held]), listed(test))


def _read() -> tuple[list[Said], list[Said]]:
    path = find("an4")["an4-mfcc.tar.gz"]

    def part(name: str) -> list[Said]:
        ids = held[f"an4/etc/an4_{name}.fileids"].decode().split()
        lines = held[f"an4/etc/an4_{name}.transcription"].decode().splitlines()
        return [
            Said(_steps(held[f"an4/feat/{one}.mfc"], one), _letters(line), one.split("/")[1])
            for one, line in zip(ids, lines, strict=True)
        ]

    try:
        with tarfile.open(path) as archive:
            held = {one.name: archive.extractfile(one).read() for one in archive if one.isfile()}  # type: ignore[union-attr]
        return part("train"), part("test")
    except (tarfile.TarError, OSError, EOFError, KeyError, ValueError, IndexError) as error:
        raise DataError(f"{path} is not AN4's features with its lists: {error!r}") from error


def _length(one: Said) -> int:
    return len(one.x)


def _steps(content: bytes, name: str) -> NDArray[numpy.float32]:
    """Three frames of a Sphinx feature file a step; what is left is left out."""
    frames = parse_mfc(content, COEFFICIENTS, name)
    return frames[: len(frames) // FRAMES * FRAMES].reshape(-1, INPUTS)


def _letters(line: str) -> list[int]:
    text = line.rpartition("(")[0].replace("<s>", "").replace("</s>", "").strip().lower()
    return [1 + LETTERS.index(letter) for letter in text]
