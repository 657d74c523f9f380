"""A forecast report: one HTML file with its pictures inside (SVG), no script, nothing loaded from elsewhere."""

from __future__ import annotations

import html
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy
from numpy.typing import NDArray

__all__ = ["bars_svg", "fan_svg", "write_report"]

Floats = NDArray[numpy.float64]
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 220, 64, 12, 12, 26
GLYPH = 6.3  # the mean width of a label's characters
STYLE = Path(__file__).with_name("report.css").read_text(encoding="utf-8")


def write_report(path: Path, contents: Mapping[str, Any]) -> Path:
    """Write the report to `path` and return it.

    Args:
        contents: title; plain (one sentence on the errors, if they were measured); facts (name to text); blend (its
            description); warnings; fans, each as for `fan_svg` with a name; measured (the rows of the evaluation in
            words); evaluation (scores, by_horizon, coverage95, mase_season, origins), or None where there were too few
            rows.
    """
    parts = [_head(contents), _problems(contents["warnings"], contents["blend"]), _errors(contents)]
    parts.append("<h2>Forecasts</h2><p class=soft>Dark: 80 % prediction interval. Light: 95 % prediction interval.</p>")
    for fan in contents["fans"]:
        parts.append(f"<h3>{html.escape(str(fan['name']))}</h3>{fan_svg(fan)}")
    title = html.escape(contents["title"])
    page = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head><body><main>{''.join(parts)}</main></body></html>\n"
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(page, encoding="utf-8")
    temporary.replace(path)
    return path


def _head(contents: Mapping[str, Any]) -> str:
    facts = " · ".join(f"{html.escape(str(k))}: {html.escape(str(v))}" for k, v in contents["facts"].items())
    kind = "verdict none" if "no skill" in contents["blend"] else "verdict"
    title, blend = html.escape(contents["title"]), html.escape(contents["blend"])
    sentence = contents.get("plain")
    plain = f"<p class=plain>{html.escape(sentence)}</p>" if sentence else ""
    return f"<h1>{title}</h1>{plain}<p class=soft>{facts}</p><p class='{kind}'>{blend}</p>"


def _problems(warnings: Sequence[str], blend: str) -> str:
    found = [html.escape(one) for one in warnings if one != blend]
    if not found:
        return "<h2>The data</h2><p>No problems were found.</p>"
    return f"<h2>The data</h2><ul>{''.join(f'<li>{one}</li>' for one in found)}</ul>"


def _errors(contents: Mapping[str, Any]) -> str:
    found = contents["evaluation"]
    if found is None:
        return "<h2>Errors</h2><p>There are too few rows to measure errors on.</p>"
    rows = []
    for score in found["scores"]:
        ours = score["coverage"] is not None
        mase = "" if score["mase"] is None else f"{score['mase']:.3f}"
        held = f"{score['coverage']:.0%}" if ours else ""
        wide = f"{found['coverage95']:.0%}" if ours and found["coverage95"] is not None else ""
        cells = [html.escape(score["model"]), f"{score['mae']:#.4g}", mase, held, wide]
        rows.append(f"<tr{' class=ours' if ours else ''}>{''.join(f'<td>{c}</td>' for c in cells)}</tr>")
    names = ["", "MAE", f"MASE ({found['mase_season']})", "Coverage of 80 %", "Coverage of 95 %"]
    table = f"<table><tr>{''.join(f'<th>{n}</th>' for n in names)}</tr>{''.join(rows)}</table>"
    where = (
        f"<p class=soft>{html.escape(contents['measured'])}; rolling origins: {found['origins']}, a horizon apart.</p>"
    )
    bars = bars_svg(found["by_horizon"]) if found["by_horizon"] else ""
    return f"<h2>Errors and skill</h2>{where}{table}<h2>Error by steps ahead (MAE)</h2>{bars}"


def fan_svg(fan: Mapping[str, Any]) -> str:
    """Fan chart: history, median, 80 % and 95 % prediction intervals.

    Args:
        fan: stamps [N] and y [N] of the history, ahead [K], and by their suffixes the columns [K] of the forecast: "",
            "-lo-80", "-hi-80", "-lo-95", "-hi-95".
    """
    past, wide, band = len(fan["y"]), ("-lo-95", "-hi-95"), ("-lo-80", "-hi-80")
    known = numpy.asarray(fan["y"], dtype=numpy.float64)
    last = known[~numpy.isnan(known)][-1]
    lines = {name: numpy.concatenate([[last], fan[name]]) for name in ("", *wide, *band)}
    every = numpy.concatenate([known[~numpy.isnan(known)], *lines.values()])
    ticks = _ticks(float(every.min()), float(every.max()))
    x = _scale(0, past - 1 + len(fan["ahead"]), LEFT, WIDTH - RIGHT)
    y = _scale(ticks[0], ticks[-1], HEIGHT - BOTTOM, TOP)
    at = x(numpy.arange(past - 1, past + len(fan["ahead"])))
    pieces = [_grid(ticks, y)]
    for kind, (under, over) in (("wide", wide), ("band", band)):
        outline = [*zip(at, y(lines[under]), strict=True), *reversed(list(zip(at, y(lines[over]), strict=True)))]
        pieces.append(f'<polygon class="{kind}" points="{_points(outline)}"/>')
    there = numpy.flatnonzero(~numpy.isnan(known))
    for run in numpy.split(there, numpy.flatnonzero(numpy.diff(there) > 1) + 1):
        pieces.append(f'<polyline class="past" points="{_points(zip(x(run), y(known[run]), strict=True))}"/>')
    pieces.append(f'<polyline class="said" points="{_points(zip(at, y(lines[""]), strict=True))}"/>')
    pieces.append(f'<line class="origin" x1="{at[0]:.1f}" x2="{at[0]:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
    pieces += _stamps(_stamp(fan["stamps"][0]), _stamp(fan["stamps"][-1]), _stamp(fan["ahead"][-1]), float(at[0]))
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img">{"".join(pieces)}</svg>'


def _stamps(first: str, last: str, end: str, origin: float) -> list[str]:
    """Labels of the time axis: first row, last row, end; the last row's is moved left or left out to avoid overlap."""
    right = min(origin + GLYPH * len(last) / 2, WIDTH - RIGHT - GLYPH * (len(end) + 2))
    labels: list[tuple[str, float, str, str]] = [("", LEFT, "start", first), ("", WIDTH - RIGHT, "end", end)]
    if right - GLYPH * len(last) > LEFT + GLYPH * (len(first) + 2):
        labels.append((' class="between"', right, "end", last))
    return [
        f'<text{kind} x="{place:.1f}" y="{HEIGHT - 8}" text-anchor="{anchor}">{html.escape(text)}</text>'
        for kind, place, anchor, text in labels
    ]


def bars_svg(values: Sequence[float]) -> str:
    """Bar chart of the error at each step ahead."""
    ticks = _ticks(0.0, max(values) or 1.0)
    y, step = _scale(0, ticks[-1], HEIGHT - BOTTOM, TOP), (WIDTH - LEFT - RIGHT) / len(values)
    pieces = [_grid(ticks, y)]
    every = max(1, len(values) // 12)
    for i, value in enumerate(values):
        top, left = float(y(value)), LEFT + i * step
        size = f'width="{0.8 * step:.1f}" height="{HEIGHT - BOTTOM - top:.1f}"'
        pieces.append(f'<rect class="bar" x="{left + 0.1 * step:.1f}" y="{top:.1f}" {size}/>')
        if i % every == 0:
            pieces.append(f'<text x="{left + step / 2:.1f}" y="{HEIGHT - 8}" text-anchor="middle">{i + 1}</text>')
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


def _stamp(stamp: Any) -> str:
    return str(stamp).split(".")[0].removesuffix("T00:00:00").replace("T", " ")
