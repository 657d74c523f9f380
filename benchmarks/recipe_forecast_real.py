"""Public files with the defaults of `Forecaster`, beside naive forecasts and AutoETS.

    python benchmarks/recipe_forecast_real.py [--ets PYTHON] [--part develop] [--files airline births] [--keep FOLDER]

The files, targets, horizons, origins and sums are those of real_files.py; GRUWORKS_DATA names the folder with
forecast/real. Each file is fitted once, before the first of its last origins, which lie a horizon apart. Columns of
dates are parsed here, since some have forms of their own; values are as they are in the file. MAE is the mean over
origins, steps and series, without missing values.

Seasonal naive: the lag of the calendar (day, week, year, whichever the frequency has) with the least MAE at origins
before the first one; its interval are the quantiles of its own errors in the history, by seasons ahead. Best naive: in
hindsight, the best of last value, seasonal naive, mean and drift on the scored origins. AutoETS (PYTHON is the
interpreter of an environment with requirements-statsforecast.txt): monthly, quarterly, yearly and weekly files, and
daily ones without a year of history; refitted at each origin, and so are we for that ratio. `--part develop` scores the
origins before these, for choosing settings; only the scored part writes records. `--keep` stores the scores of each
file in a folder, and takes those that are there: several processes can score some files each, and one more the rest.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import time
from pathlib import Path

import numpy
import pandas
from bench_forecast_statsforecast import answers
from real_files import FILES, File
from record import record, write

from gruworks import Forecaster
from gruworks.data.catalogue import data_folder

LAGS = {"monthly": [12], "quarterly": [4], "yearly": [1], "weekly": [52], "daily": [7, 365], "business days": [5],
        "hourly": [24, 168], "half-hourly": [48, 336], "5-minutely": [288]}  # fmt: skip
ETS_SEASON = {"monthly": 12, "quarterly": 4, "yearly": 1, "weekly": 52, "daily": 7}
YEAR = 366
FEWEST = 24  # rows before a first origin of the develop part
FORMATS = {"nightvisitors": "%b %Y", "aus_retail": "%d-%m-%Y", "water": "%Y"}
ENOUGH_POINTS = 48  # scored points of a file that counts for the worst coverage


def frame(file: File) -> pandas.DataFrame:
    """unique_id, ds, y of a file whose sum is the listed one."""
    folder = data_folder()
    if folder is None:
        raise SystemExit("set GRUWORKS_DATA to the folder with the data sets")
    with gzip.open(folder / "forecast" / "real" / f"{file.name}.csv.gz") as content:
        text = content.read()
    if hashlib.sha256(text).hexdigest() != file.sha256:
        raise SystemExit(f"{file.name}: the content is not that of the list (sha256)")
    table = pandas.read_csv(folder / "forecast" / "real" / f"{file.name}.csv.gz", dtype={"Year": str, "Month": str})
    times = [name.strip() for name in file.time.split(",")]
    table = table.assign(ds=_times(file, table[times]))
    if file.target != "*":
        return table.assign(unique_id=table[file.series] if file.series else "0", y=table[file.target])[
            ["unique_id", "ds", "y"]
        ]
    values = table.drop(columns=[*times, "ds"]).astype(float)
    return values.assign(ds=table["ds"]).melt("ds", var_name="unique_id", value_name="y")[["unique_id", "ds", "y"]]


def _times(file: File, columns: pandas.DataFrame) -> pandas.Series:
    column = columns.iloc[:, 0]
    if file.name == "shampoo":  # years 1 to 3
        return pandas.to_datetime("200" + column)
    if file.name == "norway":
        return pandas.to_datetime(column + "-" + columns.iloc[:, 1], format="%Y-%m")
    if file.name == "usdeur":
        return pandas.to_datetime(column, unit="ms")
    found = pandas.to_datetime(column.astype(str), format=FORMATS.get(file.name))
    return found.dt.tz_localize(None) if found.dt.tz is not None else found


def score(file: File, develop: bool, ets: str | None) -> dict[str, float]:
    """Errors, coverage and interval scores of one file."""
    begun, table = time.process_time(), frame(file)
    count, K = file.origins, file.horizon
    if develop:
        table = table[table.groupby("unique_id").cumcount(ascending=False) >= count * K]
        count = min(count, (int(table.groupby("unique_id").size().min()) - FEWEST) // K)
        if count < 1:
            return {}
    found = Forecaster(horizon=K).backtest(table, origins=count, quiet=True)
    truth = numpy.stack(
        [one.y[at[:, None] + numpy.arange(1, K + 1)] for one, at in zip(found.panel, found.origins, strict=True)]
    )
    ours = numpy.stack(found.answers)  # [series, O, K, 5]
    lag = _lag(found, LAGS[file.frequency], K)
    seasonal = [_seasonal(one, at, lag, K) for one, at in zip(found.panel, found.origins, strict=True)]
    naive = {name: numpy.stack([one[name] for one in found.naive]) for name in ("last value", "mean", "drift")}
    naive["seasonal"] = numpy.stack([one[..., 0] for one in seasonal])
    errors = {name: _mae(one, truth) for name, one in naive.items()}
    band = numpy.stack([one[..., 1:] for one in seasonal])
    known = ~numpy.isnan(truth)
    result = {
        "mae": _mae(ours[..., 0], truth), "seasonal": errors["seasonal"], "best": min(errors.values()), "lag": lag,
        "coverage80": _held(ours[..., 1], ours[..., 2], truth), "coverage95": _held(ours[..., 3], ours[..., 4], truth),
        "interval": _interval(ours[..., 1], ours[..., 2], truth), "points": int(known.sum()),
        "seasonal_interval": _interval(band[..., 0], band[..., 1], truth), "verdict": found.verdict,
        "best_name": min(errors, key=errors.get),
    }  # fmt: skip
    rows = len(found.panel[0])
    if ets and file.frequency in ETS_SEASON and (file.frequency != "daily" or rows < YEAR):
        again = Forecaster(horizon=K).backtest(table, origins=count, refit=1, quiet=True)
        result["refitted"] = _mae(numpy.stack(again.answers)[..., 0], truth)
        past = {
            f"{s}|{o}": one.filled()[: int(row) + 1]
            for s, (one, at) in enumerate(zip(found.panel, found.origins, strict=True)) for o, row in enumerate(at)
        }  # fmt: skip
        rival = answers(ets, ["AutoETS"], past, K, ETS_SEASON[file.frequency])["AutoETS"]
        rival = [[rival[f"{s}|{o}"] for o in range(count)] for s in range(len(found.panel))]
        result["ets"] = _mae(numpy.array(rival), truth)
    return result | {"seconds": time.process_time() - begun}


def _lag(found, lags: list[int], K: int) -> int:
    """The lag with the least MAE at origins before the first one."""

    def error(lag: int) -> float:
        total = []
        for one, at in zip(found.panel, found.origins, strict=True):
            rows = numpy.arange(max(lag, at[0] // 2), at[0] - K + 1)
            if not len(rows):
                return numpy.inf
            truth = one.y[rows[:, None] + numpy.arange(1, K + 1)]
            total.append(numpy.nanmean(numpy.abs(_seasonal_values(one.filled(), rows, lag, K) - truth)))
        return float(numpy.mean(total))

    return min(lags, key=error)


def _seasonal_values(y: numpy.ndarray, rows: numpy.ndarray, lag: int, K: int) -> numpy.ndarray:
    steps = numpy.arange(1, K + 1)
    return y[numpy.maximum(rows[:, None] + steps - lag * -(-steps // lag), 0)]


def _seasonal(one, at: numpy.ndarray, lag: int, K: int) -> numpy.ndarray:
    """Median, low and high [O, K, 3] of the seasonal naive with the quantiles of its own errors before the origin."""
    y, found = one.filled(), []
    ahead = -(-numpy.arange(1, K + 1) // lag)
    for row in at:
        middle = _seasonal_values(y, numpy.array([row]), lag, K)[0]
        errors = {n: y[n * lag : row + 1] - y[: max(0, row + 1 - n * lag)] for n in set(ahead.tolist())}
        ends = {n: numpy.quantile(e, [0.1, 0.9]) if len(e) else (0.0, 0.0) for n, e in errors.items()}
        low, high = (numpy.array([ends[n][i] for n in ahead]) for i in (0, 1))
        found.append(numpy.stack([middle, middle + low, middle + high], -1))
    return numpy.stack(found)


def _mae(forecast: numpy.ndarray, truth: numpy.ndarray) -> float:
    return float(numpy.nanmean(numpy.abs(forecast - truth)))


def _held(low: numpy.ndarray, high: numpy.ndarray, truth: numpy.ndarray) -> float:
    known = ~numpy.isnan(truth)
    return float(((low <= truth) & (truth <= high))[known].mean())


def _interval(low: numpy.ndarray, high: numpy.ndarray, truth: numpy.ndarray) -> float:
    """Mean score of the 80 % interval (Gneiting and Raftery 2007)."""
    miss = numpy.maximum(low - truth, 0) + numpy.maximum(truth - high, 0)
    return float(numpy.nanmean(high - low + 2 / 0.2 * miss))


def _geometric(values: list[float]) -> float:
    return float(numpy.exp(numpy.mean(numpy.log(numpy.maximum(values, 1e-9)))))


def figures(found: dict[str, dict[str, float]]) -> dict[str, tuple[float, str]]:
    """Values by figure, with notes."""
    over = {n: one["mae"] / one["seasonal"] for n, one in found.items()}
    best = {n: one["mae"] / one["best"] for n, one in found.items()}
    ets = {n: one["refitted"] / one["ets"] for n, one in found.items() if "ets" in one}
    eighty = {n: one["coverage80"] for n, one in found.items()}
    ninety = {n: one["coverage95"] for n, one in found.items()}
    enough = {n: eighty[n] for n, one in found.items() if one["points"] >= ENOUGH_POINTS}
    interval = {n: one["interval"] / one["seasonal_interval"] for n, one in found.items()}
    worst = max(best, key=best.get)
    made = {
        "over-naive/geomean": (_geometric(list(over.values())), over),
        "worst-over-best-naive/ratio": (best[worst], best),
        "coverage80-error/mean": (float(numpy.mean([abs(c - 0.8) for c in eighty.values()])), eighty),
        "coverage95-error/mean": (float(numpy.mean([abs(c - 0.95) for c in ninety.values()])), ninety),
        "coverage80/worst": (min((enough or eighty).values()), enough or eighty),
        "interval-score/ratio": (_geometric(list(interval.values())), interval),
    }  # fmt: skip
    if ets:
        made["over-ets/geomean"] = _geometric(list(ets.values())), ets
    return {name: (value, _note(parts)) for name, (value, parts) in made.items()}


def _note(parts: dict[str, float]) -> str:
    values = sorted(parts.items(), key=lambda one: one[1])
    middle = float(numpy.median([value for _, value in values]))
    return f"median {middle:.3f}; " + ", ".join(f"{name} {value:.3f}" for name, value in values)


def kept(file: File, folder: Path | None) -> dict[str, float]:
    """The scores of a file that another process stored; empty where there are none."""
    path = (folder or Path()) / f"{file.name}.json"
    return json.loads(path.read_text()) if folder and path.is_file() else {}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ets", help="the interpreter of an environment with statsforecast")
    parser.add_argument("--part", choices=["scored", "develop"], default="scored")
    parser.add_argument("--files", nargs="*", default=[one.name for one in FILES])
    parser.add_argument("--keep", type=Path, help="a folder for the scores of each file")
    given = parser.parse_args()
    found = {}
    for file in FILES:
        if file.name in given.files:
            one = kept(file, given.keep) or score(file, given.part == "develop", given.ets)
            if not one:
                continue
            found[file.name] = one
            if given.keep:
                given.keep.mkdir(parents=True, exist_ok=True)
                (given.keep / f"{file.name}.json").write_text(json.dumps(one))
            ets = f", refitted {one['refitted']:.4g}, AutoETS {one['ets']:.4g}" if "ets" in one else ""
            print(
                f"{file.name}: MAE {one['mae']:.4g}, seasonal ({one['lag']}) {one['seasonal']:.4g}, best naive "
                f"{one['best']:.4g} ({one['best_name']}){ets}, held {one['coverage80']:.2f} and "
                f"{one['coverage95']:.2f}, "
                f"interval score {one['interval'] / one['seasonal_interval']:.2f}, {one['seconds']:.0f} s; "
                f"{one['verdict']}", flush=True,
            )  # fmt: skip
    made = figures(found)
    for name, (value, note) in made.items():
        print(f"{name}: {value:.4f} ({note})")
    if given.part == "scored" and len(found) == len(FILES):
        records = [
            record(f"forecast-real/{n}", value, note=note, tried=len(found)) for n, (value, note) in made.items()
        ]
        write("forecast_real", records)


if __name__ == "__main__":
    main()
