"""Polyphonic music as piano rolls: read, cut, batched; the next chord is predicted from those before it.

The four sets of Boulanger-Lewandowski et al. 2012 as Bai et al. 2018 ship them: 88 notes a step, 1 where a note sounds.
A piece of N steps has N - 1 predicted ones; the first is given.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import NamedTuple

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor

from gruworks.data.catalogue import find
from gruworks.errors import DataError, OptionError, require
from gruworks.lab.problems.passes import passes
from gruworks.lab.problems.synthetic import Batch

__all__ = ["MUSIC", "NOTES", "Music", "batches", "draws", "load", "log_odds", "moved"]

MUSIC = {"jsb": "JSB_Chorales", "nottingham": "Nottingham", "muse": "MuseData", "piano": "Piano_midi"}
NOTES = 88

Roll = NDArray[numpy.uint8]


class Music(NamedTuple):
    """The pieces of a set, each [steps, 88], in the split that the file has."""

    train: list[Roll]
    valid: list[Roll]
    test: list[Roll]


def load(name: str) -> Music:
    """The set `name` of MUSIC, from the file that `data.catalogue` finds.

    Raises:
        OptionError: another name. DataError: the file is missing or isn't such a set.
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
    """Whole pieces, shortest first, `rows` of them a batch, padded at their ends, where nothing is asked.

    >>> [batch.x.shape for batch in batches([numpy.zeros((5, 88), numpy.uint8)] * 3, rows=2)]
    [torch.Size([4, 2, 88]), torch.Size([4, 1, 88])]
    """
    pieces = sorted((piece for piece in pieces if len(piece) > 1), key=len)
    return [_batch(pieces[i : i + rows]) for i in range(0, len(pieces), rows)]


def log_odds(pieces: list[Roll]) -> Tensor:
    """The logarithm of each note's odds to sound, [88]; a note that never sounds counts as half a step."""
    steps = sum(len(piece) for piece in pieces)
    sounding = numpy.clip(sum(piece.sum(0, dtype=numpy.int64) for piece in pieces), 0.5, steps - 0.5)
    return torch.from_numpy(numpy.log(sounding / (steps - sounding)).astype(numpy.float32))


def draws(
    pieces: list[Roll], rows: int, steps: int, per_epoch: int, seed: int, transpose: int = 0
) -> Callable[[int, int], Batch]:
    """Training batches by (epoch, index): pass after pass over all pieces, cut anew at `steps` from a random start.

    In each pass every piece is moved by -transpose to transpose semitones, as far as its notes stay among the 88.
    """
    chosen = passes(
        len(_cut(pieces, steps, None)), rows, per_epoch, f"pieces cut at {steps} steps",
        lambda number: _pass(pieces, rows, steps, (seed, number), transpose),
    )  # fmt: skip

    def draw(epoch: int, index: int) -> Batch:
        return _batch(chosen(epoch, index))

    return draw


def _pass(pieces: list[Roll], rows: int, steps: int, seed: tuple[int, int], transpose: int = 0) -> list[list[Roll]]:
    """One pass over all pieces as batches of about equally long stretches, in random order."""
    rng = numpy.random.default_rng(seed)
    if transpose:
        pieces = [moved(piece, int(rng.integers(-transpose, transpose + 1))) for piece in pieces]
    cut = _cut(pieces, steps, rng)
    rng.shuffle(cut)
    ordered = sorted(cut[: len(cut) // rows * rows], key=len)
    made = [ordered[i : i + rows] for i in range(0, len(ordered), rows)]
    rng.shuffle(made)
    return made


def moved(piece: Roll, semitones: int) -> Roll:
    """The piece that many semitones higher, or as far as its highest (or lowest) note goes."""
    sounding = numpy.flatnonzero(piece.any(0))
    if not len(sounding):
        return piece
    return numpy.roll(piece, int(numpy.clip(semitones, -sounding[0], NOTES - 1 - sounding[-1])), axis=1)


def _cut(pieces: list[Roll], steps: int, rng: numpy.random.Generator | None) -> list[Roll]:
    """Stretches of at most `steps` predicted steps; a random first cut if `rng`, so that passes differ."""
    cut = []
    for piece in pieces:
        last = len(piece) - 1
        first = int(rng.integers(1, steps + 1)) if rng is not None and last > steps else steps
        edges = [0, *range(first, last, steps), last]
        cut += [piece[start : end + 1] for start, end in itertools.pairwise(edges) if end > start]
    return cut


def _batch(pieces: list[Roll]) -> Batch:
    longest = max(len(piece) for piece in pieces)
    rolls = numpy.zeros((longest, len(pieces), NOTES), numpy.float32)
    asked = numpy.zeros((longest - 1, len(pieces)), bool)
    for row, piece in enumerate(pieces):
        rolls[: len(piece), row] = piece
        asked[: len(piece) - 1, row] = True
    return Batch(torch.from_numpy(rolls[:-1]), torch.from_numpy(asked), torch.from_numpy(rolls[1:][asked]))
