"""Monthly prices of five stocks (vega_datasets), one month ahead, rolling over the last third of each.

    python benchmarks/recipe_forecast_stocks.py [--seeds 3]

One global fit on the first two thirds. The value is the MAE over that of the last value, each symbol over its own,
then their mean. The hit rate of the sign of the next move stands beside it, with its 95 % interval (Wilson). Where the
forecast is the last value, no move is said, and there is nothing to hit.
"""

import argparse
import math
import statistics
import time

import numpy
from record import record, write

from gruworks import Forecaster
from gruworks.tasks.forecast.series.reading import read


def wilson(hits: int, count: int, z: float = 1.96) -> tuple[float, float]:
    """The 95 % interval of a rate."""
    centre = hits / count + z * z / (2 * count)
    wide = z * math.sqrt(hits * (count - hits) / count**3 + z * z / (4 * count**2))
    return (centre - wide) / (1 + z * z / count), (centre + wide) / (1 + z * z / count)


def main() -> None:
    from vega_datasets import data

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    seeds = parser.parse_args().seeds
    frame, begun, values, notes = data.stocks(), time.process_time(), [], {}
    frame = frame.sort_values(["symbol", "date"])
    rows = frame.groupby("symbol").cumcount()
    size = frame.groupby("symbol")["price"].transform("size")
    known = frame[rows < 2 * size // 3]
    for seed in range(seeds):
        forecaster = Forecaster(horizon=1, time="date", target="price", series="symbol", seed=seed)
        forecaster.fit(known, quiet=True)
        ratios = []
        for which, series in enumerate(read(frame, forecaster.config).series):
            origins = numpy.arange(2 * len(series) // 3 - 1, len(series) - 1)
            said = forecaster.predictor.uncalibrated(series, origins, which)[:, 0, 1] - series.y[origins]
            came = series.y[origins + 1] - series.y[origins]
            ratios.append(numpy.abs(came - said).mean() / numpy.abs(came).mean())
            moving = (said != 0) & (came != 0)
            hits, count = int((numpy.sign(said) == numpy.sign(came))[moving].sum()), int(moving.sum())
            low, high = wilson(hits, count) if count else (0.0, 1.0)
            sign = f"sign {hits}/{count} ({low:.2f} to {high:.2f})" if count else "no sign said"
            notes[series.name] = f"{ratios[-1]:.3f}, {sign}"
        values.append(float(numpy.mean(ratios)))
        print(f"seed {seed}: {values[-1]:.4f}; {notes}; {forecaster.blend}", flush=True)
    facts = {
        "seeds": seeds, "spread": statistics.pstdev(values), "baseline": 1.0, "threads": 1,
        "minutes": (time.process_time() - begun) / 60, "note": f"last seed, by symbol: {notes}; {forecaster.blend}",
    }  # fmt: skip
    write("forecast_stocks", [record("forecast/stocks-1/relative-mae", statistics.mean(values), **facts)])


if __name__ == "__main__":
    main()
