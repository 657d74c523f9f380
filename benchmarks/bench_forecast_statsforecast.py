"""statsforecast's models on the sets of the recipes, scored by the same formulas.

    python benchmarks/bench_forecast_statsforecast.py PYTHON [--sets weekly hourly seattle] [--models AutoTheta ...]

PYTHON is the interpreter of an environment with benchmarks/requirements-statsforecast.txt. M4 weekly (season 1, as the
competition has it): AutoETS and AutoTheta; hourly (season 24): these, MSTL with seasons 24 and 168, and the value a
week before (SeasonalNaive, season 168); one fit a series, at the end of its training part. Seattle: AutoETS and
AutoTheta, one fit for each of the 26 origins, on all rows before it, season 7 (a year is too long for either). All at
the library's defaults; nothing was chosen. Our own figures on the same rows stand in the records of
recipe_forecast_m4.py and recipe_forecast_seattle.py, and in the note.
"""

import argparse
import json
import subprocess
import tempfile
import time
from pathlib import Path

import forecast_measures as metrics
import numpy
import pandas
from forecasting import M4_HORIZON, NAIVE2, SEASON, long_frame, m4
from record import RESULTS, record, write

from gruworks.data.catalogue import seattle_weather

ENGINE = Path(__file__).with_name("statsforecast_engine.py")
BOTH = ["AutoETS", "AutoTheta"]
MODELS = {"weekly": BOTH, "hourly": ["SeasonalNaive", "MSTL", "AutoTheta", "AutoETS"], "seattle": BOTH}
HORIZON, ORIGINS = 14, 26


def answers(
    python: str, models: list[str], train: dict[str, numpy.ndarray], horizon: int, season: int
) -> dict[str, dict]:
    """Each model's forecasts [horizon] by series."""
    with tempfile.TemporaryDirectory() as folder:
        rows, out = Path(folder) / "train.csv", Path(folder) / "out.csv"
        long_frame(train).to_csv(rows, index=False)
        subprocess.run([python, str(ENGINE), str(rows), str(out), str(horizon), str(season), *models], check=True)
        table = pandas.read_csv(out, dtype={"unique_id": str})
    return {model: {str(n): part[model].to_numpy() for n, part in table.groupby("unique_id")} for model in models}


def of_m4(python: str, rhythm: str, models: list[str]) -> list[dict]:
    train, test = m4(rhythm)
    found, records = answers(python, models, train, M4_HORIZON[rhythm], SEASON[rhythm]), []
    for model in models:
        said = found[model]
        smape = float(numpy.mean([metrics.smape(y, said[name]) for name, y in test.items()]))
        mase = float(numpy.mean([metrics.mase(y, said[n], train[n], SEASON[rhythm]) for n, y in test.items()]))
        owa = metrics.owa(smape, mase, NAIVE2[rhythm])
        note = f"sMAPE {smape:.3f}, MASE {mase:.3f}; ours: {ours(f'forecast/m4-{rhythm}/owa'):.3f}"
        print(f"M4 {rhythm}, {model}: OWA {owa:.3f}, {note}", flush=True)
        records.append(record(f"forecast/m4-{rhythm}/owa-{model.lower()}", owa, threads=1, note=note))
    return records


def of_seattle(python: str, models: list[str]) -> list[dict]:
    y = pandas.read_csv(seattle_weather())["temp_max"].to_numpy(dtype=numpy.float64)
    origins = [len(y) - 1 - HORIZON * (ORIGINS - i) for i in range(ORIGINS)]
    found, records = answers(python, models, {str(t): y[: t + 1] for t in origins}, HORIZON, 7), []
    for model in models:
        mae = float(numpy.mean([numpy.abs(found[model][str(t)] - y[t + 1 : t + 1 + HORIZON]) for t in origins]))
        note = f"refitted at every origin; ours, fitted once: {ours('forecast/seattle-14/mae'):.3f}"
        print(f"Seattle, {model}: MAE {mae:.3f}, {note}", flush=True)
        records.append(record(f"forecast/seattle-14/mae-{model.lower()}", mae, threads=1, note=note))
    return records


def ours(figure: str) -> float:
    """Record of our own forecasts."""
    files = [json.loads(path.read_text(encoding="utf-8")) for path in RESULTS.glob("forecast_*.json")]
    return next(one["value"] for file in files for one in file if one["id"] == figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("python")
    parser.add_argument("--sets", nargs="+", choices=["weekly", "hourly", "seattle"], default=["weekly", "seattle"])
    parser.add_argument("--models", nargs="+", choices=MODELS["hourly"], help="of the set's; all without it")
    given = parser.parse_args()
    for name in given.sets:
        begun = time.monotonic()
        models = [model for model in MODELS[name] if not given.models or model in given.models]
        records = of_seattle(given.python, models) if name == "seattle" else of_m4(given.python, name, models)
        write("forecast_statsforecast", records)
        print(f"{name}: {time.monotonic() - begun:.0f} s", flush=True)


if __name__ == "__main__":
    main()
