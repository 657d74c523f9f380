"""Jena's hourly temperature, 24 hours ahead, by the defaults of `gruworks forecast evaluate`: mean absolute error.

    GRUWORKS_DATA=... python benchmarks/recipe_forecast_jena.py [--seeds 3]

26 origins, 24 hours apart, up to the last row; fitted once before the first of them. The baseline is the best naive
forecast. On 73 origins (the last fifth of the rows) the mean of three seeds was 1.825, that of ridge regression on the
last 96 hours 1.603; these were run first.
"""

from __future__ import annotations

import argparse
import statistics
import time

import pandas
from record import record, write

from gruworks import Forecaster
from gruworks.data.catalogue import data_folder


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    folder, begun = data_folder(), time.process_time()
    if folder is None:
        raise SystemExit("set GRUWORKS_DATA to the folder with the data sets")
    table = pandas.read_csv(folder / "forecast" / "jena_hourly_T.csv.gz")
    found, naive, notes = [], 0.0, []
    for seed in range(given.seeds):
        forecaster = Forecaster(horizon=24, seed=seed)
        result = forecaster.evaluate(table, quiet=True)
        found.append(result.ours.mae)
        naive = result.best_naive.mae
        notes.append(str(forecaster.blend))
        print(f"seed {seed}: {found[-1]:.4f}, naive {naive:.4f}; {notes[-1]}", flush=True)
    facts = {
        "seeds": given.seeds, "spread": statistics.pstdev(found), "baseline": naive,
        "minutes": (time.process_time() - begun) / 60, "note": "; ".join(notes),
    }  # fmt: skip
    write("forecast_jena", [record("learning/jena-24/mae", statistics.mean(found), **facts)])


if __name__ == "__main__":
    main()
