"""The command: what it counts, says and exits with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fuzz import __main__ as command
from fuzz import runs, seeds
from gruworks.tasks import ready


@pytest.fixture(autouse=True)
def _ready_models_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tiny fits take seconds; `make fuzz` makes them."""
    forecast = ready.find("forecast").path
    monkeypatch.setattr(command, "make", lambda place: None)
    monkeypatch.setattr(command, "seeds", lambda place, task: (forecast,) * 3)
    monkeypatch.setattr(command, "TASKS", ("forecast",))


def test_a_count_of_mutations_is_tried_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--count", "6", "--seed", "4"]) == 0
    assert capsys.readouterr().out.startswith("6 mutations: ")


def test_a_fault_is_shown_with_what_brings_it_back(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(task: str, folder: Path) -> None:
        if folder.name == "2":
            raise ZeroDivisionError("steps")

    monkeypatch.setattr(runs, "use", broken)
    assert command.main(["--count", "3", "--seed", "4"]) == 1
    told = capsys.readouterr().out
    assert "python -m fuzz --seed 4 --only 2\n" in told
    assert "ZeroDivisionError: steps" in told
    assert "3 mutations: " in told
    assert command.main(["--only", "2", "--seed", "4"]) == 1
    assert command.main(["--only", "0", "--seed", "4"]) == 0


def test_every_task_has_runs_to_start_from() -> None:
    assert set(seeds.FITS) == set(seeds.TASKS) == set(runs.ANSWERS)


def test_a_fit_that_fails_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(place: Any) -> None:
        raise ValueError

    monkeypatch.setattr(seeds, "FITS", dict.fromkeys(seeds.TASKS, broken))
    with pytest.raises(RuntimeError, match="the run folders to mutate could not be made"):
        seeds.make(tmp_path)
