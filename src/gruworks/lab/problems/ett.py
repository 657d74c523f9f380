"""ETTh1 as a task of the lab: forecast of the next 96 hours of a column from its last `length` hours.

The common split: 8,640 hours for training, 2,880 for validation, 2,880 for testing. Each column is standardized by the
mean and standard deviation of the training part, each window shifted by its last value; columns are forecast
independently (Zeng et al. 2023).
"""

from __future__ import annotations

import gzip
import itertools

import numpy
import torch
from numpy.typing import NDArray
from torch.nn import functional

from gruworks.data.catalogue import find
from gruworks.errors import DataError, OptionError
from gruworks.lab.problems.batches import Batch, Problem, chunks

__all__ = ["HORIZON", "hours"]

HORIZON = 96
EDGES = 8_640, 11_520, 14_400
EVERY = 4  # stride of the windows of validation and test
ROWS = 100

Floats = NDArray[numpy.float32]


def hours(rows: int, length: int, per_epoch: int, seed: int, values: NDArray[numpy.float64] | None = None) -> Problem:
    """Forecasts y [B, 96] at the end of windows x [length, B, 1]; `chance` is the loss of the last value repeated.

    >>> made = hours(4, 100, 10, seed=0, values=numpy.random.default_rng(0).random((14_400, 2)))
    >>> made.draw(0, 0).x.shape, made.draw(0, 0).y.shape
    (torch.Size([100, 4, 1]), torch.Size([4, 96]))

    Args:
        rows: B, windows per training batch, drawn at random places.
        length: hours per window.
        per_epoch: batches per epoch.
        seed: of the random places.
        values: the series [14,400, columns]; None for the seven of ETTh1.

    Raises:
        OptionError: windows that don't fit into the training part. DataError: the file is missing or is another one.
    """
    if values is None:
        values = _read()
    past = values[: EDGES[0]]
    scaled: Floats = ((values - past.mean(0)) / past.std(0)).astype(numpy.float32)
    if not 2 <= length <= EDGES[0] - HORIZON:
        raise OptionError(f"windows of ETTh1 have 2 to {EDGES[0] - HORIZON} steps, not {length}")

    def batch(places: list[tuple[int, int]]) -> Batch:
        """Windows that end before hour `end` of `column`, given pairs (end, column)."""
        x = numpy.stack([scaled[end - length : end, column] for end, column in places], 1)[..., None]
        y = numpy.stack([scaled[end : end + HORIZON, column] for end, column in places])
        asked = torch.zeros(x.shape[:2], dtype=torch.bool)
        asked[-1] = True
        return Batch(torch.from_numpy(x - x[-1]), asked, torch.from_numpy(y - x[-1]))

    def draw(epoch: int, index: int) -> Batch:
        rng = numpy.random.default_rng((seed, epoch * per_epoch + index))
        ends = rng.integers(length, EDGES[0] - HORIZON + 1, rows)
        return batch([(int(end), int(rng.integers(scaled.shape[1]))) for end in ends])

    def listed(first: int, last: int) -> list[Batch]:
        ends = range(max(first, length), last - HORIZON + 1, EVERY)
        places = [(end, column) for end in ends for column in range(scaled.shape[1])]
        return [batch(part) for part in chunks(places, ROWS)]

    valid, test = (listed(*edges) for edges in itertools.pairwise(EDGES))
    squares = [one.y.square().mean().item() for one in test]
    weights = [len(one.y) for one in test]
    naive = float(numpy.average(squares, weights=weights))
    return Problem(1, HORIZON, draw, valid, test, naive, functional.mse_loss)


def _read() -> NDArray[numpy.float64]:
    path = find("ett")["ETTh1.csv.gz"]
    try:
        with gzip.open(path, "rt", encoding="utf-8") as table:
            values = numpy.loadtxt(table, delimiter=",", skiprows=1, usecols=range(1, 8), max_rows=EDGES[2])
    except (OSError, EOFError, ValueError, IndexError) as error:
        raise DataError(f"{path} is not the table of ETTh1, a date and seven columns: {error}") from error
    if values.shape != (EDGES[2], 7):
        raise DataError(f"{path} has {len(values)} rows: expected at least {EDGES[2]:,}, as in ETTh1")
    return values
