"""ETTh1 as a task of the lab: a column's last `length` hours are read, its next 96 are asked for.

The split that the field uses: 8,640 hours to learn from, 2,880 to validate on, 2,880 to test on; each column over mean
and deviation of the first part, each window less its last value, columns one by one (Zeng et al. 2023).
"""

from __future__ import annotations

import gzip
import itertools
from collections.abc import Callable
from typing import NamedTuple

import numpy
import torch
from numpy.typing import NDArray

from gruworks.data.catalogue import find
from gruworks.errors import DataError, OptionError
from gruworks.lab.problems.synthetic import Batch

__all__ = ["HORIZON", "Hours", "hours"]

HORIZON = 96
EDGES = 8_640, 11_520, 14_400
EVERY = 4  # of the windows of validation and test, one in so many
ROWS = 100

Floats = NDArray[numpy.float32]


class Hours(NamedTuple):
    """Training batches by (epoch, index), validation and test batches, and the test loss of the last value repeated."""

    draw: Callable[[int, int], Batch]
    valid: list[Batch]
    test: list[Batch]
    naive: float


def hours(rows: int, length: int, per_epoch: int, seed: int, values: NDArray[numpy.float64] | None = None) -> Hours:
    """Batches of `rows` windows x [length, B, 1]; asked at the end for y [B, 96].

    >>> made = hours(4, 100, 10, seed=0, values=numpy.random.default_rng(0).random((14_400, 2)))
    >>> made.draw(0, 0).x.shape, made.draw(0, 0).y.shape
    (torch.Size([100, 4, 1]), torch.Size([4, 96]))

    Args:
        values: [14,400, columns]; ETTh1's seven if none are given.
    """
    if values is None:
        values = _read()
    past = values[: EDGES[0]]
    scaled: Floats = ((values - past.mean(0)) / past.std(0)).astype(numpy.float32)
    if not 2 <= length <= EDGES[0] - HORIZON:
        raise OptionError(f"windows of ETTh1 have 2 to {EDGES[0] - HORIZON} steps, not {length}")

    def batch(places: list[tuple[int, int]]) -> Batch:
        """Of windows that end before hour `end` in `column`."""
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
        return [batch(places[i : i + ROWS]) for i in range(0, len(places), ROWS)]

    valid, test = (listed(*edges) for edges in itertools.pairwise(EDGES))
    squares = [one.y.square().mean().item() for one in test]
    weights = [len(one.y) for one in test]
    return Hours(draw, valid, test, float(numpy.average(squares, weights=weights)))


def _read() -> NDArray[numpy.float64]:
    path = find("ett")["ETTh1.csv.gz"]
    try:
        with gzip.open(path, "rt", encoding="utf-8") as table:
            values = numpy.loadtxt(table, delimiter=",", skiprows=1, usecols=range(1, 8), max_rows=EDGES[2])
    except (OSError, EOFError, ValueError, IndexError) as error:
        raise DataError(f"{path} is not ETTh1's table of a date and seven columns: {error}") from error
    if values.shape != (EDGES[2], 7):
        raise DataError(f"{path} has {len(values)} rows: ETTh1 has {EDGES[2]:,} and more")
    return values
