"""Run folders: written whole or not at all, read with every check."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from pathlib import Path

import numpy
import pytest
import safetensors.numpy

from gruworks.errors import RunError, WriteError
from gruworks.training.runs import FORMAT, RunFolder, json_bytes, new_run_path, write_atomically


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file"
    write_atomically(path, b"old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(path.parent.iterdir()) == [path]


def test_what_fails_in_between_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(WriteError, match=f"can't write {path}: No space left on device; what was there before is kept"):
        write_atomically(path, b"new content")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_file_and_folder_are_on_the_disk_before_and_after_the_rename(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    sync, replace = os.fsync, os.replace
    monkeypatch.setattr("os.fsync", lambda at: (done.append(os.readlink(f"/proc/self/fd/{at}")), sync(at))[1])
    monkeypatch.setattr("os.replace", lambda old, new: (done.append("rename"), replace(old, new))[1])
    write_atomically(tmp_path / "file", b"content")
    temporary, *rest = done
    assert Path(temporary).name.startswith(".file.")
    assert rest == ["rename", str(tmp_path)]


@pytest.mark.parametrize("where", ["folder", "file/inside"])
def test_a_place_that_can_t_be_written_is_named(where: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(WriteError, match=f"can't write {tmp_path / where}: (Is a directory|Not a directory|File exi)"):
        write_atomically(tmp_path / where, b"")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder"]


def test_a_run_comes_back_as_it_was_made(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run", "forecast", data={"rows": 3})
    arrays = {"y": numpy.arange(3.0), "t": numpy.arange(2)}
    codec = json_bytes({"ä": [1, None, "x"]})
    run.finish({"codec/codec.json": codec, "context.safetensors": safetensors.numpy.save(arrays)})
    again = RunFolder.open(str(tmp_path / "run"), "forecast")
    assert again.facts == run.facts
    assert (again.facts["format"], again.facts["state"], again.facts["data"]) == (FORMAT, "fitted", {"rows": 3})
    assert again.read_json("codec/codec.json") == {"ä": [1, None, "x"]}
    arrays = again.read_arrays("context.safetensors")
    assert arrays["y"].tolist() == [0, 1, 2]
    assert arrays["t"].dtype == numpy.int64


def test_a_new_run_is_being_fitted(tmp_path: Path) -> None:
    RunFolder.create(tmp_path, "forecast")  # an empty folder is taken
    facts = json.loads((tmp_path / "run.json").read_text())
    assert facts["state"] == "fitting"
    assert set(facts["versions"]) == {"gruworks", "torch", "numpy"}
    assert (tmp_path / "checkpoints").is_dir()


def test_a_place_that_is_taken_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path, tmp_path / "file"):
        with pytest.raises(RunError, match="exists already and is not an empty folder: name another one"):
            RunFolder.create(path, "forecast")
    with pytest.raises(RunError, match="can't make the run folder"):
        RunFolder.create(tmp_path / "file" / "run", "forecast")


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"nowhere does not exist; a fit makes one"):
        RunFolder.open(tmp_path / "nowhere")
    with pytest.raises(RunError, match=r"is not a run folder \(it has no run.json\)"):
        RunFolder.open(tmp_path)
    RunFolder.create(tmp_path / "run", "forecast")
    assert RunFolder.open(tmp_path / "run").facts["task"] == "forecast"  # any task
    with pytest.raises(RunError, match="is a run of the task 'forecast', not 'translate'"):
        RunFolder.open(tmp_path / "run", "translate")
    with pytest.raises(RunError, match=r"has no metrics.json: the fit did not finish, or the folder is damaged"):
        RunFolder.open(tmp_path / "run").read_json("metrics.json")


def test_values_that_json_has_no_word_for_are_not_written(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run", "forecast")
    with pytest.raises(ValueError, match="not JSON compliant"):
        run.write_json("metrics.json", {"loss": float("nan")})
    assert not (tmp_path / "run" / "metrics.json").exists()


def test_a_new_run_s_name_is_not_taken_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("time.strftime", lambda pattern: "20260102-030405")
    names = []
    for _ in range(3):
        path = new_run_path("forecast")
        path.mkdir(parents=True)
        names.append(path.as_posix())
    assert names == [f"runs/forecast-20260102-030405{end}" for end in ("", "_2", "_3")]


def test_run_json_has_the_sum_of_every_file_but_its_own(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run", "forecast")
    run.write_json("curve.json", {"step": [1]})
    run.write_json("refit/curve.json", {"step": [2]})
    write_atomically(run.path / "checkpoints" / "last.ckpt", b"for resuming")
    write_atomically(run.path / "refit" / "checkpoints" / "last.ckpt", b"for resuming")
    (run.path / ".metrics.json.1").write_bytes(b"left by a write that was cut off")
    run.finish({"codec/codec.json": json_bytes({"a": 1}), "curve.json": json_bytes({"step": [3]})})
    sums = json.loads((run.path / "run.json").read_text())["sha256"]
    assert sums == {
        name: hashlib.sha256((run.path / name).read_bytes()).hexdigest()
        for name in ("codec/codec.json", "curve.json", "refit/curve.json")
    }


def test_a_file_without_a_sum_is_not_read_from_a_fitted_run(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run", "forecast")
    run.finish({"config.json": json_bytes({})})
    run.write_json("metrics.json", {})
    opened = RunFolder.open(run.path)
    assert opened.read_json("config.json") == {}
    with pytest.raises(RunError, match=r"metrics.json is damaged, or was added after the fit: run.json has no sha256"):
        opened.read_json("metrics.json")


@pytest.mark.parametrize("unknown", [0, 3, "2", None, [2]])
def test_an_unknown_format_is_refused_by_name(unknown: object, tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run", "forecast")
    run.note(format=unknown)
    with pytest.raises(RunError, match=r"has run format .*; this version reads the formats 1 and 2: use the version"):
        RunFolder.open(run.path)
