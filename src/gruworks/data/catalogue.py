"""Where named data sets are found."""

from __future__ import annotations

import os
from pathlib import Path

from gruworks.errors import DataError, require

__all__ = ["data_folder", "seattle_weather"]


def data_folder() -> Path | None:
    """The folder that `GRUWORKS_DATA` names; None if it is not set. A name that leads nowhere is an error."""
    named = os.environ.get("GRUWORKS_DATA")
    if not named:
        return None
    folder = Path(named)
    if not folder.is_dir():
        raise DataError(f"GRUWORKS_DATA names {named!r}, which is not a folder: create it or unset the variable")
    return folder


def seattle_weather() -> Path:
    """The CSV of Seattle's daily weather 2012-2015 (1,461 rows; NOAA, public domain) that vega_datasets installs."""
    return Path(require("vega_datasets", extra="demo").data.seattle_weather.filepath)
