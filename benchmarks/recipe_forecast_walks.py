"""100 Gaussian random walks: nothing can be learnt, and the forecaster must say so.

    python benchmarks/recipe_forecast_walks.py [--seeds 3]

Each walk has 400 steps; one global fit on the first 300, horizon 8, then twelve rolling origins. The value is the MAE
over the last value's.
"""

import argparse
import statistics
import time

import numpy
from forecasting import long_frame
from record import record, write

from gruworks import Forecaster


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    seeds = parser.parse_args().seeds
    begun, values, gates = time.process_time(), [], []
    for seed in range(seeds):
        rng = numpy.random.default_rng(seed)
        walks = {f"walk {i}": rng.normal(size=400).cumsum() for i in range(100)}
        forecaster = Forecaster(horizon=8, seed=seed)
        forecaster.fit(long_frame({name: y[:300] for name, y in walks.items()}), quiet=True)
        found = forecaster.evaluate(long_frame(walks))
        last = next(one.mae for one in found.scores if one.model == "last value")
        values.append(found.ours.mae / last)
        gates.append(str(forecaster.blend))
        print(f"seed {seed}: MAE over the last value's {values[-1]:.4f}; {gates[-1]}", flush=True)
    facts = {
        "seeds": seeds, "spread": statistics.pstdev(values), "baseline": 1.0, "threads": 1,
        "minutes": (time.process_time() - begun) / 60, "note": "; ".join(gates),
    }  # fmt: skip
    write("forecast_walks", [record("forecast/random-walk/relative-mae", statistics.mean(values), **facts)])


if __name__ == "__main__":
    main()
