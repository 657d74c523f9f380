"""`gruworks forecast report`: forecasts, errors and data problems of a run as one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gruworks.app.cli.common.flags import Run
from gruworks.app.cli.common.runs import load
from gruworks.app.cli.common.show import Show
from gruworks.app.notes_zh import frequency_zh, in_chinese
from gruworks.app.plain import Language, plain, rule_words
from gruworks.errors import TooShortError

__all__ = ["Future", "report"]

Future = Annotated[Path | None, typer.Option("--future", help="A file with the covariates of the rows to forecast.")]
FACTS: dict[Language, tuple[str, ...]] = {
    "en": ("run", "series", "rows", "frequency", "network", "optimizer steps"),
    "zh": ("运行目录", "序列数", "行数", "频率", "网络", "优化步数"),
}
COMPONENTS: dict[Language, dict[str, str]] = {
    "en": {
        "trend": "Trend", "day": "Daily season", "week": "Weekly season", "year": "Yearly season",
        "holidays": "Public holidays", "remainder": "Remainder",
        "method": "Trend, seasons and remainder add up to the values (MSTL).",
        "rest": " Those of the other series: gruworks forecast decompose RUN --of NAME.",
    },
    "zh": {
        "trend": "趋势", "day": "日季节性", "week": "周季节性", "year": "年季节性", "holidays": "节假日",
        "remainder": "残差",
        "method": "趋势、季节性与残差之和等于原值（MSTL）。",
        "rest": "其他序列的成分：gruworks forecast decompose RUN --of NAME。",
    },
}  # fmt: skip
SHOWN = 6  # horizons of the history in a chart
DIVIDED, LAST_ROWS, LAST_PERIODS = 3, 10_000, 3  # series with components, their rows, and periods of a season's chart


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
    """Write one self-contained HTML page: a sentence on the errors, charts of all series, errors, components, the data.

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
    notes = [one for one in forecaster.fit_warnings if one != forecaster.combination]
    return {
        "title": f"{config.target}, {steps}",
        "facts": dict(zip(FACTS[language], _facts(forecaster, run, language), strict=True)),
        "plain": "" if found is None else plain(found, forecaster.frequency, tested).sentence(language),
        "warnings": [in_chinese(one) for one in notes] if language == "zh" else notes,
        "blend": in_chinese(forecaster.combination) if language == "zh" else forecaster.combination,
        "skill": forecaster.model is None or forecaster.blend.skill or bool(forecaster.blend.smoothing),
        "rule": rule_words(rule, kind, language),
        "fans": _fans(forecaster, ahead, rule), "measured": tested, "evaluation": evaluation,
        "components": _components(forecaster, language),
    }  # fmt: skip


def _facts(forecaster: Any, run: Path, language: Language) -> tuple[Any, ...]:
    """Values of FACTS."""
    frequency = str(forecaster.frequency)
    return (
        run, len(forecaster.history), sum(map(len, forecaster.history)),
        frequency_zh(frequency) if language == "zh" else frequency,
        "–" if forecaster.model is None else forecaster.config.model, forecaster.metrics.get("steps", 0),
    )  # fmt: skip


def _components(forecaster: Any, language: Language) -> dict[str, Any]:
    """Charts of the components of the first series; of a season those of its last periods."""
    words, found = COMPONENTS[language], []
    names = [one.name for one in forecaster.history if one.target == 0]
    for name in names[:DIVIDED]:
        try:
            whole = forecaster.decompose(name, LAST_ROWS)
        except TooShortError:
            continue
        charts = []
        for part, values in whole.components.items():
            rows = slice(-round(LAST_PERIODS * whole.periods[part]) if part in whole.periods else None, None)
            charts.append((words.get(part, part), whole.timestamps[rows], values[rows]))
        found.append((name, charts))
    return {"method": words["method"] + words["rest"] * (len(names) > DIVIDED), "series": found}


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
