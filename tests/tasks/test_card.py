"""A run's card says what it learnt, from what, and what was chosen."""

from __future__ import annotations

from pathlib import Path

import pytest

from gruworks.errors import RunError
from gruworks.tasks.card import card
from gruworks.tasks.translate.config import Config
from gruworks.training.runs import RunFolder


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    folder = RunFolder.create(tmp_path / "mine", "translate", data={"sha256": "abc", "rows": 12, "licence": None})
    folder.write_json("config.json", Config.from_flat({"hidden_size": 64, "steps": 7}).to_dict())
    folder.write_json("metrics.json", {"best_loss": 1.23456789, "pairs": {"train": 11}, "ended_by": "a | b"})
    return folder


def test_a_card_holds_facts_measures_and_the_settings_that_were_chosen(run: RunFolder) -> None:
    text = card(run, Config())
    assert text.startswith("# mine\n")
    for row in ("| data | 12 rows, sha256 abc |", "| licence of the data | not given |", "| best_loss | 1.235 |",
                "| pairs train | 11 |", "| ended_by | a \\| b |", "| hidden_size | 64 |", "| steps | 7 |"):  # fmt: skip
        assert row in text
    assert "embedding_size" not in text
    assert f"    gruworks translate run {run.path}" in text


def test_a_fit_that_did_not_finish_has_no_card(run: RunFolder) -> None:
    (run.path / "metrics.json").unlink()
    with pytest.raises(RunError, match=r"has no metrics.json: the fit did not finish"):
        card(run, Config())
