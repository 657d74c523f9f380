"""`gruworks demo`: the main job on real input, without arguments, in under three minutes."""

from __future__ import annotations

from pathlib import Path

from gruworks.app.cli.common.flags import Debug, Json, Out, Quiet
from gruworks.app.cli.common.show import Show
from gruworks.app.cli.tasks.forecast import draw, show_evaluation
from gruworks.data.catalogue import seattle_weather
from gruworks.training.runs import new_run_path

__all__ = ["demo"]

NUMBERS = [1.0, 2.0, 3.0, 4.0, 5.0]


def demo(out: Out = None, as_json: Json = False, quiet: Quiet = False, debug: Debug = False) -> None:
    """After 1, 2, 3, 4, 5 comes 6, twice; then Seattle's weather, 14 days ahead, beside the naive forecasts."""
    from gruworks import Forecaster
    from gruworks.lab.number_lines.next_number import next_number
    from gruworks.tasks.forecast.config import Config

    show = Show(as_json, quiet)
    show.note("1. After 1, 2, 3, 4, 5 comes")
    answer = float(Forecaster(horizon=1).fit(NUMBERS).predict()["y_hat"][0])
    show.answer(f"   {answer:.1f}  says Forecaster (too few rows to train on: an autoregression on differences alone)")
    unit = next_number(NUMBERS)
    show.answer(f"   {unit.answer:.4f}  says a GRU of 8 units alone, trained on other number lines")

    show.note("\n2. Seattle's daily maximum temperature, 2012 to 2015 (NOAA, public domain)")
    path = seattle_weather()
    config = Config(time="date", target="temp_max")
    show.note("   errors over 26 rolling origins in 2015, one fit before the first:\n")
    result = Forecaster(config).evaluate(path, quiet=not show.talks)
    show_evaluation(show, result)

    show.note("\n3. The next 14 days, from all four years\n")
    run = out or new_run_path("forecast")
    forecaster = Forecaster(config).fit(path, out=run, quiet=not show.talks)
    frame = forecaster.predict()
    show.table(
        [
            {
                "day": str(r["ds"].date()),
                "°C": r["y_hat"],
                "80 % band": f"{r['y_hat-lo-80']:.1f} to {r['y_hat-hi-80']:.1f}",
            }
            for r in frame.to_dict("records")
        ]
    )
    picture = draw(forecaster, frame, Path(run) / "forecast.png")
    show.note(_next(picture, run))
    show.result(
        {"next_number": {"forecaster": answer, "unit": unit.answer}, "evaluation": result.to_dict(), "run": str(run)}
    )


def _next(picture: Path, run: Path) -> str:
    return f"""
picture  {picture}
run      {run}

next
  gruworks forecast predict {run}
  gruworks forecast fit YOUR.csv --time DATE_COLUMN --target VALUE_COLUMN --horizon 14
  gruworks lab trace 1 2 3 4 5
  gruworks try translate "I am hungry."      # the models that come with the package: also verse, transcribe
  gruworks serve                             # all of it in the browser, at the address it prints
  gruworks --help"""
