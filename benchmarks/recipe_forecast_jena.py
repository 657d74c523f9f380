"""Jena's hourly temperature, 24 hours ahead, with the defaults: mean absolute error on the last fifth of the rows.

    GRUWORKS_DATA=... python benchmarks/recipe_forecast_jena.py [--seeds 3]

Fitted once to the first four fifths, forecasts at origins 24 hours apart in the rest, which chose nothing. The baseline
is the best naive forecast over the same origins.
"""

from __future__ import annotations

import argparse
import statistics
import time

import pandas
from record import record, write

from gruworks import Forecaster
from gruworks.data.catalogue import data_folder

HORIZON, TEST = 24, 0.2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    folder, begun = data_folder(), time.process_time()
    if folder is None:
        raise SystemExit("set GRUWORKS_DATA to the folder with the data sets")
    table = pandas.read_csv(folder / "forecast" / "jena_hourly_T.csv.gz")
    origins = int(TEST * len(table)) // HORIZON
    found, naive, notes = [], 0.0, []
    for seed in range(given.seeds):
        forecaster = Forecaster(horizon=HORIZON, seed=seed)
        result = forecaster.evaluate(table, origins=origins, quiet=True)
        found.append(result.ours.mae)
        naive = result.best_naive.mae
        notes.append(str(forecaster.blend))
        print(f"seed {seed}: {found[-1]:.4f}, naive {naive:.4f}; {notes[-1]}", flush=True)
    facts = {
        "seeds": given.seeds, "spread": statistics.pstdev(found), "baseline": naive,
        "minutes": (time.process_time() - begun) / 60, "note": f"{origins} origins; {'; '.join(notes)}",
    }  # fmt: skip
    write("forecast_jena", [record("learning/jena-24/mae", statistics.mean(found), **facts)])


if __name__ == "__main__":
    main()
