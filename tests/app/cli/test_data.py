"""`gruworks data` on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gruworks.data.catalogue import SETS
from tests.app.conftest import Answer


def test_the_list_names_every_set_its_licence_and_whether_it_is_here(
    gruworks: Callable[..., Answer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRUWORKS_DATA", str(tmp_path))
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "hongloumeng.txt").write_text("x")
    status, out, _ = gruworks("data", "list")
    assert status == 0
    assert all(name in out for name in SETS)
    assert "hongloumeng (here)" in out
    assert "an4\n" in out
    status, out, _ = gruworks("data", "list", "--json")
    rows = {row["name"]: row for row in json.loads(out)["sets"]}
    assert set(rows) == set(SETS)
    assert [name for name, row in rows.items() if row["here"]] == ["hongloumeng"]
    assert rows["fsdd"]["licence"] == "CC BY-SA 4.0"


def test_a_set_that_is_here_is_not_fetched_again(
    gruworks: Callable[..., Answer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRUWORKS_DATA", str(tmp_path))
    path = tmp_path / "text" / "hongloumeng.txt"
    path.parent.mkdir()
    path.write_text("x")
    status, out, _ = gruworks("data", "fetch", "hongloumeng")
    assert (status, out.splitlines()) == (0, ["licence of hongloumeng: public-domain text", str(path)])


def test_an_unknown_set_is_one_line(gruworks: Callable[..., Answer]) -> None:
    status, out, err = gruworks("data", "fetch", "nope")
    assert (status, out) == (2, "")
    assert err.startswith("gruworks: there is no data set 'nope'; there are: tinyshakespeare")
