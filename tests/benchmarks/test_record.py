"""benchmarks/record.py: what a published figure says about itself."""

from __future__ import annotations

import importlib.util
import json
import os
import re
from pathlib import Path

import pytest

from gruworks.ops.backend import backend

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def recording():
    spec = importlib.util.spec_from_file_location("record", ROOT / "benchmarks" / "record.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def repository(recording, tmp_path, monkeypatch):
    """A repository of one commit in place of the project's own."""
    monkeypatch.setattr(recording, "ROOT", tmp_path)
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    (tmp_path / "code.py").write_text("1\n")
    recording._git("init", "-q")
    recording._git("add", "code.py")
    recording._git("-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-q", "-m", "one", "--no-verify")
    return tmp_path


def test_a_command_names_no_folder_of_the_machine(recording, monkeypatch):
    monkeypatch.setattr(recording.sys, "argv", [str(ROOT / "benchmarks" / "a.py"), "--out", "/home/me/runs/b", "3"])
    assert recording.command() == "python benchmarks/a.py --out runs/b 3"


def test_a_record_says_what_is_required(recording, repository):
    made = recording.record("lab/x", 0.5, seeds=3, note="n")
    assert {"id": "lab/x", "value": 0.5, "seeds": 3, "note": "n"}.items() <= made.items()
    assert all(made[name] for name in ("command", "machine", "commit"))
    assert made["command"].startswith("python ")
    assert len(made["commit"]) == 40


def test_changes_beside_the_commit_are_said_and_results_are_none(recording, repository):
    (repository / "benchmarks" / "results").mkdir(parents=True)
    (repository / "benchmarks" / "results" / "x.json").write_text("[]")
    (repository / "docs").mkdir()
    (repository / "docs" / "curve.png").write_bytes(b"")
    assert not recording.commit().endswith("+changes")
    (repository / "code.py").write_text("2\n")
    assert recording.commit().endswith("+changes")


def test_the_machine_has_a_name_and_cores_and_an_instruction_set(recording):
    name, cores, build = recording.machine().rsplit(", ", 2)
    assert name
    assert int(cores.removesuffix(" cores")) >= 1
    assert build == recording.BUILDS[backend().name]


def test_the_processor_of_a_virtual_machine_has_its_generation(recording):
    if "model name" not in Path("/proc/cpuinfo").read_text():
        pytest.skip("this processor has no model name")
    assert re.search(r" \(family \d+, model \d+\), ", recording.machine())


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_was_not_measured_is_refused(recording, value):
    with pytest.raises(ValueError, match="nothing was measured"):
        recording.record("lab/x", value)


def test_an_unknown_fact_is_refused(recording):
    with pytest.raises(ValueError, match="not speed"):
        recording.record("lab/x", 1.0, speed=3)


def test_a_new_measurement_replaces_its_own_figure_only(recording, tmp_path):
    recording.write("x", [{"id": "a", "value": 1}, {"id": "b", "value": 2}], folder=tmp_path)
    path = recording.write("x", [{"id": "b", "value": 3}], folder=tmp_path)
    assert json.loads(path.read_text()) == [{"id": "a", "value": 1}, {"id": "b", "value": 3}]
