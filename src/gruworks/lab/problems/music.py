"""Polyphonic music as piano rolls: prediction of the next chord from those before it.

The four data sets of Boulanger-Lewandowski et al. 2012 in the files of Bai et al. 2018: 88 notes per step, 1 where a
note sounds. A piece of N steps has N - 1 targets; its first step is given.
"""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from gruworks.data.catalogue import find
from gruworks.errors import DataError, OptionError, require
from gruworks.lab.problems.batches import Batch, Draw, Problem, by_length, chunks, passes

__all__ = ["MUSIC", "NOTES", "Music", "batches", "draws", "load", "log_odds", "moved", "piano_rolls"]

MUSIC = {"jsb": "JSB_Chorales", "nottingham": "Nottingham", "muse": "MuseData", "piano": "Piano_midi"}
NOTES = 88

Roll = NDArray[numpy.uint8]


class Music(NamedTuple):
    """The pieces of a data set, each [steps, 88], in the split of its file."""

    train: list[Roll]
    valid: list[Roll]
    test: list[Roll]


def piano_rolls(name: str, rows: int, steps: int, per_epoch: int, seed: int, transpose: int = 0) -> Problem:
    """Next-chord prediction on the data set `name` of MUSIC; further arguments as for `draws`."""
    pieces = load(name)
    draw = draws(pieces.train, rows, steps, per_epoch, seed, transpose)
    valid, test = (batches(part, rows=16) for part in (pieces.valid, pieces.test))
    # Without this bias the states saturate in the first steps to act as one, and training stalls.
    prior = log_odds(pieces.train)
    return Problem(NOTES, NOTES, draw, valid, test, NOTES * math.log(2), negative_log_likelihood, prior)


def negative_log_likelihood(logits: Tensor, y: Tensor) -> Tensor:
    """Nats per step, the sum over the notes, of logits and targets [N, 88]."""
    return functional.binary_cross_entropy_with_logits(logits, y, reduction="sum") / len(y)


def load(name: str) -> Music:
    """The data set `name` of MUSIC, from the file that `data.catalogue` finds.

    Raises:
        OptionError: an unknown name. DataError: the file is missing or holds something else.
        MissingExtraError: scipy, which reads .mat files, is not installed.
    """
    if name not in MUSIC:
        raise OptionError(f"there is no music {name!r}; there is: {', '.join(MUSIC)}")
    path = find("music")[f"{MUSIC[name]}.mat"]
    reader = require("scipy.io", extra="lab")
    try:
        held = reader.loadmat(path)
        parts = [[numpy.asarray(piece) for piece in held[f"{part}data"][0]] for part in ("train", "valid", "test")]
    except (KeyError, IndexError, ValueError, TypeError, OSError) as error:
        raise DataError(f"{path} is not a set of piano rolls (traindata, validdata, testdata): {error!r}") from error
    for piece in (piece for part in parts for piece in part):
        if piece.ndim != 2 or piece.shape[1] != NOTES or not numpy.isin(piece, (0, 1)).all():
            raise DataError(f"{path}: expected pieces [steps, {NOTES}] of 0 and 1, found {list(piece.shape)}")
    return Music(*parts)


def batches(pieces: list[Roll], rows: int) -> list[Batch]:
    """Whole pieces in batches of `rows`, shortest first, padded at their ends, where the mask is False.

    >>> [batch.x.shape for batch in batches([numpy.zeros((5, 88), numpy.uint8)] * 3, rows=2)]
    [torch.Size([4, 2, 88]), torch.Size([4, 1, 88])]
    """
    return by_length([piece for piece in pieces if len(piece) > 1], rows, len, _batch)


def log_odds(pieces: list[Roll]) -> Tensor:
    """Log-odds of each note, [88]; a note that never sounds counts as half a step."""
    steps = sum(len(piece) for piece in pieces)
    sounding = numpy.clip(sum(piece.sum(0, dtype=numpy.int64) for piece in pieces), 0.5, steps - 0.5)
    return torch.from_numpy(numpy.log(sounding / (steps - sounding)).astype(numpy.float32))


def draws(pieces: list[Roll], rows: int, steps: int, per_epoch: int, seed: int, transpose: int = 0) -> Draw:
    """Training batches by (epoch, index) from repeated passes over all pieces.

    Args:
        pieces: piano rolls [steps, 88].
        rows: B, segments per batch.
        steps: longest segment; in each pass the pieces are cut anew, from a random start.
        per_epoch: batches per epoch.
        seed: of order, cuts and transposition.
        transpose: each piece is transposed by at most so many semitones in each pass, as far as its notes stay among
            the 88.

    Raises:
        OptionError: fewer segments than a batch.
    """
    return passes(
        len(_cut(pieces, steps, None)), rows, per_epoch, f"pieces cut at {steps} steps",
        lambda number: _pass(pieces, rows, steps, (seed, number), transpose), _batch,
    )  # fmt: skip


def _pass(pieces: list[Roll], rows: int, steps: int, seed: tuple[int, int], transpose: int) -> list[list[Roll]]:
    """One pass over all pieces in batches of segments of similar length, in random order."""
    rng = numpy.random.default_rng(seed)
    if transpose:
        pieces = [moved(piece, int(rng.integers(-transpose, transpose + 1))) for piece in pieces]
    cut = _cut(pieces, steps, rng)
    rng.shuffle(cut)
    made = chunks(sorted(cut[: len(cut) // rows * rows], key=len), rows)
    rng.shuffle(made)
    return made


def moved(piece: Roll, semitones: int) -> Roll:
    """A piece transposed by `semitones`, or as far as its highest or lowest note allows."""
    sounding = numpy.flatnonzero(piece.any(0))
    if not len(sounding):
        return piece
    return numpy.roll(piece, int(numpy.clip(semitones, -sounding[0], NOTES - 1 - sounding[-1])), axis=1)


def _cut(pieces: list[Roll], steps: int, rng: numpy.random.Generator | None) -> list[Roll]:
    """Segments of at most `steps` targets; with `rng` the first cut is random, so that passes differ."""
    cut = []
    for piece in pieces:
        last = len(piece) - 1
        first = int(rng.integers(1, steps + 1)) if rng is not None and last > steps else steps
        edges = [0, *range(first, last, steps), last]
        cut += [piece[start : end + 1] for start, end in itertools.pairwise(edges) if end > start]
    return cut


def _batch(pieces: list[Roll]) -> Batch:
    rolls = pad_sequence([torch.from_numpy(piece).float() for piece in pieces])
    asked = pad_sequence([torch.ones(len(piece) - 1, dtype=torch.bool) for piece in pieces])
    return Batch(rolls[:-1], asked, rolls[1:][asked])
