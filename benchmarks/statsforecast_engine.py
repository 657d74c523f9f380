"""AutoETS and AutoTheta in the rival's own environment, for bench_forecast_statsforecast.py.

    python benchmarks/statsforecast_engine.py TRAIN.csv OUT.csv HORIZON SEASON

TRAIN.csv has unique_id, ds (0, 1, 2 ...), y; OUT.csv gets unique_id, ds and a column a model. Prints its seconds.
"""

import sys
import time

import pandas
from statsforecast import StatsForecast
from statsforecast.models import AutoETS, AutoTheta


def main() -> None:
    train, out, horizon, season = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    frame, found = pandas.read_csv(train), None
    for model in (AutoETS(season_length=season), AutoTheta(season_length=season)):
        begun = time.process_time()
        table = StatsForecast(models=[model], freq=1, n_jobs=1).forecast(df=frame, h=horizon)
        print(f"{model}: {time.process_time() - begun:.1f} s of the processor", flush=True)
        found = table if found is None else found.merge(table, on=["unique_id", "ds"])
    found.to_csv(out, index=False)


if __name__ == "__main__":
    main()
