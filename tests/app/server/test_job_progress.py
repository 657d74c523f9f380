"""Progress is read from the curve of the run; the time left is counted between the steps that were seen."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gruworks.app.server import job_progress
from gruworks.app.server.job_progress import Watch


def watched(out: Path, task: str = "forecast") -> Watch:
    job: Any = SimpleNamespace(out=out, state="running", steps=100, task=task)
    return Watch(job)


def curve(out: Path, *steps: int) -> None:
    losses = [1 / step for step in steps]
    (out / "curve.json").write_text(json.dumps({"step": steps, "loss": losses, "val_loss": losses}), encoding="utf-8")


def test_before_the_first_step_nothing_is_known(tmp_path: Path) -> None:
    found = watched(tmp_path).progress()
    assert found == {
        "state": "running", "step": 0, "steps": 100, "loss": None, "val_loss": None, "seconds_left": None,
    }  # fmt: skip


def test_the_time_left_is_counted_from_the_second_step_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr(job_progress.time, "time", lambda: now[0])
    one = watched(tmp_path)
    curve(tmp_path, 10)
    found = one.progress()
    assert (found["step"], found["loss"], found["seconds_left"]) == (10, 0.1, None)
    now[0] += 5
    curve(tmp_path, 10, 20)
    assert one.progress()["seconds_left"] == 40
    now[0] += 100
    assert one.progress()["seconds_left"] == 40  # no new step: the estimate stays


@pytest.mark.parametrize("text", ["", "{", "{}", '{"step": []}'])
def test_a_curve_that_is_being_written_is_no_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "curve.json").write_text(text, encoding="utf-8")
    assert watched(tmp_path).progress()["step"] == 0


class Shouting:
    """Answers in capital letters, and nothing to what it does not know."""

    def write(self, **options: Any) -> str:
        return " ONCE "

    def translate(self, sentences: list[str]) -> list[str]:
        return [one.upper() for one in sentences]

    def transcribe(self, paths: list[Path]) -> list[Any]:
        return [SimpleNamespace(text="" if one.stem == "b" else one.stem.upper()) for one in paths]


@pytest.mark.parametrize(
    ("task", "data", "sample"),
    [
        ("generate", "once", "ONCE"),
        ("translate", "source\ttarget\na\tx\nb\ty\nc\tz\nd\tw\n", "a → A\nb → B\nc → C"),
        ("transcribe", "audio,text\na.wav,one\nagain.wav,one\nb.wav,two\nc.wav,three\nd.wav,four\n",
         "one → AGAIN\ntwo → –\nthree → C"),
    ],
)  # fmt: skip
def test_answers_by_now_are_shown_once_a_step(
    task: str, data: str, sample: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_progress, "load", lambda task, out: (Shouting(), None))
    curve(tmp_path, 10)
    one = watched(tmp_path, task)
    one.job.file = tmp_path / ("metadata.csv" if task == "transcribe" else "data.txt")
    one.job.file.write_text(data, encoding="utf-8")
    one.progress()
    assert one.sample() == sample
    assert one.sample() is None
    curve(tmp_path, 10, 20)
    one.progress()
    assert one.sample() == sample


def test_forecasts_are_not_sampled_and_without_weights_there_is_none(tmp_path: Path) -> None:
    curve(tmp_path, 10)
    for task in ("forecast", "generate"):
        one = watched(tmp_path, task)
        one.progress()
        assert one.sample() is None
