"""Irregular series: the GRU that decays with the time between rows (GRU-D), beside interpolation to a grid.

    GRUWORKS_DATA=... python benchmarks/recipe_forecast_irregular.py

Synthetic: two sines and noise at random times, exponential gaps; the answer is the signal without noise. Real: the
hourly load of a hospital, of which 60 % of the rows are dropped at random; "irregular" moves the times by up to a
second, which takes them off the hourly grid. Each way is fitted once with the defaults on the first four fifths, and
scored at rolling origins in the rest: mean absolute error over the next steps of the median length, relative to the
last value's.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy
import pandas
from record import record, write

from gruworks import Forecaster
from gruworks.data.catalogue import data_folder

ORIGINS = 40
Answer = Callable[[pandas.Series], numpy.ndarray]  # true values at times
ROWS, GAP, NOISE, PERIODS = 3000, 60.0, 0.3, (47.0, 11.3)  # minutes between rows on average; hours
DROPPED, HORIZON = 0.6, 12
BEGIN = pandas.Timestamp("2024-01-01")


def scored(frame: pandas.DataFrame, horizon: int, answer: Answer, every: int = 1) -> tuple[float, float]:
    """Mean absolute error over rolling origins of the forecast, every so many steps, and of the last value."""
    frame = frame.dropna(subset="y")
    fit = int(0.8 * len(frame))
    forecaster = Forecaster(horizon=horizon).fit(frame.iloc[:fit], quiet=True)
    ours, naive = [], []
    for at in numpy.linspace(fit, len(frame) - horizon, ORIGINS).astype(int):
        ahead = forecaster.predict(frame.iloc[:at])[every - 1 :: every]
        truth = answer(ahead["ds"])
        there = ~numpy.isnan(truth)
        ours.append(numpy.abs(ahead["y_hat"] - truth)[there].mean())
        naive.append(numpy.abs(frame["y"].iloc[at - 1] - truth)[there].mean())
    return float(numpy.mean(ours)), float(numpy.mean(naive))


def gridded(frame: pandas.DataFrame, step: str) -> pandas.DataFrame:
    """The rows interpolated linearly to a regular grid."""
    grid = pandas.date_range(frame["ds"].iloc[0].ceil(step), frame["ds"].iloc[-1], freq=step)
    y = numpy.interp(grid.astype("int64"), frame["ds"].astype("int64"), frame["y"])
    return pandas.DataFrame({"ds": grid, "y": y})


def signal(times: pandas.Series) -> numpy.ndarray:
    hours = (times - BEGIN) / pandas.Timedelta("1h")
    return sum(size * numpy.sin(2 * numpy.pi * hours / period) for size, period in zip((3, 1), PERIODS, strict=True))


def synthetic(rng: numpy.random.Generator) -> dict[str, tuple[float, float]]:
    times = pandas.Series(BEGIN + pandas.to_timedelta(numpy.cumsum(rng.exponential(GAP, ROWS)).round(3), unit="min"))
    frame = pandas.DataFrame({"ds": times, "y": signal(times) + NOISE * rng.normal(size=ROWS)})
    step = f"{round(numpy.median(times.diff().dropna()) / numpy.timedelta64(1, 'm'))}min"
    return {
        "irregular": scored(frame, HORIZON, signal), "grid": scored(gridded(frame, step), HORIZON, signal),
    }  # fmt: skip


def real(rng: numpy.random.Generator) -> dict[str, tuple[float, float]]:
    folder = data_folder()
    if folder is None:
        raise SystemExit("set GRUWORKS_DATA to the folder with the data sets")
    whole = pandas.read_csv(folder / "forecast" / "real" / "hospital.csv.gz", parse_dates=["ds"])
    kept = whole[rng.random(len(whole)) > DROPPED].reset_index(drop=True)
    known = pandas.Series(whole["y"].to_numpy(), index=whole["ds"])

    def answer(times: pandas.Series) -> numpy.ndarray:
        return known.reindex(times.dt.round("h")).to_numpy()

    moved = kept["ds"] + pandas.to_timedelta(rng.uniform(0, 1, len(kept)).round(3), unit="s")
    hours = round(numpy.median(kept["ds"].diff().dropna()) / numpy.timedelta64(1, "h"))
    ahead = HORIZON * hours  # the same times of all ways
    return {
        "irregular": scored(kept.assign(ds=moved), HORIZON, answer),
        "grid": scored(gridded(kept, "1h"), ahead, answer, hours),
        "missing rows": scored(kept, ahead, answer, hours),
    }


def main() -> None:
    for name, made in (("synthetic", synthetic), ("hospital", real)):
        begun = time.process_time()
        found = made(numpy.random.default_rng(0))
        shares = {way: ours / naive for way, (ours, naive) in found.items()}
        print(name, {way: round(share, 4) for way, share in shares.items()}, flush=True)
        minutes = (time.process_time() - begun) / 60
        note = "; ".join(f"{way}: MAE {ours:.4g}, last value {naive:.4g}" for way, (ours, naive) in found.items())
        write("forecast_irregular", [
            record(f"forecast-irregular/{name}/{way.replace(' ', '-')}/relative-mae", share, seeds=1, minutes=minutes,
                   note=note) for way, share in shares.items()
        ])  # fmt: skip


if __name__ == "__main__":
    main()
