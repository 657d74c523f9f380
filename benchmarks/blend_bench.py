"""The foreign series of the blending weight's bench: names, roles, horizons and cuts, fixed before the first score.

Each series is fitted up to a cut and scored on the `SCORED` horizons after it; there are two cuts a series. Rows that
another recipe scores (the last four horizons of the public files, the last fifth of Jena, ETT's test part) are left
out. Seattle is not among them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy
import pandas
from forecasting import ett, exchange_rates, m4

from gruworks.data.catalogue import data_folder

__all__ = ["CHOOSING", "REPORTING", "SCORED", "Case", "draws"]

SCORED = 12  # horizons after a cut


@dataclass(frozen=True)
class Case:
    """A series by name, with its horizon and a loader of its frame ds, y."""

    name: str
    horizon: int
    load: Callable[[], pandas.DataFrame]
    most: int = 2500  # rows, the last ones

    def cuts(self) -> list[tuple[pandas.DataFrame, pandas.DataFrame]]:
        """Rows to fit and rows up to the end of the scored part, for two cuts."""
        table = self.load().iloc[-self.most :].reset_index(drop=True)
        scored = min(SCORED * self.horizon, len(table) // 4)
        ends = [len(table) - scored, len(table)]
        return [(table[: end - scored], table[:end]) for end in ends]


def _frame(y: numpy.ndarray, start: str, freq: str) -> pandas.DataFrame:
    return pandas.DataFrame({"ds": pandas.date_range(start, periods=len(y), freq=freq), "y": numpy.asarray(y, float)})


def _vega(name: str, time: str, target: str) -> pandas.DataFrame:
    from vega_datasets import data

    table = getattr(data, name)()
    return table.rename(columns={time: "ds", target: "y"})[["ds", "y"]]


def _shared(path: str) -> pandas.DataFrame:
    folder = data_folder()
    if folder is None:
        raise SystemExit("set GRUWORKS_DATA to the folder with the data sets")
    return pandas.read_csv(folder / "forecast" / path)


def _sf_temperature() -> pandas.DataFrame:
    return _vega("sf_temps", "date", "temp").drop_duplicates("ds")


def _jena() -> pandas.DataFrame:
    y = _shared("jena_hourly_T.csv.gz").iloc[:, -1].to_numpy(dtype=float)
    return _frame(y[: int(0.8 * len(y))], "2020-01-01", "h")


def _co2() -> pandas.DataFrame:
    from statsmodels.datasets import co2

    y = co2.load_pandas().data["co2"].interpolate()
    return _frame(y.to_numpy(), str(y.index[0].date()), "W-SAT")


def _elnino() -> pandas.DataFrame:
    from statsmodels.datasets import elnino

    return _frame(elnino.load_pandas().data.iloc[:, 1:].to_numpy().ravel(), "1950-01-01", "MS")


def _illness() -> pandas.DataFrame:
    y = _shared("real/illness.csv.gz").iloc[:, 1].to_numpy(dtype=float)
    return _frame(y[: -4 * 13], "2002-01-01", "W-TUE")


def _sunspots() -> pandas.DataFrame:
    return _frame(_shared("real/sunspots.csv.gz").iloc[:, 1].to_numpy(dtype=float)[: -4 * 12], "1749-01-01", "MS")


def _pjm() -> pandas.DataFrame:
    table = _shared("real/pjm_in_zone.csv.gz")
    one = table[table["unique_id"] == table["unique_id"].iloc[-1]]
    return _frame(one["y"].interpolate().to_numpy()[: -4 * 48], "2023-10-01 04:00", "h")


def _etth2() -> pandas.DataFrame:
    return _frame(ett("ETTh2")["OT"][:8640], "2016-07-01", "h")


def _exchange() -> pandas.DataFrame:
    return _frame(exchange_rates()["0"][:4553], "1990-01-01", "D")


def _walk(seed: int) -> pandas.DataFrame:
    return _frame(numpy.random.default_rng(seed).normal(size=1200).cumsum(), "2010-01-01", "D")


def _noise(seed: int) -> pandas.DataFrame:
    return _frame(numpy.random.default_rng(seed).normal(size=1200), "2010-01-01", "D")


CHOOSING = [
    Case("San Francisco's temperature, hourly, 2010", 24, _sf_temperature),
    Case("Jena's temperature, hourly, first 80 %", 24, _jena),
    Case("ETTh2, oil temperature, hourly, first 8,640 rows", 24, _etth2),
    Case("CO2 at Mauna Loa, weekly", 13, _co2),
    Case("El Niño's sea temperature, monthly", 12, _elnino),
    Case("influenza-like illness, weekly, less the last year", 13, _illness),
    Case("exchange rate of currency 0, daily, first 60 %", 14, _exchange),
    Case("random walk of seed 1000, daily", 14, lambda: _walk(1000)),
]
REPORTING = [
    Case("PJM's load, hourly, less the last 8 days", 24, _pjm),
    Case("sunspots, monthly, less the last 4 years", 12, _sunspots),
    Case("M4 W200, weekly, training part", 13, lambda: _frame(m4("weekly")[0]["W200"], "1980-01-06", "W-SUN")),
    Case("noise of seed 2000, daily", 14, lambda: _noise(2000)),
]


def draws(first: int, count: int) -> list[tuple[str, pandas.DataFrame]]:
    """Series without skill, 300 rows each: walks and noise in turn, numbered and dated by turns of two."""
    found = []
    for seed in range(first, first + count):
        y = numpy.random.default_rng([7, seed]).normal(size=300)
        kind, y = ("walk", y.cumsum()) if seed % 2 == 0 else ("noise", y)
        table = _frame(y, "2015-01-01", "D")
        found.append((f"{kind} {seed}", table if seed % 4 < 2 else table.assign(ds=numpy.arange(300))))
    return found
