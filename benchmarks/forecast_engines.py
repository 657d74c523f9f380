"""One forecaster on Seattle's temperatures in a process of its own, for bench_forecast_rivals.py: JSON last.

    python benchmarks/forecast_engines.py ENGINE default|tuned SEED              the 26 test origins
    python benchmarks/forecast_engines.py ENGINE choose SEED '{"input_size": 365}'   26 origins of the year before

ENGINE is gruworks, neuralforecast or darts. One fit on the rows before the first origin, then
14-day forecasts a fortnight apart. Fit time is that of the fit call alone, every library imported before it, in
seconds of the processor (one thread) and of the clock. "tuned" takes the settings in forecast_tuned.json, which the
origins of the year before chose.
"""

import json
import sys
import time
import warnings
from pathlib import Path

import numpy
import pandas

HORIZON, ORIGINS = 14, 26
TUNED = Path(__file__).with_name("forecast_tuned.json")


def series() -> pandas.DataFrame:
    import vega_datasets

    frame = pandas.read_csv(vega_datasets.data.seattle_weather.filepath)
    return pandas.DataFrame({"unique_id": "s", "ds": pandas.to_datetime(frame["date"]), "y": frame["temp_max"]})


class Clock:
    """Seconds of the processor and of the clock."""

    def __enter__(self) -> "Clock":
        self.begun = time.process_time(), time.perf_counter()
        return self

    def __exit__(self, *error: object) -> None:
        self.took = time.process_time() - self.begun[0], time.perf_counter() - self.begun[1]


def gruworks(frame: pandas.DataFrame, origins: list[int], options: dict, seed: int) -> tuple[Clock, list]:
    import lightning.pytorch  # noqa: F401  which the others' own imports bring

    from gruworks import Forecaster

    forecaster = Forecaster(horizon=HORIZON, seed=seed, **options)
    with Clock() as clock:
        forecaster.fit(frame[: origins[0] + 1], quiet=True)
    return clock, [forecaster.predict(frame[: t + 1])["y_hat"].to_numpy() for t in origins]


def neuralforecast(frame: pandas.DataFrame, origins: list[int], options: dict, seed: int) -> tuple[Clock, list]:
    from neuralforecast import NeuralForecast
    from neuralforecast.models import GRU

    model = GRU(h=HORIZON, random_seed=seed, enable_progress_bar=False, logger=False, accelerator="cpu", **options)
    whole = NeuralForecast(models=[model], freq="D")
    with Clock() as clock:
        whole.fit(frame[: origins[0] + 1])
    return clock, [whole.predict(df=frame[: t + 1])["GRU"].to_numpy() for t in origins]


def darts(frame: pandas.DataFrame, origins: list[int], options: dict, seed: int) -> tuple[Clock, list]:
    from darts import TimeSeries
    from darts.dataprocessing.transformers import Scaler
    from darts.models import BlockRNNModel

    quiet = {"enable_progress_bar": False, "enable_model_summary": False, "accelerator": "cpu"}
    given = {"input_chunk_length": 28} | options
    model = BlockRNNModel(output_chunk_length=HORIZON, model="GRU", random_state=seed, pl_trainer_kwargs=quiet, **given)
    times = frame.rename(columns={"ds": "time"})
    scaler = Scaler()
    known = TimeSeries.from_dataframe(times[: origins[0] + 1], "time", "y").astype(numpy.float32)
    with Clock() as clock:
        model.fit(scaler.fit_transform(known), verbose=False)
    answers = []
    for t in origins:
        past = TimeSeries.from_dataframe(times[: t + 1], "time", "y").astype(numpy.float32)
        said = model.predict(HORIZON, series=scaler.transform(past), verbose=False, show_warnings=False)
        answers.append(scaler.inverse_transform(said).values()[:, 0])
    return clock, answers


def main() -> None:
    warnings.simplefilter("ignore")
    engine, kind, seed = sys.argv[1], sys.argv[2], int(sys.argv[3])
    frame, options = series(), {}
    if kind == "choose":
        frame, options = frame[: -HORIZON * ORIGINS], json.loads(sys.argv[4])
    elif kind == "tuned":
        options = json.loads(TUNED.read_text(encoding="utf-8"))[engine]["chosen"]
    origins = [len(frame) - 1 - HORIZON * (ORIGINS - i) for i in range(ORIGINS)]
    clock, answers = globals()[engine](frame, origins, options, seed)
    truth = [frame["y"].to_numpy()[t + 1 : t + 1 + HORIZON] for t in origins]
    error = float(numpy.abs(numpy.array(answers) - numpy.array(truth)).mean())
    facts = {"engine": engine, "kind": kind, "options": options, "seed": seed, "mae": error}
    print(json.dumps(facts | {"seconds": clock.took[0], "wall": clock.took[1]}))


if __name__ == "__main__":
    main()
