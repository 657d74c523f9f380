"""Catalogue of the data sets of the benchmarks: content, licence, source, and their files on this machine.

The entries are in `catalogue.json`. Files are looked for in the folder that `GRUWORKS_DATA` names or, if it is not set,
where `gruworks data fetch` writes them. No set comes with the package. The sha256 is that of a file's uncompressed
content (of a .tar.gz: of its members' sha256 and names, sorted by name), so that it doesn't depend on the compressor.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from gruworks.errors import DataError, OptionError, require
from gruworks.files import read_json

__all__ = ["SETS", "DataSet", "File", "cache_folder", "data_folder", "find", "locate", "seattle_weather"]


@dataclass(frozen=True)
class File:
    """One file of a set: its path in the data folder, its path in the source repository, the sha256 of its content."""

    path: str
    upstream: str
    sha256: str


@dataclass(frozen=True)
class DataSet:
    """A data set: its content, its licence, the public repository and commit that it comes from, its files.

    Args:
        form: processing after the download: "file" for none but gzip compression of a .gz file, "folder" for packing
            one folder of the repository, "tang" for extracting the Tang poems of regulated form.
    """

    name: str
    what: str
    licence: str
    repository: str
    commit: str
    files: tuple[File, ...] = field(repr=False)
    form: str = "file"


def _catalogue() -> dict[str, DataSet]:
    entries = read_json(Path(__file__).with_name("catalogue.json"))
    files = {name: tuple(File(**file) for file in entry.pop("files")) for name, entry in entries.items()}
    return {name: DataSet(name, **entry, files=files[name]) for name, entry in entries.items()}


SETS = _catalogue()


def data_folder() -> Path | None:
    """The folder that `GRUWORKS_DATA` names; None if it is not set.

    Raises:
        DataError: the variable names no folder.
    """
    named = os.environ.get("GRUWORKS_DATA")
    if not named:
        return None
    folder = Path(named)
    if not folder.is_dir():
        raise DataError(f"GRUWORKS_DATA names {named!r}, which is not a folder: create it or unset the variable")
    return folder


def cache_folder() -> Path:
    """Folder that `gruworks data fetch` writes to: `GRUWORKS_DATA`, or one in the user's cache."""
    named = data_folder()
    return named if named is not None else Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "gruworks"


def find(name: str) -> dict[str, Path]:
    """Paths of a set's files by their names, for example find("music")["JSB_Chorales.mat"].

    Raises:
        OptionError: an unknown set.
        DataError: a file that has not been fetched; tells the command that fetches it.
    """
    if name not in SETS:
        raise OptionError(f"there is no data set {name!r}; there are: {', '.join(SETS)}")
    found = {}
    for file in SETS[name].files:
        path = locate(file)
        if path is None:
            raise DataError(
                f"the data set {name} is not here ({cache_folder() / file.path} is missing): "
                f"gruworks data fetch {name}, or let GRUWORKS_DATA name the folder that has it"
            )
        found[path.name] = path
    return found


def locate(file: File) -> Path | None:
    """Path of a file of a set; None if it is not on this machine."""
    path = cache_folder() / file.path
    return path if path.is_file() else None


def seattle_weather() -> Path:
    """The CSV of Seattle's daily weather 2012-2015 (1,461 rows; NOAA, public domain) that vega_datasets installs."""
    return Path(require("vega_datasets", extra="demo").data.seattle_weather.filepath)
