"""Samples: deterministic files that the tasks' readers take, and that never replace a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from gruworks.data.samples import SAMPLES, write
from gruworks.errors import OptionError


def contents(path: Path) -> dict[str, bytes]:
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return {file.name: file.read_bytes() for file in files}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_the_same_each_time_and_replaces_nothing(name: str, tmp_path: Path) -> None:
    first, second = (write(name, tmp_path / folder) for folder in ("one", "two"))
    assert contents(first) == contents(second)
    with pytest.raises(OptionError, match="exists already"):
        write(name, tmp_path / "one")


def test_an_unknown_sample_is_refused_with_the_names(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="weather, shop, stocks"):
        write("wether", tmp_path)


def test_shops_are_closed_on_sundays(tmp_path: Path) -> None:
    import datetime

    dates = [line.split(",")[0] for line in write("shop", tmp_path).read_text().splitlines()[1:]]
    assert {datetime.date.fromisoformat(date).weekday() for date in dates} == {0, 1, 2, 3, 4, 5}
