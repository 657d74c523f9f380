"""A forecast report: one HTML file with its pictures inside (SVG), no script, nothing loaded from elsewhere."""

from __future__ import annotations

import html
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy
from numpy.typing import NDArray

from gruworks.errors import require

__all__ = ["bars_svg", "fan_svg", "line_svg", "write_report"]

Floats = NDArray[numpy.float64]
Language = Literal["en", "zh"]
WIDTH, HEIGHT, LOW, LEFT, RIGHT, TOP, BOTTOM = 720, 232, 140, 64, 12, 12, 38
GLYPH = 6.3  # the mean width of a label's characters
OPEN_CHARTS = 24  # that are shown at once
DENSE = 720  # points of a line, above which it is drawn by the lowest and highest of each stretch
FIRST_DATE = "0001"
WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "lang": "en", "forecasts": "Forecasts", "data": "The data", "model": "The model", "errors": "Errors and skill",
        "bands": "Dark: 80 % prediction interval. Light: 95 % prediction interval.", "dashed": "Dashed: ", "stop": ".",
        "no problems": "No problems were found.", "too few": "There are too few rows to measure errors on.",
        "coverage80": "Coverage of 80 %", "coverage95": "Coverage of 95 %", "by step": "Error by steps ahead (MAE)",
        "components": "Components", "of season": " Of a season its last periods are shown.",
        "held out": "Measured on the rows that the fit held out", "after": "Measured on rows after the fit",
        "origins": "; rolling origins: {}, a horizon apart.",
    },
    "zh": {
        "lang": "zh-CN", "forecasts": "预测", "data": "数据", "model": "模型", "errors": "误差",
        "bands": "深色：80 % 预测区间；浅色：95 % 预测区间。", "dashed": "虚线：", "stop": "。",
        "no problems": "没有发现问题。", "too few": "行数太少，无法计算误差。",
        "coverage80": "80 % 区间覆盖率", "coverage95": "95 % 区间覆盖率", "by step": "各预测步的误差（MAE）",
        "components": "成分", "of season": "季节性只画出最后几个周期。",
        "held out": "在训练时留出的行上计算", "after": "在训练之后的行上计算",
        "origins": "；滚动起点 {} 个，间隔一个预测长度。",
    },
}  # fmt: skip
# Formats of matplotlib's ConciseDateFormatter for years, months, days, hours, minutes and seconds.
DATES: dict[Language, dict[str, list[str]]] = {
    "en": {},
    "zh": {
        "formats": ["%Y年", "%m月", "%d日", "%H:%M", "%H:%M", "%S.%f"],
        "zero_formats": ["", "%Y年", "%m月", "%m月%d日", "%H:%M", "%H:%M"],
        "offset_formats": ["", "%Y年", "%Y年%m月", *["%Y年%m月%d日"] * 2, "%Y年%m月%d日 %H:%M"],
    },
}
STYLE = Path(__file__).with_name("report.css").read_text(encoding="utf-8")


def write_report(path: Path, contents: Mapping[str, Any], language: Language = "en") -> Path:
    """Write the report to `path` and return it.

    Args:
        contents: title; plain (one sentence on the errors, if they were measured); facts (name to text); blend (its
            description); skill (False if the naive forecast is taken alone); warnings; components (their method, and
            of each series a name and charts, which are titles with stamps [N] and y [N]) or None; fans, each as for
            `fan_svg` with a name; rule (the naive forecast in them, in words); measured (the rows of the evaluation:
            "held out" or "after"); evaluation (scores, by_horizon, coverage95, mase_season, origins), or None where
            there were too few rows.
        language: of the headings; texts in the contents are written as they are.
    """
    words = WORDS[language]
    sections = _head(contents), _charts(contents, language), _errors(contents, words), _components(contents, language)
    parts = [*sections, _problems(contents, words)]
    title = html.escape(contents["title"])
    page = (
        f'<!doctype html><html lang="{words["lang"]}"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head><body><main>{''.join(parts)}</main></body></html>\n"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(page, encoding="utf-8")
    temporary.replace(path)
    return path


def _head(contents: Mapping[str, Any]) -> str:
    sentence = contents.get("plain")
    plain = f"<p class=plain>{html.escape(sentence)}</p>" if sentence else ""
    return f"<h1>{html.escape(contents['title'])}</h1>{plain}"


def _charts(contents: Mapping[str, Any], language: Language) -> str:
    """The charts of all series; those after the first ones are folded, a group at a time."""
    words = WORDS[language]
    rule = f" {words['dashed']}{html.escape(contents['rule'])}{words['stop']}" if contents.get("rule") else ""
    charts = [f"<h3>{html.escape(str(fan['name']))}</h3>{fan_svg(fan, language)}" for fan in contents["fans"]]
    folded = []
    for at in range(OPEN_CHARTS, len(charts), OPEN_CHARTS):
        group = contents["fans"][at : at + OPEN_CHARTS]
        names = html.escape(f"{group[0]['name']} – {group[-1]['name']}")
        chart = "".join(charts[at : at + OPEN_CHARTS])
        folded.append(f"<details><summary>{names} ({len(group)})</summary>{chart}</details>")
    shown = "".join(charts[:OPEN_CHARTS] + folded)
    return f"<h2>{words['forecasts']}</h2><p class=soft>{words['bands']}{rule}</p>{shown}"


def _components(contents: Mapping[str, Any], language: Language) -> str:
    found, words = contents["components"], WORDS[language]
    if not found or not found["series"]:
        return ""
    several, parts = len(contents["fans"]) > 1, []
    for name, charts in found["series"]:
        parts += [f"<h3>{html.escape(str(name))}</h3>"] * several
        parts += [
            f"<p class=soft>{html.escape(title)}</p>{line_svg(stamps, y, language)}" for title, stamps, y in charts
        ]
    told = f"{html.escape(found['method'])}{words['of season']}"
    return f"<h2>{words['components']}</h2><p class=soft>{told}</p>{''.join(parts)}"


def _problems(contents: Mapping[str, Any], words: Mapping[str, str]) -> str:
    """The data and the model: facts, the combination, and what was found in the data."""
    facts = " · ".join(f"{html.escape(str(k))}: {html.escape(str(v))}" for k, v in contents["facts"].items())
    found = "".join(f"<li>{html.escape(one)}</li>" for one in contents["warnings"])
    told = f"<ul>{found}</ul>" if found else f"<p>{words['no problems']}</p>"
    kind = "verdict" if contents["skill"] else "verdict none"
    blend = f"<p class='{kind}'>{html.escape(contents['blend'])}</p>"
    return f"<h2>{words['data']}</h2><p class=soft>{facts}</p>{told}<h2>{words['model']}</h2>{blend}"


def _errors(contents: Mapping[str, Any], words: Mapping[str, str]) -> str:
    found = contents["evaluation"]
    if found is None:
        return f"<h2>{words['errors']}</h2><p>{words['too few']}</p>"
    rows = []
    for score in found["scores"]:
        ours = score["coverage"] is not None
        mase = "" if score["mase"] is None else f"{score['mase']:.3f}"
        held = f"{score['coverage']:.0%}" if ours else ""
        wide = f"{found['coverage95']:.0%}" if ours and found["coverage95"] is not None else ""
        cells = [html.escape(score["model"]), f"{score['mae']:#.4g}", mase, held, wide]
        rows.append(f"<tr{' class=ours' if ours else ''}>{''.join(f'<td>{c}</td>' for c in cells)}</tr>")
    names = ["", "MAE", f"MASE ({found['mase_season']})", words["coverage80"], words["coverage95"]]
    table = f"<table><tr>{''.join(f'<th>{n}</th>' for n in names)}</tr>{''.join(rows)}</table>"
    where = f"{words[contents['measured']]}{words['origins'].format(found['origins'])}"
    bars = bars_svg(found["by_horizon"]) if found["by_horizon"] else ""
    return f"<h2>{words['errors']}</h2><p class=soft>{where}</p>{table}<h2>{words['by step']}</h2>{bars}"


def fan_svg(fan: Mapping[str, Any], language: Language = "en") -> str:
    """Fan chart: history, median, 80 % and 95 % prediction intervals, and a naive forecast.

    Args:
        fan: stamps [N] and y [N] of the history, ahead [K], by their suffixes the columns [K] of the forecast: "",
            "-lo-80", "-hi-80", "-lo-95", "-hi-95", and "naive" [K] or None.
    """
    past, wide, band = len(fan["y"]), ("-lo-95", "-hi-95"), ("-lo-80", "-hi-80")
    known = numpy.asarray(fan["y"], dtype=numpy.float64)
    last = known[~numpy.isnan(known)][-1]
    lines = {name: numpy.concatenate([[last], fan[name]]) for name in ("", *wide, *band)}
    if fan["naive"] is not None:
        lines["naive"] = numpy.concatenate([[last], fan["naive"]])
    every = numpy.concatenate([known[~numpy.isnan(known)], *lines.values()])
    ticks = _ticks(float(every.min()), float(every.max()))
    x = _scale(0, past - 1 + len(fan["ahead"]), LEFT, WIDTH - RIGHT)
    y = _scale(ticks[0], ticks[-1], HEIGHT - BOTTOM, TOP)
    at = x(numpy.arange(past - 1, past + len(fan["ahead"])))
    pieces = [_grid(ticks, y)]
    for kind, (under, over) in (("wide", wide), ("band", band)):
        outline = [*zip(at, y(lines[under]), strict=True), *reversed(list(zip(at, y(lines[over]), strict=True)))]
        pieces.append(f'<polygon class="{kind}" points="{_points(outline)}"/>')
    pieces += _lines("past", known, x, y)
    for kind, name in (("naive", "naive"), ("said", "")):
        if name in lines:
            pieces.append(f'<polyline class="{kind}" points="{_points(zip(at, y(lines[name]), strict=True))}"/>')
    pieces.append(f'<line class="origin" x1="{at[0]:.1f}" x2="{at[0]:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
    pieces += _time_axis(numpy.concatenate([fan["stamps"], fan["ahead"]]), x, language)
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img">{"".join(pieces)}</svg>'


def line_svg(stamps: NDArray[Any], values: Floats, language: Language = "en") -> str:
    """Line chart of values [N] over their timestamps [N]; gaps where they are missing."""
    known = values[~numpy.isnan(values)]
    ticks = _ticks(float(known.min()), float(known.max()))
    x, y = _scale(0, len(values) - 1, LEFT, WIDTH - RIGHT), _scale(ticks[0], ticks[-1], LOW - BOTTOM, TOP)
    pieces = [_grid(ticks, y), *_lines("said", values, x, y), *_time_axis(stamps, x, language, LOW)]
    return f'<svg viewBox="0 0 {WIDTH} {LOW}" role="img">{"".join(pieces)}</svg>'


def _lines(kind: str, values: Floats, x: Any, y: Any) -> list[str]:
    """A line for each run of values that are not missing."""
    there, pieces = numpy.flatnonzero(~numpy.isnan(values)), []
    for run in numpy.split(there, numpy.flatnonzero(numpy.diff(there) > 1) + 1):
        rows = run
        if len(run) > 2 * DENSE:
            stretches = numpy.array_split(run, DENSE)
            ends = [(part[values[part].argmin()], part[values[part].argmax()]) for part in stretches]
            rows = numpy.unique(numpy.array(ends))
        pieces.append(f'<polyline class="{kind}" points="{_points(zip(x(rows), y(values[rows]), strict=True))}"/>')
    return pieces


def _time_axis(stamps: Any, x: Any, language: Language = "en", height: int = HEIGHT) -> list[str]:
    """Round dates, or round row numbers, below the rows `stamps` [N], and the year or day they belong to at the end."""
    if numpy.issubdtype(stamps.dtype, numpy.datetime64) and str(stamps[0]) > FIRST_DATE:
        dates = require("matplotlib.dates", extra="forecast")
        locator = dates.AutoDateLocator(minticks=4, maxticks=8)
        rows = dates.date2num(stamps)
        at = numpy.asarray(locator.tick_values(*dates.num2date(rows[[0, -1]])))
        formatter = dates.ConciseDateFormatter(locator, **DATES[language])
        labels, context = formatter.format_ticks(at), formatter.get_offset()
    elif stamps.dtype.kind == "M":  # matplotlib has no dates before the year 1
        rows, context = numpy.arange(len(stamps)), ""
        at = rows[:: max(1, len(rows) // 4)]
        labels = [str(stamps[row])[:10] for row in at]
    else:
        rows, context = numpy.asarray(stamps, dtype=numpy.float64), ""
        at = _ticks(rows[0], rows[-1])
        labels = [f"{value:.10g}" for value in at]
    pieces, floor = [], height - BOTTOM
    for value, label in zip(at, labels, strict=True):
        place = float(x(numpy.interp(value, rows, numpy.arange(len(rows)))))
        room = GLYPH * len(label) / 2
        if rows[0] <= value <= rows[-1] and label and LEFT - room < place < WIDTH - room:
            pieces.append(f'<line class="grid" x1="{place:.1f}" x2="{place:.1f}" y1="{floor}" y2="{floor + 4}"/>')
            pieces.append(f'<text x="{place:.1f}" y="{floor + 18}" text-anchor="middle">{html.escape(label)}</text>')
    end = f'<text x="{WIDTH - RIGHT}" y="{height - 4}" text-anchor="end">{html.escape(context)}</text>'
    return [*pieces, end] if context else pieces


def bars_svg(values: Sequence[float]) -> str:
    """Bar chart of the error at each step ahead."""
    ticks = _ticks(0.0, max(values) or 1.0)
    floor, step = HEIGHT - BOTTOM, (WIDTH - LEFT - RIGHT) / len(values)
    y = _scale(0, ticks[-1], floor, TOP)
    pieces = [_grid(ticks, y)]
    every = max(1, len(values) // 12)
    for i, value in enumerate(values):
        top, left = float(y(value)), LEFT + i * step
        size = f'width="{0.8 * step:.1f}" height="{floor - top:.1f}"'
        pieces.append(f'<rect class="bar" x="{left + 0.1 * step:.1f}" y="{top:.1f}" {size}/>')
        if i % every == 0:
            pieces.append(f'<text x="{left + step / 2:.1f}" y="{floor + 18}" text-anchor="middle">{i + 1}</text>')
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img">{"".join(pieces)}</svg>'


def _scale(low: float, high: float, start: float, end: float) -> Any:
    span = high - low or 1.0
    return lambda value: start + (numpy.asarray(value, dtype=numpy.float64) - low) / span * (end - start)


def _ticks(low: float, high: float) -> Floats:
    """Round values from below `low` to above `high`, three to six of them."""
    span = high - low or abs(high) or 1.0
    power = 10.0 ** numpy.floor(numpy.log10(span))
    step = next(power * size for size in (0.2, 0.25, 0.5, 1.0, 2.0, 2.5) if span / (power * size) <= 4.5)
    first, last = numpy.floor(low / step + 1e-9), numpy.ceil(high / step - 1e-9)
    return numpy.asarray(step * numpy.arange(first, max(last, first + 1) + 1))


def _grid(ticks: Floats, y: Any) -> str:
    return "".join(
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{float(y(t)):.1f}" y2="{float(y(t)):.1f}"/>'
        f'<text x="{LEFT - 6}" y="{float(y(t)) + 4:.1f}" text-anchor="end">{t:.6g}</text>'
        for t in ticks
    )


def _points(pairs: Any) -> str:
    return " ".join(f"{a:.1f},{b:.1f}" for a, b in pairs)
