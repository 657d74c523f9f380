"""The toy suite: series whose continuation a person knows.

    python benchmarks/recipe_forecast_toys.py

Short series are forecast by the autoregression on differences alone; sine and trend are learned by the network. Each
value is the largest error relative to the true continuation; for sine and trend it is the MAE divided by that of the
seasonal naive forecast.
"""

import time

import numpy
from record import record, write

from gruworks import Forecaster

TOYS = {
    "one-to-five": ([1, 2, 3, 4, 5], [6]),
    "tens": ([10, 20, 30, 40, 50], [60]),
    "falling": ([5, 4, 3, 2, 1], [0]),
    "thousands": ([1001, 1002, 1003, 1004, 1005], [1006]),
    "constant": ([7, 7, 7, 7, 7], [7, 7, 7]),
    "doubling": ([1, 2, 4, 8, 16], [32]),
    "hundred-more": (list(range(1, 101)), list(range(101, 201))),
}


def main() -> None:
    begun, records = time.process_time(), []
    for name, (known, wanted) in TOYS.items():
        said = Forecaster(horizon=len(wanted)).fit(known, quiet=True).predict()["y_hat"].to_numpy()
        error = float(numpy.max(numpy.abs(said - wanted) / numpy.maximum(1, numpy.abs(wanted))))
        print(f"{name}: largest relative error {error:.2e}", flush=True)
        records.append(record(f"forecast/toys/{name}", error, note="largest relative error"))
    t = numpy.arange(624)
    y = 0.1 * t + 5 * numpy.sin(2 * numpy.pi * t / 24)
    forecaster = Forecaster(horizon=24, periods=(24,)).fit(y[:600], quiet=True)
    ours = float(numpy.abs(forecaster.predict()["y_hat"].to_numpy() - y[600:]).mean())
    naive = float(numpy.abs(y[576:600] - y[600:]).mean())
    print(f"sine and trend: MAE {ours:.4f}, seasonal naive {naive:.4f}; {forecaster.blend}")
    note = f"MAE over the seasonal naive forecast's; {forecaster.blend}"
    facts = {"baseline": 1.0, "note": note, "minutes": (time.process_time() - begun) / 60}
    records.append(record("forecast/toys/sine-and-trend", ours / naive, **facts))
    write("forecast_toys", records)


if __name__ == "__main__":
    main()
