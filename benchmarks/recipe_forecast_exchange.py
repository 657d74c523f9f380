"""Exchange rates of eight currencies by LSTNet's protocol: RSE 3, 6, 12 and 24 days ahead on the last fifth.

    python benchmarks/recipe_forecast_exchange.py [--seeds 3]

60 / 20 / 20 % of 7,588 days in order train, validate and test (Lai et al. 2018); the value h days ahead is forecast
from every day, and RSE is over all currencies together. One global fit, its horizon 24; the RSE of the
last-value forecast is reported too. Exchange rates are close to random walks, so that the benchmark mainly tests the
blending weight.
"""

import argparse
import statistics
import time

import numpy
from forecast_measures import relative_squared_error
from forecasting import exchange_rates, long_frame
from record import record, write

from gruworks import Forecaster
from gruworks.tasks.forecast.series.panel import Series

AHEAD = (3, 6, 12, 24)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    seeds = parser.parse_args().seeds
    values, begun = exchange_rates(), time.process_time()
    rows = len(values["0"])
    fitted, errors, gates = int(0.8 * rows), {h: [] for h in AHEAD}, []
    for seed in range(seeds):
        forecaster = Forecaster(horizon=24, validation=0.25, seed=seed)
        forecaster.fit(long_frame({name: y[:fitted] for name, y in values.items()}), quiet=True)
        gates.append(str(forecaster.blend))
        answers = {}
        for which, (name, y) in enumerate(values.items()):
            origins = numpy.arange(fitted - max(AHEAD), rows - min(AHEAD))
            series = Series(name, numpy.arange(rows), y)
            answers[name] = forecaster.predictor.uncalibrated(series, origins, which)[..., 1]
        for h in AHEAD:
            found, truth, naive = [], [], []
            for name, y in values.items():
                target = numpy.arange(fitted, rows)
                found.append(answers[name][target - h - (fitted - max(AHEAD)), h - 1])
                truth.append(y[target])
                naive.append(y[target - h])
            y, said, last = (numpy.stack(part, 1) for part in (truth, found, naive))
            errors[h].append((relative_squared_error(y, said), relative_squared_error(y, last)))
            print(f"seed {seed}, {h} days: RSE {errors[h][-1][0]:.5f}, last value {errors[h][-1][1]:.5f}", flush=True)
        print(forecaster.blend, flush=True)
    facts = {"seeds": seeds, "threads": 1, "minutes": (time.process_time() - begun) / 60}
    records = []
    for h, found in errors.items():
        ours = [one for one, _ in found]
        facts |= {"spread": statistics.pstdev(ours), "baseline": found[0][1]}
        facts |= {"note": f"baseline: last value; {gates[0]}"}
        records.append(record(f"forecast/exchange-{h}/rse", statistics.mean(ours), **facts))
    write("forecast_exchange", records)


if __name__ == "__main__":
    main()
