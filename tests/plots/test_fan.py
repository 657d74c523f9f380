"""The picture of history, forecast and band: written, of its size, and everything on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib.image
import numpy
import pytest

from gruworks.errors import DataError
from gruworks.plots.fan import Fan, draw_fan, draw_fans
from gruworks.plots.figure import ACCENT, INK

DAYS = numpy.arange("2024-01-01", "2024-02-20", dtype="datetime64[D]").astype("datetime64[us]")


def picture(path: Path, stamps: Any, known: int, **changes: Any) -> numpy.ndarray:
    """The pixels [height, width, 3] of a wave with a forecast after its first `known` rows."""
    y = numpy.sin(numpy.arange(len(stamps)) / 3)
    parts = {"history": y[:known], "forecast": y[known:], "low": y[known:] - 1, "high": y[known:] + 1} | changes
    made = draw_fan(path, "a title", stamps[:known], ahead=stamps[known:], **parts)
    assert made == path
    return matplotlib.image.imread(path)[..., :3]


def coloured(pixels: numpy.ndarray, colour: str) -> numpy.ndarray:
    """The columns in which a colour stands."""
    rgb = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return numpy.flatnonzero((numpy.abs(pixels - rgb).max(-1) < 0.02).any(0))


@pytest.mark.parametrize("stamps", [DAYS, numpy.arange(50)], ids=["days", "numbers"])
def test_history_forecast_and_band_are_drawn(stamps: Any, tmp_path: Path) -> None:
    pixels = picture(tmp_path / "new" / "fan.png", stamps, 36)
    assert pixels.shape == (480, 1080, 3)
    history, forecast = coloured(pixels[60:420], INK), coloured(pixels[60:420], ACCENT)
    # Without its line, the same picture lacks that colour: title and legend stand outside these rows or are thin.
    nothing = picture(tmp_path / "bare.png", stamps, 36, forecast=numpy.full(14, numpy.nan))
    assert len(coloured(nothing[60:420], ACCENT)) < len(forecast) / 2
    nothing = picture(tmp_path / "bare.png", stamps, 36, history=numpy.full(36, numpy.nan))
    assert len(coloured(nothing[60:420], INK)) < len(history) / 2
    assert len(history) > 400
    assert numpy.median(history) < numpy.median(forecast)


def test_the_band_is_as_wide_as_its_quantiles(tmp_path: Path) -> None:
    wide = picture(tmp_path / "wide.png", DAYS, 36)
    closed = picture(tmp_path / "closed.png", DAYS, 36, low=numpy.full(14, numpy.nan), high=numpy.full(14, numpy.nan))
    white = (wide > 0.99).all(-1).sum(), (closed > 0.99).all(-1).sum()
    assert white[0] < white[1] - 10_000


def test_a_short_history_and_one_step_are_drawn(tmp_path: Path) -> None:
    pixels = picture(tmp_path / "fan.png", numpy.arange(4), 3)
    assert len(coloured(pixels[60:420], ACCENT)) > 50


def test_other_kinds_of_picture_are_written_by_their_suffix(tmp_path: Path) -> None:
    for name, start in (("fan.svg", b"<?xml"), ("fan.pdf", b"%PDF")):
        y = numpy.arange(3.0)
        path = draw_fan(tmp_path / name, "a title", numpy.arange(3), y, numpy.array([3]), y[:1], y[:1], y[:1])
        assert path.read_bytes().startswith(start)
    with pytest.raises((ValueError, DataError), match="xyz"):
        draw_fan(tmp_path / "fan.xyz", "a title", numpy.arange(3), y, numpy.array([3]), y[:1], y[:1], y[:1])


@pytest.mark.parametrize("start", ["2024-01-01", "0001-01-01"])
@pytest.mark.parametrize(("step", "rows"), [(5, 44), (3_600, 60), (86_400, 40), (31 * 86_400, 44), (366 * 86_400, 20)])
def test_times_of_any_step_and_century_have_labels(start: str, step: int, rows: int, tmp_path: Path) -> None:
    stamps = numpy.datetime64(start, "us") + numpy.arange(rows) * numpy.timedelta64(step, "s")
    assert len(coloured(picture(tmp_path / "fan.png", stamps, rows - 14)[:440], ACCENT)) > 100


def test_every_series_has_its_chart_on_pages(tmp_path: Path) -> None:
    y = numpy.sin(numpy.arange(50) / 3)
    bands = {"95 %": (y[36:] - 2, y[36:] + 2), "80 %": (y[36:] - 1, y[36:] + 1)}
    fans = [Fan(f"series {i}", DAYS[:36], y[:36], DAYS[36:], y[36:], bands) for i in range(11)]
    paths = draw_fans(tmp_path / "forecast.png", fans)
    assert [path.name for path in paths] == ["forecast.png", "forecast-2.png"]
    assert [matplotlib.image.imread(path).shape[:2] for path in paths] == [(1440, 1680), (720, 1680)]
    broken = numpy.where(numpy.arange(36) % 5, y[:36], numpy.nan)
    draw_fans(tmp_path / "gaps.png", [Fan("gaps", DAYS[:36], broken, DAYS[36:], y[36:], bands)])
