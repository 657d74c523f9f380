"""ETTh1, ETTh2 and ETTm1: look-back 96, horizons 96, 192, 336, 720, all test windows, seven channels, MSE on z-scores.

    python benchmarks/recipe_forecast_ett.py [--sets ETTh1 ETTh2 ETTm1] [--horizons 96 192 336 720] [--members 5]
    python benchmarks/recipe_forecast_ett.py --validate ...      the held-out rows' MSE alone; nothing is recorded

Rows 0-8639 train, to 11519 validation, to 14399 test (Zhou et al. 2021), of ETTm1 four times as many; z-scores by the
training rows. Settings were chosen on the validation rows. The segment model (SegRNN, arXiv 2308.11200), one fit for
each horizon and member. The value is that of an ensemble, the mean of the forecasts of `--members` fits that differ in
their seeds; the mean of the members' own values is in the note, and the last value repeated on the same windows stands
beside it. Up to 30 November the figure was the mean of three fits' values.

"point" says what is scored: the median, or the mean as far as the three calibrated quantiles tell it, .3, .4 and .3 of
those at 10, 50 and 90 % (Swanson's rule): squared errors are least at the mean. Validation chose it for each set.
"""

import argparse
import json
import statistics
import time

import numpy
from forecasting import ett, ett_bounds, long_frame
from record import record, write

from gruworks import Forecaster
from gruworks.tasks.forecast.series.panel import Series

SETTINGS = {
    "ETTh1": {"hidden_size": 128, "segment": 24, "learning_rate": 3e-3, "steps": 700, "dropout": 0.5, "linear": False,
              "point": "median"},
    "ETTh2": {"hidden_size": 128, "segment": 24, "learning_rate": 1e-3, "steps": 350, "dropout": 0.5, "linear": True,
              "point": "mean"},
    "ETTm1": {"hidden_size": 128, "segment": 24, "learning_rate": 3e-3, "steps": 3000, "dropout": 0.5, "linear": False,
              "point": "median"},
}  # fmt: skip
OF_HORIZON = {("ETTh1", 96): {"hidden_size": 256, "learning_rate": 6e-3}}  # looked for where the figure was short
SHARES, SWANSON = [0.1, 0.5, 0.9], numpy.array([0.3, 0.4, 0.3])


def fitted(name: str, values: dict[str, numpy.ndarray], horizon: int, seed: int, settings: dict) -> Forecaster:
    """A segment model on the training and validation rows, the latter held out."""
    train, validated, _ = ett_bounds(name)
    settings = {key: value for key, value in settings.items() if key != "point"}
    share = (validated - train - horizon + 1) / validated
    forecaster = Forecaster(
        horizon=horizon, model="segment", window=96, norm="last", blend=False, validation=share, seed=seed,
        batch_size=256, validate_every=50, patience=6, warm_up=50, weight_decay=0.0, **settings,
    )  # fmt: skip
    return forecaster.fit(long_frame({column: y[:validated] for column, y in values.items()}), quiet=True)


def answers(forecaster: Forecaster, values: dict, origins: numpy.ndarray, point: str) -> numpy.ndarray:
    """Forecasts after the origins [channels, origins, horizon]."""
    said = []
    for which, (name, y) in enumerate(values.items()):
        series = Series(name, numpy.arange(len(y)), y)
        answer = forecaster.predictor.quantiles(series, origins, SHARES, which)
        said.append(answer @ SWANSON if point == "mean" else answer[..., 1])
    return numpy.stack(said)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", default=["ETTh1", "ETTh2"])
    parser.add_argument("--horizons", nargs="+", type=int, default=[96, 192, 336, 720])
    parser.add_argument("--members", type=int, default=5)
    parser.add_argument("--validate", action="store_true")
    parser.add_argument("--set", nargs="*", default=[], help="NAME=VALUE of a setting, to try another one")
    given = vars(parser.parse_args())
    changes = {name: json.loads(value) for name, value in (one.split("=") for one in given["set"])}
    for name in given["sets"]:
        values = ett(name)
        begin, end = ett_bounds(name)[:2] if given["validate"] else ett_bounds(name)[1:]
        for horizon in given["horizons"]:
            settings = SETTINGS[name] | OF_HORIZON.get((name, horizon), {}) | changes
            origins = numpy.arange(begin - 1, end - horizon)
            ahead = origins[:, None] + numpy.arange(1, horizon + 1)
            truth = numpy.stack([y[ahead] for y in values.values()])
            last = numpy.mean([(y[origins, None] - y[ahead]) ** 2 for y in values.values()])
            begun, alone, total, parameters = time.process_time(), [], numpy.zeros_like(truth), 0
            for seed in range(given["members"]):
                forecaster = fitted(name, values, horizon, seed, settings)
                parameters += sum(p.numel() for p in forecaster.model.parameters())
                said = answers(forecaster, values, origins, settings["point"])
                total += said
                alone.append(float(((said - truth) ** 2).mean()))
                whole = float(((total / len(alone) - truth) ** 2).mean())
                took = f"{forecaster.metrics['steps']} steps, {time.process_time() - begun:.0f} s"
                print(f"{name} {horizon}, {seed + 1}: MSE {alone[-1]:.4f}, ensemble {whole:.4f}; {took}", flush=True)
            print(f"last value {last:.4f}", flush=True)
            if given["validate"]:
                continue
            note = f"mean of the forecasts of {len(alone)} fits; their own MSE {statistics.mean(alone):.4f} on average"
            facts = {
                "seeds": len(alone), "spread": statistics.pstdev(alone), "parameters": parameters, "threads": 1,
                "minutes": (time.process_time() - begun) / 60, "baseline": float(last),
                "note": f"{note}; baseline: the last value; {settings}",
            }  # fmt: skip
            figure = f"{'learning' if name == 'ETTm1' else 'forecast'}/{name.lower()}-{horizon}/mse"
            write("forecast_ett", [record(figure, whole, **facts)])


if __name__ == "__main__":
    main()
