"""Mutations of run folders: functions of their seed, and sums made anew."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import pytest

from fuzz import runs
from fuzz.sandbox import trial
from gruworks.errors import RunError
from gruworks.tasks import ready
from gruworks.training.runs import RunFolder

SEEDS = [ready.find(task).path for task in ("forecast", "transcribe")]


def content(folder: Path) -> dict[str, bytes]:
    return {str(one.relative_to(folder)): one.read_bytes() for one in sorted(folder.rglob("*")) if one.is_file()}


def test_a_mutation_is_a_function_of_its_seed_and_changes_something(tmp_path: Path) -> None:
    different = 0
    for number in range(40):
        said = [runs.mutate(random.Random(number), SEEDS[0], SEEDS, tmp_path / f"{number}{turn}") for turn in "ab"]
        one, same = (content(tmp_path / f"{number}{turn}") for turn in "ab")
        assert said[0] == said[1]
        assert one == same
        different += one != content(SEEDS[0])
    assert different > 30


def test_sums_are_made_anew_so_that_more_than_they_are_tried(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(SEEDS[0], tmp_path / "run"))
    facts = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(facts | {"sha256": {"metrics.json": "0" * 64}}))
    with pytest.raises(RunError, match="its sha256 is not the one in run"):
        RunFolder.open(folder).read_json("metrics.json")
    runs.reseal(folder)
    assert RunFolder.open(folder).read_json("metrics.json")


def test_what_is_whole_answers_and_what_is_damaged_is_refused(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(SEEDS[0], tmp_path / "run"))
    assert trial(lambda: runs.use("forecast", folder)).verdict == "answered"
    (folder / "config.json").write_text("[" * 100_000)
    runs.reseal(folder)
    outcome = trial(lambda: runs.use("forecast", folder))
    assert outcome.verdict == "refused"
    assert "config.json is damaged: it nests lists and objects deeper than 64" in outcome.told
