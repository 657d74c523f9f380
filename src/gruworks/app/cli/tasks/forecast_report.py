"""`gruworks forecast report`: forecasts, errors and data problems of a run as one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gruworks.app.cli.common.flags import Run
from gruworks.app.cli.common.runs import load
from gruworks.app.cli.common.show import Show
from gruworks.app.plain import plain

__all__ = ["Future", "report"]

Future = Annotated[Path | None, typer.Option("--future", help="A file with the covariates of the rows to forecast.")]
MOST_FANS = 24


def report(
    show: Show,
    run: Run,
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE.csv]", help="Rows after the fit, to evaluate it on.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The HTML file; RUN/report.html if not given.")] = None,
    ahead: Future = None,
) -> None:
    """Write one self-contained HTML page: forecasts, errors by horizon, coverage, skill, and the data's problems.

    With FILE the errors are those on its rows; without, those on the rows that the fit held out.
    """
    from gruworks.plots.report import write_report

    forecaster = load("forecast", run)
    forecaster.backend = "pandas"
    found = forecaster.evaluate(file) if file is not None else forecaster.held_out()
    path = write_report(out or run / "report.html", _contents(forecaster, run, found, ahead, file is None))
    show.note(f"report  {path}")
    show.result({"report": str(path)})


def _contents(forecaster: Any, run: Path, found: Any, ahead: Path | None, held_out: bool) -> dict[str, Any]:
    """Contents of the page as plain values."""
    config = forecaster.config
    frame = forecaster.predict(level=[80, 95], future=ahead)
    head = "y_hat" if len(config.targets) == 1 else f"{config.targets[0]}_hat"
    fans = []
    for one in [s for s in forecaster.history if s.target == 0][:MOST_FANS]:
        rows, shown = frame[frame["unique_id"].astype(str) == one.name], max(30, 6 * config.horizon)
        bands = {end: rows[f"{head}{end}"].to_numpy() for end in ("", "-lo-80", "-hi-80", "-lo-95", "-hi-95")}
        name = one.name if len(forecaster.history) > 1 else config.target
        history = {"stamps": one.timestamps[-shown:], "y": one.y[-shown:]}
        fans.append({"name": name, **history, "ahead": rows["ds"].to_numpy(), **bands})
    return {
        "title": f"{config.target}, {config.horizon} steps ahead",
        "facts": {
            "run": str(run), "series": len(forecaster.history), "rows": sum(map(len, forecaster.history)),
            "frequency": str(forecaster.frequency),
            "model": config.model if forecaster.model is not None else "none: too few rows for a network",
            "steps of the fit": forecaster.metrics.get("steps", 0),
        },
        "plain": _sentence(forecaster, found, held_out),
        "warnings": forecaster.fit_warnings, "blend": forecaster.combination, "fans": fans,
        "measured": "on the rows that the fit held out" if held_out else "on rows after the fit",
        "evaluation": found.to_dict() if found is not None else None,
    }  # fmt: skip


def _sentence(forecaster: Any, found: Any, held_out: bool) -> str:
    """The error beside that of the best simple rule; "" where none was measured."""
    return "" if found is None else plain(found, forecaster.frequency, "held out" if held_out else "after").sentence()
