"""The data sets of the forecasting recipes as frames, by their protocols; what several recipes share."""

from __future__ import annotations

import csv
import gzip

import numpy
import pandas

from gruworks.data.catalogue import find

NAIVE2 = {"hourly": (18.383, 2.395), "weekly": (9.161, 2.777)}  # sMAPE and MASE as the competition published them
SEASON = {"hourly": 24, "weekly": 1}
M4_HORIZON = {"hourly": 48, "weekly": 13}


def m4(rhythm: str) -> tuple[dict[str, numpy.ndarray], dict[str, numpy.ndarray]]:
    """Training and test values of the M4 series of a rhythm, by name."""
    files = find("m4")
    return tuple(_m4_file(files[f"m4-{rhythm}-{part}.csv.gz"]) for part in ("train", "test"))


def _m4_file(path) -> dict[str, numpy.ndarray]:
    with gzip.open(path, "rt") as lines:
        rows = csv.reader(lines)
        next(rows)
        return {row[0]: numpy.array([float(v) for v in row[1:] if v not in ("", "NA")]) for row in rows}


def long_frame(series: dict[str, numpy.ndarray]) -> pandas.DataFrame:
    """unique_id, ds (0, 1, 2 ...), y."""
    return pandas.DataFrame({
        "unique_id": numpy.repeat(list(series), [len(y) for y in series.values()]),
        "ds": numpy.concatenate([numpy.arange(len(y)) for y in series.values()]),
        "y": numpy.concatenate(list(series.values())),
    })  # fmt: skip


def ett_bounds(name: str) -> tuple[int, int, int]:
    """Ends of the training, validation and test rows of ETTh1 and ETTh2 (hours) or ETTm1 (quarters of an hour)."""
    rows = 1 if name.startswith("ETTh") else 4
    return rows * 8_640, rows * 11_520, rows * 14_400


def ett(name: str) -> dict[str, numpy.ndarray]:
    """The seven columns up to the end of the test rows, over mean and deviation of the training rows."""
    train, _, end = ett_bounds(name)
    table = pandas.read_csv(find("ett-quarters" if name == "ETTm1" else "ett")[f"{name}.csv.gz"])
    values = table.iloc[:end, 1:].to_numpy(dtype=numpy.float64)
    past = values[:train]
    return dict(zip(table.columns[1:], ((values - past.mean(0)) / past.std(0)).T, strict=True))


def exchange_rates() -> dict[str, numpy.ndarray]:
    """Eight currencies, 7,588 days in order."""
    path = find("exchange-rates")["exchange_rate.txt.gz"]
    values = pandas.read_csv(path, header=None).to_numpy(dtype=numpy.float64)
    return {str(i): column for i, column in enumerate(values.T)}
