"""One forecaster on Seattle's temperatures in a process of its own, for bench_forecast_rivals.py: JSON last.

    python benchmarks/forecast_engines.py gruworks|neuralforecast|darts default|tuned SEED

One fit on the rows before the first of 26 origins, then 14-day forecasts a fortnight apart. "tuned" gives a rival a
longer look-back and the steps that suit it. Fit time is that of the fit call alone.
"""

import json
import sys
import time
import warnings

import numpy
import pandas

HORIZON, ORIGINS = 14, 26


def series() -> pandas.DataFrame:
    import vega_datasets

    frame = pandas.read_csv(vega_datasets.data.seattle_weather.filepath)
    return pandas.DataFrame({"unique_id": "s", "ds": pandas.to_datetime(frame["date"]), "y": frame["temp_max"]})


def gruworks(frame: pandas.DataFrame, origins: list[int], tuned: bool, seed: int) -> tuple[float, list]:
    from gruworks import Forecaster

    forecaster = Forecaster(horizon=HORIZON, seed=seed)
    begun = time.perf_counter()
    forecaster.fit(frame[: origins[0] + 1], quiet=True)
    took = time.perf_counter() - begun
    return took, [forecaster.predict(frame[: t + 1])["y_hat"].to_numpy() for t in origins]


def neuralforecast(frame: pandas.DataFrame, origins: list[int], tuned: bool, seed: int) -> tuple[float, list]:
    from neuralforecast import NeuralForecast
    from neuralforecast.models import GRU

    options = {"input_size": 365, "max_steps": 100} if tuned else {}
    model = GRU(h=HORIZON, random_seed=seed, enable_progress_bar=False, logger=False, **options)
    whole = NeuralForecast(models=[model], freq="D")
    begun = time.perf_counter()
    whole.fit(frame[: origins[0] + 1])
    took = time.perf_counter() - begun
    return took, [whole.predict(df=frame[: t + 1])["GRU"].to_numpy() for t in origins]


def darts(frame: pandas.DataFrame, origins: list[int], tuned: bool, seed: int) -> tuple[float, list]:
    from darts import TimeSeries
    from darts.dataprocessing.transformers import Scaler
    from darts.models import BlockRNNModel

    size = 120 if tuned else 28
    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "accelerator": "cpu"}
    options = {"n_epochs": 20} if tuned else {}
    model = BlockRNNModel(size, HORIZON, model="GRU", random_state=seed, pl_trainer_kwargs=quiet, **options)
    times = frame.rename(columns={"ds": "time"})
    scaler = Scaler()
    known = TimeSeries.from_dataframe(times[: origins[0] + 1], "time", "y").astype(numpy.float32)
    begun = time.perf_counter()
    model.fit(scaler.fit_transform(known), verbose=False)
    took = time.perf_counter() - begun
    answers = []
    for t in origins:
        past = TimeSeries.from_dataframe(times[: t + 1], "time", "y").astype(numpy.float32)
        said = model.predict(HORIZON, series=scaler.transform(past), verbose=False, show_warnings=False)
        answers.append(scaler.inverse_transform(said).values()[:, 0])
    return took, answers


def main() -> None:
    warnings.simplefilter("ignore")
    engine, tuned, seed = sys.argv[1], sys.argv[2] == "tuned", int(sys.argv[3])
    frame = series()
    origins = [len(frame) - 1 - HORIZON * (ORIGINS - i) for i in range(ORIGINS)]
    took, answers = globals()[engine](frame, origins, tuned, seed)
    truth = [frame["y"].to_numpy()[t + 1 : t + 1 + HORIZON] for t in origins]
    error = float(numpy.abs(numpy.array(answers) - numpy.array(truth)).mean())
    print(json.dumps({"engine": engine, "tuned": tuned, "seed": seed, "seconds": took, "mae": error}))


if __name__ == "__main__":
    main()
