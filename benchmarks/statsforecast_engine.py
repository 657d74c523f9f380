"""statsforecast's models in the rival's own environment, for bench_forecast_statsforecast.py.

    python benchmarks/statsforecast_engine.py TRAIN.csv OUT.csv HORIZON SEASON MODEL...

TRAIN.csv has unique_id, ds (0, 1, 2 ...), y; OUT.csv gets unique_id, ds and a column a model. Prints its seconds.
MSTL takes the seasons 24 and 168 away, and AutoETS without a season forecasts the rest; SeasonalNaive has season 168.
"""

import sys
import time

import pandas
from statsforecast import StatsForecast
from statsforecast.models import MSTL, AutoETS, AutoTheta, SeasonalNaive

WEEK = 168


def main() -> None:
    train, out, horizon, season = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    frame, found = pandas.read_csv(train), None
    for model in map(made(season).__getitem__, sys.argv[5:]):
        begun = time.process_time()
        table = StatsForecast(models=[model], freq=1, n_jobs=1).forecast(df=frame, h=horizon)
        print(f"{model}: {time.process_time() - begun:.1f} s of the processor", flush=True)
        found = table if found is None else found.merge(table, on=["unique_id", "ds"])
    found.to_csv(out, index=False)


def made(season: int) -> dict[str, object]:
    return {
        "AutoETS": AutoETS(season_length=season),
        "AutoTheta": AutoTheta(season_length=season),
        "MSTL": MSTL(season_length=[24, WEEK], trend_forecaster=AutoETS(model="ZZN")),
        "SeasonalNaive": SeasonalNaive(season_length=WEEK),
    }


if __name__ == "__main__":
    main()
