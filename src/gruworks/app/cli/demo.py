"""`gruworks demo`: forecasts of real data, without arguments, in under three minutes."""

from __future__ import annotations

from pathlib import Path

from gruworks.app.cli.common.flags import Out
from gruworks.app.cli.common.show import Show
from gruworks.app.cli.tasks.forecast import draw, show_evaluation
from gruworks.data.catalogue import seattle_weather
from gruworks.training.runs import new_run_path

__all__ = ["demo"]

NUMBERS = [1.0, 2.0, 3.0, 4.0, 5.0]


def demo(show: Show, out: Out = None) -> None:
    """Continue 1, 2, 3, 4, 5 by two models; then forecast Seattle's weather, 14 days ahead, beside naive forecasts."""
    from gruworks import Forecaster
    from gruworks.lab.number_lines.next_number import next_number
    from gruworks.tasks.forecast.config import Config

    show.note("1. After 1, 2, 3, 4, 5 comes")
    answer = float(Forecaster(horizon=1).fit(NUMBERS).predict()["y_hat"][0])
    show.answer(f"   {answer:.1f}  by Forecaster (too few rows for a network: an autoregression on differences)")
    unit = next_number(NUMBERS)
    show.answer(f"   {unit.answer:.4f}  by a GRU of hidden size 8 alone, trained on other arithmetic sequences")

    show.note("\n2. Seattle's daily maximum temperature, 2012 to 2015 (NOAA, public domain)")
    path = seattle_weather()
    config = Config(time="date", target="temp_max")
    show.note("   errors over 26 rolling origins in 2015, one fit before the first:\n")
    tested = Forecaster(config)
    result = tested.evaluate(path, quiet=not show.talks)
    show_evaluation(show, result, tested.frequency, "past")

    show.note("\n3. The next 14 days, from all four years\n")
    run = out or new_run_path("forecast")
    forecaster = Forecaster(config).fit(path, out=run, quiet=not show.talks)
    frame = forecaster.predict()
    rows = frame.to_dict("records")
    show.table([{"day": str(r["ds"].date()), "°C": r["y_hat"], "80 % prediction interval": _interval(r)} for r in rows])
    (picture,) = draw(forecaster, frame, Path(run) / "forecast.png")
    show.note(_next(picture, run))
    show.result(
        {"next_number": {"forecaster": answer, "unit": unit.answer}, "evaluation": result.to_dict(), "run": str(run)}
    )


def _interval(row: dict[str, float]) -> str:
    return f"{row['y_hat-lo-80']:.1f} to {row['y_hat-hi-80']:.1f}"


def _next(picture: Path, run: Path) -> str:
    return f"""
picture  {picture}
run      {run}

next
  gruworks forecast predict {run}
  gruworks forecast fit YOUR.csv --horizon 14
  gruworks lab trace 1 2 3 4 5
  gruworks try translate "I am hungry."      # models that come with the package; also: verse, transcribe
  gruworks serve                             # all tasks in the browser, at the address it prints
  gruworks --help"""
