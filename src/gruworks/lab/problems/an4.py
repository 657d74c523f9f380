"""AN4 as a task of the lab: recognition of letters by CTC, with 30 ms of speech per step.

Features are 13 MFCCs per frame, three frames per step, normalized by the mean of the utterance and the standard
deviation of the training part. One speaker in ten of the training part is held out for validation.
"""

from __future__ import annotations

import math
import tarfile
from typing import NamedTuple

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from gruworks.data.catalogue import find
from gruworks.errors import DataError
from gruworks.lab.problems.batches import Batch, Problem, bucketed, by_length
from gruworks.tasks.transcribe.features import parse_mfc

__all__ = ["INPUTS", "OUTPUTS", "ctc", "speech"]

COEFFICIENTS, FRAMES = 13, 3
INPUTS = COEFFICIENTS * FRAMES
LETTERS = " abcdefghijklmnopqrstuvwxyz'"  # after the blank, which is 0
OUTPUTS = 1 + len(LETTERS)
ROWS = 20


class Said(NamedTuple):
    """An utterance: features [T, 39], letters as class indices, the speaker."""

    x: NDArray[numpy.float32]
    letters: list[int]
    speaker: str


def ctc(answers: Tensor, y: Tensor) -> Tensor:
    """CTC loss in nats per letter (Graves et al. 2006).

    Args:
        answers: logits [N, 29] of the valid steps of all rows, time first.
        y: targets [B, 1 + L]: the number of steps of each row, its letters, and -1 as padding.
    """
    steps, letters = y[:, 0], y[:, 1:]
    mask = torch.arange(int(steps.max()))[:, None] < steps
    scores = answers.new_zeros(*mask.shape, answers.shape[-1]).masked_scatter(mask[..., None], answers)
    lengths = (letters >= 0).sum(1)
    lost = functional.ctc_loss(scores.log_softmax(-1), letters.clamp(min=0), steps, lengths, reduction="sum")
    return lost / lengths.sum()


def speech(rows: int, per_epoch: int, seed: int, parts: tuple[list[Said], list[Said]] | None = None) -> Problem:
    """Speech recognition on utterances x [T, B, 39], with targets y as in `ctc`.

    Args:
        rows: B, utterances per training batch.
        per_epoch: batches per epoch.
        seed: of the order.
        parts: utterances of the training and the test part; None for AN4.

    Raises:
        OptionError: fewer utterances than a batch. DataError: the archive is missing or damaged.
    """
    learnt, test = parts or _read()
    deviation = numpy.concatenate([one.x - one.x.mean(0) for one in learnt]).std(0) + 1e-5
    speakers = sorted({one.speaker for one in learnt})
    held = set(speakers[::10])

    def batch(said: list[Said]) -> Batch:
        x = pad_sequence([torch.from_numpy((one.x - one.x.mean(0)) / deviation) for one in said])
        asked = pad_sequence([torch.ones(len(one.x), dtype=torch.bool) for one in said])
        targets = [torch.tensor([len(one.x), *one.letters]) for one in said]
        return Batch(x, asked, pad_sequence(targets, batch_first=True, padding_value=-1))

    own = [one for one in learnt if one.speaker not in held]
    draw = bucketed(own, rows, per_epoch, seed, "utterances", _length, batch)
    validation = [one for one in learnt if one.speaker in held]
    valid, tested = (by_length(part, ROWS, _length, batch) for part in (validation, test))
    return Problem(INPUTS, OUTPUTS, draw, valid, tested, math.log(OUTPUTS), ctc)


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
    """Features of a Sphinx file [T, 39], three frames per step, without the remainder."""
    frames = parse_mfc(content, COEFFICIENTS, name)
    return frames[: len(frames) // FRAMES * FRAMES].reshape(-1, INPUTS)


def _letters(line: str) -> list[int]:
    text = line.rpartition("(")[0].replace("<s>", "").replace("</s>", "").strip().lower()
    return [1 + LETTERS.index(letter) for letter in text]
