"""`gruworks forecast`: fit, predict, update, evaluate, explain, decompose, check, report."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy
import typer

from gruworks.app.cli.common.fitting import fit_command
from gruworks.app.cli.common.flags import ReportFolder, Run, command
from gruworks.app.cli.common.runs import load, load_or_new, report
from gruworks.app.cli.common.show import Show
from gruworks.app.cli.tasks import forecast_check, forecast_report
from gruworks.app.plain import plain
from gruworks.errors import OptionError, RunError
from gruworks.tasks.forecast.config import Config, Options
from gruworks.training.runs import write_atomically

if TYPE_CHECKING:
    from gruworks.tasks.forecast.estimator import Forecaster
    from gruworks.tasks.forecast.evaluation import Evaluation
    from gruworks.tasks.forecast.series.frequency import Frequency
    from gruworks.tasks.forecast.series.panel import Panel

__all__ = ["app", "draw", "rows", "show_evaluation"]

app = typer.Typer(no_args_is_help=True)

File = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help="A table with a header: CSV, Parquet, Arrow or .xlsx, compressed or not; - is standard input.",
        show_default=False,
    ),
]
Newer = Annotated[Path, typer.Argument(metavar="FILE", help="Newer rows: one or more.", show_default=False)]
Level = Annotated[str, typer.Option(help="Levels of the prediction intervals in percent, such as 80,95.")]
MOST_ROWS = 50  # of a forecast that are printed
HISTORY_SHOWN = 8  # length of the history in a picture, in horizons


def fitted(show: Show, forecaster: Forecaster, path: Path) -> dict[str, Any]:
    """Fit a model to a CSV; write a run folder with the model, its forecast as CSV and as a picture."""
    found = forecaster.held_out() if show.talks else None
    if found is not None:
        show.note(plain(found, forecaster.frequency, "held out").sentence() + "\n")
    if forecaster.config.future and not _knows_ahead(forecaster):
        show.note(f"fitted; its forecast needs the covariates ahead: gruworks forecast predict {path} --future FILE")
        return _facts(forecaster, None)
    frame = show_forecast(show, forecaster, path)
    show.note(f"\nrun    {path}\nnext   gruworks forecast predict {path}")
    return _facts(forecaster, frame)


fit_command(app, "forecast", File, fitted)


@command(app)
def predict(
    show: Show,
    run: Run,
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="Newer rows to forecast from: one or more.")
    ] = None,
    level: Level = "80",
    ahead: forecast_report.Future = None,
    mean: Annotated[bool, typer.Option("--mean", help="Add the mean, for sums and for intermittent demand.")] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for forecast.csv and .png; RUN if not given.")] = None,
) -> None:
    """Forecast from a run: after its own last row, or after the last row of FILE.

    Rows of FILE are joined to the fitted ones by their times: they replace rows of the same time, and rows that are
    skipped are missing. A file that is no continuation is a history of its own.
    """
    forecaster = _load(run)
    frame = show_forecast(show, forecaster, out or run, file, _levels(level), ahead, mean)
    show.result({"run": str(run), **_facts(forecaster, frame)})


@command(app)
def update(show: Show, run: Run, file: Newer) -> None:
    """Store the rows of FILE in a run, so that its forecasts begin after them. Nothing is trained."""
    forecaster = _load(run)
    panel = forecaster.read(file)
    for note in panel.notes:
        show.note(note)
    forecaster.update(panel, run)
    ends = {one.name: str(one.timestamps[-1]) for one in forecaster.history}
    show.answer(f"run    {run}: {sum(map(len, forecaster.history))} rows, up to {_day(max(ends.values()))}")
    show.note(f"next   gruworks forecast predict {run}")
    show.result({"run": str(run), "notes": list(panel.notes), "last": {name: _day(end) for name, end in ends.items()}})


@command(app, details=True)
def evaluate(
    show: Show,
    sources: Annotated[
        list[Path], typer.Argument(metavar="[RUN] FILE.csv", help="A CSV, or a run folder and a CSV with newer rows.")
    ],
    *,
    out: ReportFolder = None,
    config: Config,
    options: Options,
) -> None:
    """Errors over rolling origins beside those of naive forecasts, of one fit before the first origin or of a run."""
    if sources[-1].is_dir():
        raise OptionError(f"{sources[-1]} is a folder: name the CSV to evaluate on, after the run")
    forecaster = load_or_new("forecast", sources, config)
    result = forecaster.evaluate(sources[-1], origins=options.origins, refit=options.refit, quiet=not show.talks)
    _warn(show, forecaster, forecaster.fit_warnings)
    show_evaluation(show, result, forecaster.frequency, "after" if len(sources) > 1 else "past")
    report(show, result, out)


@command(app)
def explain(
    show: Show,
    run: Run,
    series: Annotated[str | None, typer.Option("--of", help="Name of the series, where there are several.")] = None,
    step: Annotated[int | None, typer.Option(help="Step ahead; the mean over all if not given.")] = None,
) -> None:
    """Attribute the forecast of a run to its inputs and their lags, and show how long the hidden state remembers."""
    found = _load(run).explain(series, step)
    show.answer(str(found))
    show.result(dataclasses.asdict(found))


@command(app)
def decompose(
    show: Show,
    run: Run,
    series: Annotated[str | None, typer.Option("--of", help="Name of the series, where there are several.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for components.csv and .png; RUN if not given.")] = None,
) -> None:
    """Divide the series of a run into trend, seasons, holiday effect and remainder, by MSTL."""
    from gruworks.plots.components import draw_components

    found = _load(run).decompose(series)
    frame, folder = found.frame(), out or run
    write_atomically(folder / "components.csv", frame.to_csv(index=False).encode())
    title = f"{found.name}: components" if series else "components"
    picture = draw_components(folder / "components.png", title, found.timestamps, {"y": found.y} | found.components)
    ranges = [
        {"component": name, "lowest": float(numpy.nanmin(values)), "highest": float(numpy.nanmax(values))}
        for name, values in found.components.items()
    ]
    show.table(ranges)
    show.note(f"\ncomponents  {folder / 'components.csv'}\npicture     {picture}")
    show.result({"run": str(run), "components": ranges, "table": str(folder / "components.csv")})


command(app)(forecast_check.check)
command(app)(forecast_report.report)


def show_forecast(
    show: Show,
    forecaster: Forecaster,
    folder: Path,
    file: Path | None = None,
    level: tuple[float, ...] = (80,),
    ahead: Path | None = None,
    mean: bool = False,
) -> Any:
    """Write the forecast to `folder` as forecast.csv and forecast.png, print it, and return its frame."""
    panel = None if file is None else forecaster.read(file)
    _warn(show, forecaster, forecaster.fit_warnings if panel is None else panel.notes)
    frame = forecaster.predict(panel, level=level, future=ahead, mean=mean)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        frame.to_csv(folder / "forecast.csv", index=False)
        pictures = draw(forecaster, frame, folder / "forecast.png", panel, level)
    except OSError as error:
        raise RunError(f"can't write to {folder}: {error.strerror}") from error
    show_frame(show, frame, folder / "forecast.csv")
    more = f" and {len(pictures) - 1} more pages" if len(pictures) > 1 else ""
    show.note(f"\nforecast  {folder / 'forecast.csv'}\npicture   {pictures[0]}{more}")
    return frame


def _warn(show: Show, forecaster: Forecaster, warnings: Iterable[str]) -> None:
    """Print warnings; the weights of the combination are a detail."""
    for warning in warnings:
        (show.detail if warning == forecaster.combination else show.note)(warning)


def show_frame(show: Show, frame: Any, path: Path) -> None:
    """Print the first rows of a forecast, and tell how many follow in the file `path`; short column names."""
    found = rows(frame)
    single = len({row["unique_id"] for row in found}) == 1
    shown = [{_short(n): v for n, v in row.items() if not (single and n == "unique_id")} for row in found[:MOST_ROWS]]
    show.table(shown, whole=True)
    if len(found) > MOST_ROWS:
        show.note(f"... and {len(found) - MOST_ROWS} more rows in {path}")


def _short(name: str) -> str:
    """The name of a column in a narrow table: "lo 80" for "y_hat-lo-80"."""
    return name.removeprefix("y_hat-").replace("-", " ") if name.startswith("y_hat-") else name


def draw(
    forecaster: Forecaster, frame: Any, path: Path, panel: Panel | None = None, level: tuple[float, ...] = (80,)
) -> list[Path]:
    """The pictures of all series: the end of each history and its forecast with all intervals."""
    from gruworks.plots.fan import Fan, draw_fans

    config = forecaster.config
    series = [one for one in (forecaster.history if panel is None else panel.series) if one.target == 0]
    shown = max(30, HISTORY_SHOWN * config.horizon)
    parts = {str(name): rows for name, rows in frame.groupby("unique_id", sort=False)}
    head = "y_hat" if len(config.targets) == 1 else f"{config.targets[0]}_hat"
    fans = []
    for one in series:
        ahead = parts[one.name]
        bands = {
            f"{share:g} % interval": tuple(ahead[f"{head}-{side}-{share:g}"].to_numpy() for side in ("lo", "hi"))
            for share in sorted(level, reverse=True)
        }
        title = f"{config.target}, {config.horizon} steps ahead ({forecaster.frequency})"
        title = title if len(series) == 1 else one.name
        past = one.timestamps[-shown:], one.y[-shown:]
        fans.append(Fan(title, *past, ahead["ds"].to_numpy(), ahead[head].to_numpy(), bands))
    return draw_fans(path, fans)


def show_evaluation(show: Show, result: Evaluation, frequency: Frequency, tested: str) -> None:
    """Print a sentence on the errors, the errors, best first, and as details what they were measured on.

    Args:
        tested: see `Plain`.
    """
    show.note(plain(result, frequency, tested).sentence() + "\n")
    scores = [
        {"model": s.model, "MAE": s.mae, f"MASE ({result.mase_season})": "" if s.mase is None else s.mase,
         "80 % coverage": "" if s.coverage is None else f"{100 * s.coverage:.0f} %"}
        for s in result.scores
    ]  # fmt: skip
    show.table(scores)
    show.detail(
        f"\nrolling origins: {result.origins}, from {_day(result.first_origin)} to {_day(result.last_origin)}; "
        f"steps ahead: {result.horizon}; MASE is over the error of the naive forecast at lag {result.mase_season}"
    )
    ours, naive = result.ours.mae, result.best_naive.mae
    verdict = f"is {100 * (1 - ours / naive):.1f} % better than" if ours < naive else "has no skill over"
    show.detail(f"{result.ours.model} {verdict} the best naive forecast, {result.best_naive.model}.")
    if result.verdict:
        show.detail(f"blend: {result.verdict}")


def _load(run: Path) -> Forecaster:
    from gruworks.tasks.forecast.series.columns import FrameTypes

    forecaster: Forecaster = load("forecast", run)
    # for the tables and files here, whatever the fit was on
    forecaster.backend, forecaster.types = "pandas", FrameTypes()
    return forecaster


def _facts(forecaster: Forecaster, frame: Any) -> dict[str, Any]:
    ahead = [] if frame is None else rows(frame)
    return {"warnings": forecaster.fit_warnings, "metrics": forecaster.metrics, "forecast": ahead}


def _levels(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(",") if part.strip())
    except ValueError:
        raise OptionError(f"--level {text!r} is not a list of percentages such as 80,95") from None


def _knows_ahead(forecaster: Forecaster) -> bool:
    """True where the data contain the covariates of the rows to forecast."""
    wanted = forecaster.config.horizon
    return all(len(v) >= len(s) + wanted for s in forecaster.history for v in s.future.values())


def rows(frame: Any) -> list[dict[str, Any]]:
    """The rows of a forecast, timestamps as short text."""
    found = frame.to_dict("records")
    return [{n: _day(v.isoformat()) if hasattr(v, "isoformat") else v for n, v in row.items()} for row in found]


def _day(timestamp: str) -> str:
    return timestamp.split(".")[0].removesuffix("T00:00:00")
