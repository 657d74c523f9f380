"""The table of state tracking has every seed of every model, and refuses unknown names."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from gruworks.errors import OptionError
from gruworks.lab.problems.automata import AUTOMATA
from gruworks.lab.tracking import table


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    shortened(monkeypatch)


def shortened(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fits of three steps, two seeds, tests of 90 steps."""
    for name, trial in table.TRIALS.items():
        training = replace(trial.training, steps=3, validate_every=2, batch_size=4)
        small = replace(trial, parameters=300, training=training, test_length=90, test_rows=20)
        monkeypatch.setitem(table.TRIALS, name, small)
    monkeypatch.setattr(table, "SEEDS", 2)


@pytest.mark.usefixtures("tiny")
def test_a_row_has_all_seeds_by_length(tmp_path: Path) -> None:
    result = table.reproduce(tmp_path, only=["parity"], models=["transformer", "gru"], jobs=1)
    assert [(row["task"], row["model"]) for row in result["rows"]] == [("parity", "gru"), ("parity", "transformer")]
    first, second = (one["accuracy"]["90"] for one in result["trials"][:2])
    assert result["rows"][0]["90"] == f"{first:.3f} {second:.3f}"
    assert [one["seed"] for one in result["trials"]] == [0, 1, 0, 1]
    assert (tmp_path / "parity-gru-1" / "metrics.json").is_file()
    assert json.loads((tmp_path / "papers.json").read_text()) == result
    assert "| transformer |" in (tmp_path / "papers.md").read_text()


def test_every_task_has_its_settings_and_unknown_names_are_refused(tmp_path: Path) -> None:
    assert table.TRIALS.keys() == AUTOMATA.keys()
    with pytest.raises(OptionError, match="tracking has no s6; it has: parity"):
        table.reproduce(tmp_path, only=["s6"])
    with pytest.raises(OptionError, match="tracking has no tcn; it has: gru"):
        table.reproduce(tmp_path, models=["tcn"])
