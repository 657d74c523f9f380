"""Synthetic tables: weather, a shop's sales, share prices."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy

from gruworks.data.samples.files import rows

__all__ = ["shop", "stocks", "weather"]

YEAR = 365.25


def weather(folder: Path) -> Path:
    """weather.csv: date, temp_max and temp_min in °C, precipitation in mm."""
    rng, start, anomaly = numpy.random.default_rng(1), datetime.date(2022, 1, 1), 0.0
    lines: list[tuple[object, ...]] = [("date", "temp_max", "temp_min", "precipitation")]
    for day in range(3 * 365):
        anomaly = 0.72 * anomaly + rng.normal(0, 2.2)
        mean = 14.5 - 10 * numpy.cos(2 * numpy.pi * (day - 25) / YEAR) + anomaly
        rain = rng.gamma(0.8, 6.0) if rng.random() < 0.45 - 0.015 * anomaly else 0.0
        spread = rng.normal(8.5, 1.2) - (2.0 if rain else 0.0)
        date = start + datetime.timedelta(day)
        lines.append((date, f"{mean:.1f}", f"{mean - spread:.1f}", f"{rain:.1f}"))
    return rows(folder / "weather.csv", lines)


def shop(folder: Path) -> Path:
    """shop.csv: date, shop and sales in EUR; no rows on Sundays."""
    rng, start = numpy.random.default_rng(2), datetime.date(2023, 1, 2)
    by_weekday = (0.8, 0.85, 0.9, 1.0, 1.25, 1.5)
    lines: list[tuple[object, ...]] = [("date", "shop", "sales")]
    for name, level, growth in (("north", 320.0, 0.12), ("south", 190.0, -0.04)):
        for day in range(2 * 365):
            date = start + datetime.timedelta(day)
            if date.weekday() == 6:
                continue
            season = 1 + 0.15 * numpy.cos(2 * numpy.pi * (day - 350) / YEAR)
            advent = 1.4 if (date.month, date.day) >= (12, 1) and date.day <= 24 else 1.0
            expected = level * (1 + growth * day / YEAR) * by_weekday[date.weekday()] * season * advent
            lines.append((date, name, f"{expected * rng.lognormal(0, 0.09):.1f}"))
    return rows(folder / "shop.csv", lines)


def stocks(folder: Path) -> Path:
    """stocks.csv: date, share and closing price on business days."""
    rng, start = numpy.random.default_rng(3), datetime.date(2023, 1, 2)
    lines: list[tuple[object, ...]] = [("date", "share", "close")]
    for name, price in (("ALPHA", 84.0), ("BETA", 31.5)):
        for day in range(2 * 365):
            date = start + datetime.timedelta(day)
            if date.weekday() < 5:
                price *= float(numpy.exp(rng.normal(0.0002, 0.013)))
                lines.append((date, name, f"{price:.2f}"))
    return rows(folder / "stocks.csv", lines)
