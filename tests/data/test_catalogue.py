"""Where named data is found."""

from __future__ import annotations

from pathlib import Path

import pandas
import pytest

from gruworks.data.catalogue import data_folder, seattle_weather
from gruworks.errors import DataError


@pytest.mark.usefixtures("clean_environment")
def test_without_the_variable_there_is_no_folder() -> None:
    assert data_folder() is None


def test_the_variable_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRUWORKS_DATA", str(tmp_path))
    assert data_folder() == tmp_path


def test_a_name_that_leads_nowhere_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    for name in ("nowhere", "file"):
        monkeypatch.setenv("GRUWORKS_DATA", str(tmp_path / name))
        with pytest.raises(DataError, match=f"GRUWORKS_DATA names '.*{name}', which is not a folder: create it or"):
            data_folder()


def test_seattle_s_weather_is_four_whole_years() -> None:
    table = pandas.read_csv(seattle_weather(), parse_dates=["date"])
    assert len(table) == 1461
    assert (table["date"].min(), table["date"].max()) == (
        pandas.Timestamp("2012-01-01"),
        pandas.Timestamp("2015-12-31"),
    )
    assert table["temp_max"].notna().all()
