"""`gruworks sample`: what it writes, and the commands that it shows, in order."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from gruworks.data.samples import SAMPLES
from tests.app.conftest import Answer


def test_without_a_name_the_samples_are_listed(gruworks: Callable[..., Answer]) -> None:
    status, out, _ = gruworks("sample")
    assert status == 0
    assert all(name in out for name in SAMPLES)


def test_nothing_is_replaced(gruworks: Callable[..., Answer], tmp_path: Path) -> None:
    assert gruworks("sample", "stocks", "--out", str(tmp_path))[0] == 0
    status, _, err = gruworks("sample", "stocks", "--out", str(tmp_path))
    assert status == 2
    assert "stocks.csv exists already" in err


@pytest.mark.parametrize("name", SAMPLES)
def test_its_commands_run_in_order(
    name: str, gruworks: Callable[..., Answer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    status, out, _ = gruworks("sample", name)
    assert status == 0
    for command in SAMPLES[name].commands:
        assert command in out
        typed, _, piped = command.rpartition(" | ")
        words = shlex.split(piped)[1:]
        if words[1] in ("fit", "evaluate"):
            words += ["--steps", "3"]
        (tmp_path / "typed").write_text(shlex.split(typed)[1] + "\n" if typed else "")
        with (tmp_path / "typed").open() as file:
            monkeypatch.setattr("sys.stdin", file)
            status, _, err = gruworks(*words)
        assert status == 0, err
