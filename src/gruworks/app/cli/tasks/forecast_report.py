"""`gruworks forecast report`: forecasts, errors and data problems of a run as one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gruworks.app.cli.common.flags import Run
from gruworks.app.cli.common.runs import load
from gruworks.app.cli.common.show import Show
from gruworks.app.plain import Language, plain, rule_words

__all__ = ["Future", "report"]

Future = Annotated[Path | None, typer.Option("--future", help="A file with the covariates of the rows to forecast.")]
FACTS: dict[Language, tuple[str, ...]] = {
    "en": ("run", "series", "rows", "frequency", "network", "optimizer steps"),
    "zh": ("运行目录", "序列数", "行数", "频率", "网络", "优化步数"),
}
SHOWN = 6  # horizons of the history in a chart


def report(
    show: Show,
    run: Run,
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE.csv]", help="Rows after the fit, to evaluate it on.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The HTML file; RUN/report.html if not given.")] = None,
    language: Annotated[Language, typer.Option(help="Language of the page.")] = "en",
    ahead: Future = None,
) -> None:
    """Write one self-contained HTML page: a sentence on the errors, charts of all series, errors, and the data.

    With FILE the errors are those on its rows; without, those on the rows that the fit held out.
    """
    from gruworks.plots.report import write_report

    forecaster = load("forecast", run)
    forecaster.backend = "pandas"
    found = forecaster.evaluate(file) if file is not None else forecaster.held_out()
    tested = "held out" if file is None else "after"
    path = write_report(
        out or run / "report.html", _contents(forecaster, run, found, ahead, tested, language), language
    )
    show.note(f"report  {path}")
    show.result({"report": str(path)})


def _contents(
    forecaster: Any, run: Path, found: Any, ahead: Path | None, tested: str, language: Language
) -> dict[str, Any]:
    """Contents of the page as plain values."""
    config, kind = forecaster.config, forecaster.frequency.kind[0]
    rule = forecaster.blend.naive or "last value"
    evaluation = None
    if found is not None:
        rule = found.best_naive.model
        evaluation = found.to_dict()
        for one in evaluation["scores"]:
            one["model"] = rule_words(one["model"], kind, language)
    steps = f"{config.horizon} steps ahead" if language == "en" else f"未来 {config.horizon} 步"
    return {
        "title": f"{config.target}, {steps}",
        "facts": dict(zip(FACTS[language], _facts(forecaster, run), strict=True)),
        "plain": "" if found is None else plain(found, forecaster.frequency, tested).sentence(language),
        "warnings": forecaster.fit_warnings, "blend": forecaster.combination, "rule": rule_words(rule, kind, language),
        "fans": _fans(forecaster, ahead, rule), "measured": tested, "evaluation": evaluation,
    }  # fmt: skip


def _facts(forecaster: Any, run: Path) -> tuple[Any, ...]:
    """Values of FACTS."""
    return (
        run, len(forecaster.history), sum(map(len, forecaster.history)), forecaster.frequency,
        "–" if forecaster.model is None else forecaster.config.model, forecaster.metrics.get("steps", 0),
    )  # fmt: skip


def _fans(forecaster: Any, ahead: Path | None, rule: str) -> list[dict[str, Any]]:
    """Chart of each series: the end of its history, its forecast, and the naive forecast `rule` beside it."""
    config, frame = forecaster.config, forecaster.predict(level=[80, 95], future=ahead)
    head = "y_hat" if len(config.targets) == 1 else f"{config.targets[0]}_hat"
    parts = {str(name): rows for name, rows in frame.groupby("unique_id", sort=False)}
    shown, fans = max(30, SHOWN * config.horizon), []
    for one in [series for series in forecaster.history if series.target == 0]:
        rows = parts[one.name]
        bands = {end: rows[f"{head}{end}"].to_numpy() for end in ("", "-lo-80", "-hi-80", "-lo-95", "-hi-95")}
        naive = forecaster.naive(one).get(rule)
        name = one.name if len(parts) > 1 else config.target
        history = {"stamps": one.timestamps[-shown:], "y": one.y[-shown:]}
        line = None if naive is None else naive[0]
        fans.append({"name": name, **history, "ahead": rows["ds"].to_numpy(), "naive": line, **bands})
    return fans
