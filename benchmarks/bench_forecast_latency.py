"""Latency of a loaded forecaster: `predict` of one series, and `observe` of one value.

    python benchmarks/bench_forecast_latency.py

Seattle's daily maximum temperature, 14 days ahead, defaults; a short fit, since weights do not change the time. Medians
of single calls, one thread. `predict()` goes on from the state that it carries and makes a pandas frame; the first
call after loading, which encodes the history, and `predict(frame)` of a whole new history stand in the note.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pandas
import torch
from record import record, write

from gruworks import Forecaster
from gruworks.data.catalogue import seattle_weather


def milliseconds(call: Callable[[], object], times: int) -> float:
    found = []
    for _ in range(times):
        begun = time.perf_counter()
        call()
        found.append(time.perf_counter() - begun)
    return 1000 * statistics.median(found)


def main() -> None:
    torch.set_num_threads(1)
    frame = pandas.read_csv(seattle_weather())
    with tempfile.TemporaryDirectory() as folder:
        settings = {"horizon": 14, "time": "date", "target": "temp_max", "steps": 40}
        path = Forecaster(**settings).fit(frame, quiet=True).save(Path(folder) / "run")
        loaded = Forecaster.load(path)
        first = milliseconds(loaded.predict, 1)
        again = milliseconds(loaded.predict, 300)
        whole = milliseconds(lambda: loaded.predict(frame), 15)
        values = iter(frame["temp_max"].tolist() * 3)
        observed = milliseconds(lambda: loaded.observe(next(values)), 3000)
    print(f"predict {again:.3f} ms, the first after loading {first:.2f} ms, of a new frame {whole:.2f} ms")
    print(f"observe {observed:.4f} ms")
    note = f"pandas frame; the first call after loading {first:.2f} ms; predict(frame) of 1,461 rows {whole:.2f} ms"
    facts = {"threads": 1, "note": note}
    records = [
        record("forecast/predict/ms", again, **facts),
        record("forecast/observe/ms", observed, threads=1, note="median, 14 steps, 80 % interval, fitted blending"),
    ]
    write("forecast_latency", records)


if __name__ == "__main__":
    main()
