"""Public holidays of a country as a covariate that is known for all times; dates by the package `holidays`."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy
from numpy.typing import NDArray

from gruworks.errors import OptionError, require
from gruworks.tasks.forecast.features.covariates import Covariate
from gruworks.tasks.forecast.series.frequency import STEPS
from gruworks.tasks.forecast.series.panel import Panel

__all__ = ["holiday_covariate", "on_holidays"]

Floats = NDArray[numpy.float64]
DAY = numpy.timedelta64(1, "D")


def holiday_covariate(panel: Panel, country: str) -> Covariate:
    """The covariate of a country, named by its code, from the timestamps of all series.

    Raises:
        OptionError: rows without dates or of more than a day, or an unknown country.
    """
    if panel.frequency.code == STEPS:
        raise OptionError(f"holidays ({country}) need dates, and the rows are numbered: name the time column")
    steps = numpy.concatenate([numpy.diff(one.timestamps) for one in panel.series if len(one) > 1])
    if not len(steps) or steps.min() > DAY:
        raise OptionError(f"holidays ({country}) are for rows of a day or less, not for {panel.frequency}")
    return Covariate.of(country, numpy.concatenate([on_holidays(one.timestamps, country) for one in panel.series]))


def on_holidays(timestamps: NDArray[Any], country: str) -> Floats:
    """1 for the timestamps on a public holiday of a country, 0 for others, [N]."""
    days = timestamps.astype("datetime64[D]")
    years = numpy.unique(days.astype("datetime64[Y]").astype(int) + 1970).tolist()
    known = numpy.array([day for year in years for day in _dates(country, year)], dtype="datetime64[D]")
    return numpy.isin(days, known).astype(numpy.float64)


@lru_cache(maxsize=1024)
def _dates(country: str, year: int) -> tuple[str, ...]:
    holidays = require("holidays", extra="holidays")
    code, _, part = country.partition("-")
    try:
        return tuple(day.isoformat() for day in holidays.country_holidays(code, subdiv=part or None, years=year))
    except NotImplementedError as error:
        known = ", ".join(sorted(holidays.list_supported_countries()))
        raise OptionError(
            f"expected the code of a country, with its part where wanted, such as DE or DE-BY, got {country!r}; "
            f"countries: {known:.800}"
        ) from error
