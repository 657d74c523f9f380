"""Seattle's daily maximum temperature, 14 days ahead, over 26 rolling origins a fortnight apart in the last 364 days.

    python benchmarks/recipe_forecast_seattle.py [--seeds 5]

One fit on the rows before the first origin; the defaults of `Forecaster`, which were set without these origins. The
value is the mean over seeds; the naive forecasts on the same origins stand in the note.
"""

import argparse
import statistics
import time

import torch
from record import record, write

from gruworks import Forecaster
from gruworks.data.catalogue import seattle_weather


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    seeds = parser.parse_args().seeds
    begun, runs, parameters = time.monotonic(), [], 0
    for seed in range(seeds):
        forecaster = Forecaster(horizon=14, time="date", target="temp_max", seed=seed)
        runs.append(forecaster.evaluate(seattle_weather(), origins=26, quiet=True))
        parameters = sum(p.numel() for p in forecaster.model.parameters())
        ours = runs[-1].ours
        print(f"seed {seed}: MAE {ours.mae:.3f}, MASE {ours.mase:.3f}, coverage {100 * ours.coverage:.0f} %")
    errors = [run.ours.mae for run in runs]
    naive = {one.model: round(one.mae, 3) for one in runs[0].scores if one.coverage is None}
    coverage = statistics.mean(run.ours.coverage for run in runs)
    for model, error in naive.items():
        print(f"{model}: {error}")
    value = statistics.mean(errors)
    print(f"mean {value:.3f}, from {min(errors):.3f} to {max(errors):.3f}")
    facts = {
        "seeds": seeds,
        "spread": statistics.pstdev(errors),
        "parameters": parameters,
        "minutes": (time.monotonic() - begun) / 60,
        "threads": torch.get_num_threads(),
        "baseline": min(naive.values()),
        "note": f"mean over seeds; naive MAE: {naive}; coverage of the 80 % prediction interval {coverage:.2f}",
    }
    write("forecast_seattle", [record("forecast/seattle-14/mae", value, **facts)])


if __name__ == "__main__":
    main()
