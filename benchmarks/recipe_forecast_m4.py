"""M4: 414 hourly series, horizon 48, and 359 weekly ones, horizon 13, by the competition's own formulas.

    python benchmarks/recipe_forecast_m4.py hourly|weekly [--seeds 3]
    python benchmarks/recipe_forecast_m4.py hourly --validate     the last horizon of the training part; not recorded

One global segment model over all series, its window's mean move as scale, a linear map of the look-back beside the
GRU; the median of `--seeds` fits is the forecast, so is each end of the 95 % interval. Hourly series are fitted in
logarithms, and given to the fit as often as their errors count in OWA beside their errors over the mean move, which
the loss is; OWA's two parts are weighed by Naive2's published errors, which define it. Settings were chosen on the last
horizon of the training part (both of these on 1 December, LOG.md). The seasonal naive forecast is scored beside it and
must give the published figures.
"""

import argparse
import json
import time

import forecast_measures as metrics
import numpy
from forecasting import M4_HORIZON, NAIVE2, SEASON, long_frame, m4
from record import record, write

from gruworks import Forecaster

SETTINGS = {
    "hourly": {"window": 504, "segment": 24, "hidden_size": 128, "steps": 3000, "learning_rate": 2e-3,
               "validation": 0.06, "periods": (24, 168), "linear": True, "dropout": 0.1, "refit": True},
    "weekly": {"window": 52, "segment": 13, "hidden_size": 64, "steps": 1500, "learning_rate": 2e-3,
               "validation": 0.1, "periods": (), "linear": True, "dropout": 0.1, "refit": True},
}  # fmt: skip
IN_LOGS = {"hourly": True, "weekly": False}
MOST_COPIES = 8


def copies(train: dict[str, numpy.ndarray], rhythm: str) -> dict[str, int]:
    """How often each series is given to a fit in logarithms: in proportion to OWA's unit over the mean move."""
    lag, (smape, mase) = SEASON[rhythm], NAIVE2[rhythm]
    weights = []
    for y in train.values():
        of_log_error = 100 / smape + y.mean() / numpy.abs(y[lag:] - y[:-lag]).mean() / mase
        weights.append(of_log_error * numpy.abs(numpy.diff(numpy.log(y))).mean())
    found = numpy.clip(numpy.rint(2 * numpy.array(weights) / numpy.median(weights)), 1, MOST_COPIES)
    return dict(zip(train, found.astype(int).tolist(), strict=True))


def of_fit(train: dict[str, numpy.ndarray], rhythm: str) -> dict[str, numpy.ndarray]:
    """The series of a fit; copies come after all series."""
    if not IN_LOGS[rhythm]:
        return train
    logs = {name: numpy.log(y) for name, y in train.items()}
    more = {f"{name}, copy {i}": logs[name] for name, n in copies(train, rhythm).items() for i in range(2, n + 1)}
    return logs | more


def forecasts(train: dict[str, numpy.ndarray], rhythm: str, seeds: int, changes: dict) -> tuple[numpy.ndarray, int]:
    """Low, median and high of the 95 % prediction interval [series, K, 3], the medians over the seeds; parameters."""
    answers, parameters = [], 0
    for seed in range(seeds):
        forecaster = Forecaster(
            horizon=M4_HORIZON[rhythm], model="segment", norm="moves", seed=seed, batch_size=128, validate_every=150,
            patience=5, warm_up=100, **(SETTINGS[rhythm] | changes),
        )  # fmt: skip
        forecaster.fit(long_frame(of_fit(train, rhythm)), quiet=True)
        table = forecaster.predict(level=[95])
        table = table[table["unique_id"].isin(train)]
        parts = [table[f"y_hat{end}"].to_numpy().reshape(len(train), -1) for end in ("-lo-95", "", "-hi-95")]
        answers.append(numpy.stack(parts, -1) if not IN_LOGS[rhythm] else numpy.exp(numpy.stack(parts, -1)))
        parameters = sum(p.numel() for p in forecaster.model.parameters())
        print(f"seed {seed}: {forecaster.metrics['steps']} steps, {forecaster.blend}", flush=True)
    return numpy.median(answers, 0), parameters


def scores(train: dict, test: dict, answers: numpy.ndarray, rhythm: str) -> dict[str, float]:
    """Means over the series of the competition's measures."""
    season, rows = SEASON[rhythm], []
    for (name, y), (low, middle, high) in zip(test.items(), numpy.moveaxis(answers, 2, 1), strict=True):
        past = train[name]
        rows.append((
            metrics.smape(y, middle), metrics.mase(y, middle, past, season),
            metrics.msis(y, low, high, past, season), metrics.coverage(y, low, high),
        ))  # fmt: skip
    smape, mase, msis, coverage = map(float, numpy.mean(rows, 0))
    owa = metrics.owa(smape, mase, NAIVE2[rhythm])
    return {"smape": smape, "mase": mase, "owa": owa, "msis": msis, "coverage": coverage}


def naive(train: dict, rhythm: str) -> numpy.ndarray:
    season, horizon = SEASON[rhythm], M4_HORIZON[rhythm]
    rows = [numpy.resize(y[-season:], horizon) for y in train.values()]
    return numpy.repeat(numpy.stack(rows)[..., None], 3, -1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rhythm", choices=list(SETTINGS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--validate", action="store_true")
    parser.add_argument("--set", nargs="*", default=[], help="NAME=VALUE of a setting, to try another one")
    given = parser.parse_args()
    train, test = m4(given.rhythm)
    if given.validate:
        horizon = M4_HORIZON[given.rhythm]
        train, test = {n: y[:-horizon] for n, y in train.items()}, {n: y[-horizon:] for n, y in train.items()}
    plain = scores(train, test, naive(train, given.rhythm), given.rhythm)
    print("seasonal naive:", {name: round(value, 3) for name, value in plain.items()}, flush=True)
    begun = time.process_time()
    changes = {name: json.loads(value) for name, value in (one.split("=") for one in given.set)}
    answers, parameters = forecasts(train, given.rhythm, given.seeds, changes)
    found = scores(train, test, answers, given.rhythm)
    print("ours:", {name: round(value, 3) for name, value in found.items()}, f"{time.process_time() - begun:.0f} s")
    if given.validate:
        return
    names = ["smape", "mase", "owa", "msis"] if given.rhythm == "hourly" else ["owa"]
    rounded = {name: round(value, 3) for name, value in found.items()}
    facts = {
        "seeds": given.seeds, "parameters": parameters, "threads": 1, "minutes": (time.process_time() - begun) / 60,
        "note": f"median of {given.seeds} fits; all: {rounded}; {SETTINGS[given.rhythm] | changes}",
    }  # fmt: skip
    records = [record(f"forecast/m4-{given.rhythm}/{n}", found[n], baseline=plain[n], **facts) for n in names]
    if given.rhythm == "hourly":
        records.append(record("forecast/m4-hourly/coverage95-error", abs(found["coverage"] - 0.95), **facts))
    write(f"forecast_m4_{given.rhythm}", records)


if __name__ == "__main__":
    main()
