"""`gruworks forecast`: fit, predict, evaluate, explain, report."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gruworks.app.cli.common.fitting import fit_command
from gruworks.app.cli.common.flags import Debug, Json, Quiet, agree, takes
from gruworks.app.cli.common.runs import begin, load
from gruworks.app.cli.common.show import Show
from gruworks.app.cli.tasks.forecast_report import report
from gruworks.errors import OptionError, RunError
from gruworks.tasks.forecast.config import Config, Options
from gruworks.training.runs import write_atomically

if TYPE_CHECKING:
    from gruworks.tasks.forecast.estimator import Forecaster
    from gruworks.tasks.forecast.evaluation import Evaluation

__all__ = ["app", "draw", "show_evaluation", "show_forecast"]

app = typer.Typer(no_args_is_help=True)

File = Annotated[
    Path, typer.Argument(metavar="FILE.csv", help="A CSV with a header line, or a Parquet file.", show_default=False)
]
Level = Annotated[str, typer.Option("--level", help="Levels of the prediction intervals in percent, such as 80,95.")]
Future = Annotated[Path | None, typer.Option("--future", help="A file with the covariates of the rows to forecast.")]
Run = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder that `forecast fit` wrote.", show_default=False)]
HISTORY_SHOWN = 8  # horizons of the past in a picture


@fit_command(app, "forecast", Config, File)
def fitted(show: Show, forecaster: Forecaster, path: Path) -> dict[str, Any]:
    """Learn from a CSV; leave a run folder with the model, its forecast as CSV and as a picture."""
    if forecaster.config.future and not _knows_ahead(forecaster):
        show.note(f"fitted; its forecast needs the covariates ahead: gruworks forecast predict {path} --future FILE")
        return _facts(forecaster, None)
    frame = show_forecast(show, forecaster, path)
    show.note(f"\nrun    {path}\nnext   gruworks forecast predict {path}")
    return _facts(forecaster, frame)


@app.command("predict")
def predict(
    run: Run,
    file: Annotated[Path | None, typer.Argument(metavar="[FILE.csv]", help="Newer rows to forecast from.")] = None,
    level: Level = "80",
    ahead: Future = None,
    out: Annotated[Path | None, typer.Option(help="Folder for forecast.csv and .png; RUN if not given.")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Forecast from a run: after its own last row, or after the last row of FILE.csv."""
    show = Show(as_json, quiet)
    forecaster = _load(run)
    frame = show_forecast(show, forecaster, out or run, file, _levels(level), ahead)
    show.result({"run": str(run), **_facts(forecaster, frame)})


@app.command("evaluate")
@takes(Options, into="options")
@takes(Config)
def evaluate(
    sources: Annotated[
        list[Path], typer.Argument(metavar="[RUN] FILE.csv", help="A CSV, or a run folder and a CSV with newer rows.")
    ],
    *,
    config: Config,
    options: Options,
    out: Annotated[Path | None, typer.Option("--out", help="Folder to write evaluation.json to.")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Rolling-origin errors beside the naive forecasts': one fit before the first origin, or a given run."""
    if len(sources) > 2 or (len(sources) == 2 and not sources[0].is_dir()):
        raise OptionError(
            "evaluate takes FILE.csv, or a run folder and FILE.csv: gruworks forecast evaluate [RUN] FILE.csv"
        )
    if sources[-1].is_dir():
        raise OptionError(f"{sources[-1]} is a folder: name the CSV to evaluate on, after the run")
    show = Show(as_json, quiet)
    forecaster = _load(sources[0]) if len(sources) == 2 else begin("forecast", config, None, None)[0]
    agree(config, forecaster.config, sources[0])
    result = forecaster.evaluate(sources[-1], origins=options.origins, refit=options.refit, quiet=not show.talks)
    for warning in forecaster.fit_warnings:
        show.note(warning)
    if out is not None:
        write_atomically(out / "evaluation.json", (json.dumps(result.to_dict(), indent=2) + "\n").encode())
    show_evaluation(show, result)
    show.result(result.to_dict())


@app.command("explain")
def explain(
    run: Run,
    series: Annotated[str | None, typer.Option("--of", help="The series, where there are several.")] = None,
    step: Annotated[int | None, typer.Option(help="Which step ahead; their mean if not given.")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Say what moved the forecast of a run: inputs, how long ago they were read, and how long the units remember."""
    show = Show(as_json, quiet)
    found = _load(run).explain(series, step)
    show.answer(str(found))
    show.result(dataclasses.asdict(found))


app.command("report")(report)


def show_forecast(
    show: Show,
    forecaster: Forecaster,
    folder: Path,
    file: Path | None = None,
    level: tuple[float, ...] = (80,),
    ahead: Path | None = None,
) -> Any:
    """Write the forecast to `folder` as forecast.csv and forecast.png, print it, and return its frame."""
    for warning in forecaster.fit_warnings:
        show.note(warning)
    frame = forecaster.predict(file, level=level, future=ahead)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        frame.to_csv(folder / "forecast.csv", index=False)
        picture = draw(forecaster, frame, folder / "forecast.png", file, max(level))
    except OSError as error:
        raise RunError(f"can't write to {folder}: {error.strerror}") from error
    show.table([{name: _plain(value) for name, value in row.items()} for row in frame.to_dict("records")][:50])
    show.note(f"\nforecast  {folder / 'forecast.csv'}\npicture   {picture}")
    return frame


def draw(forecaster: Forecaster, frame: Any, path: Path, file: Path | None = None, level: float = 80) -> Path:
    """The picture of the first series: the last horizons of its history, and what follows."""
    from gruworks.plots.fan import draw_fan
    from gruworks.tasks.forecast.series.reading import read

    series = (forecaster.history if file is None else read(file, forecaster.config).series)[0]
    shown = max(30, HISTORY_SHOWN * forecaster.config.horizon)
    rows = frame[frame["unique_id"] == series.name]
    title = f"{forecaster.config.target}, {forecaster.config.horizon} steps ahead ({forecaster.frequency})"
    targets = forecaster.config.targets
    name = "y_hat" if len(targets) == 1 else f"{targets[0]}_hat"
    return draw_fan(
        path, title, series.timestamps[-shown:], series.filled()[-shown:], rows["ds"].to_numpy(), rows[name].to_numpy(),
        rows[f"{name}-lo-{level:g}"].to_numpy(), rows[f"{name}-hi-{level:g}"].to_numpy(), f"{level:g} % band",
    )  # fmt: skip


def show_evaluation(show: Show, result: Evaluation) -> None:
    """The table of errors, best first, and one line that says who won."""
    rows = [
        {"model": s.model, "MAE": s.mae, f"MASE ({result.mase_season})": "" if s.mase is None else s.mase,
         "80 % band holds": "" if s.coverage is None else f"{100 * s.coverage:.0f} %"}
        for s in result.scores
    ]  # fmt: skip
    show.table(rows)
    show.note(
        f"\nrolling origins: {result.origins}, from {_day(result.first_origin)} to {_day(result.last_origin)}; "
        f"steps ahead: {result.horizon}; MASE is over the error of the naive forecast at lag {result.mase_season}"
    )
    ours, naive = result.ours.mae, result.best_naive.mae
    verdict = f"is {100 * (1 - ours / naive):.1f} % better than" if ours < naive else "has no skill over"
    show.note(f"{result.ours.model} {verdict} the best naive forecast, {result.best_naive.model}.")
    if result.verdict:
        show.note(f"blend: {result.verdict}")


def _load(run: Path) -> Forecaster:
    forecaster: Forecaster = load("forecast", run)
    forecaster.backend = "pandas"  # tables and files are made from it here, whatever the fit was on
    return forecaster


def _facts(forecaster: Forecaster, frame: Any) -> dict[str, Any]:
    found = [] if frame is None else frame.to_dict("records")
    rows = [{name: _plain(value) for name, value in row.items()} for row in found]
    return {"warnings": forecaster.fit_warnings, "metrics": forecaster.metrics, "forecast": rows}


def _levels(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(",") if part.strip())
    except ValueError:
        raise OptionError(f"--level {text!r} is not a list of percentages such as 80,95") from None


def _knows_ahead(forecaster: Forecaster) -> bool:
    """True where the data held the covariates of the rows to forecast."""
    wanted = forecaster.config.horizon
    return all(len(v) >= len(s) + wanted for s in forecaster.history for v in s.future.values())


def _plain(value: Any) -> Any:
    """Time stamps as short text, numbers as they are."""
    return _day(value.isoformat()) if hasattr(value, "isoformat") else value


def _day(stamp: str) -> str:
    return stamp.split(".")[0].removesuffix("T00:00:00")
