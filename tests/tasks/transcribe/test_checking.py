"""The check of a manifest: everything that is wrong, in one go."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy
import pytest
import soundfile

from gruworks.tasks.transcribe.checking import check_manifest
from gruworks.tasks.transcribe.manifest import Utterance, read_manifest
from tests.tasks.transcribe.conftest import say, write


@pytest.fixture
def good(tmp_path: Path) -> list[Utterance]:
    return read_manifest(write(tmp_path / "good", range(4)))


def test_a_good_manifest_has_no_findings(good: list[Utterance]) -> None:
    assert check_manifest(good) == []


def test_each_fault_is_found_by_name(good: list[Utterance], tmp_path: Path) -> None:
    files = {
        "rate": (say("ab", 1, 16_000), 16_000), "channels": (numpy.stack([say("ab")] * 2, 1), 8000),
        "clipping": (numpy.clip(20 * say("abba"), -1, 1), 8000), "silence": (numpy.zeros(4000), 8000),
    }  # fmt: skip
    odd = []
    for kind, (samples, rate) in files.items():
        soundfile.write(tmp_path / f"{kind}.wav", samples, rate)
        odd.append(Utterance(tmp_path / f"{kind}.wav", "ab", None, kind))
    (tmp_path / "text.wav").write_text("no sound")
    odd += [
        Utterance(tmp_path / "text.wav", "ab", None, "unreadable"),
        Utterance(tmp_path / "none.wav", "ab", None, "missing"),
        replace(good[1], where="empty", text=" ", start=0.01),
        replace(good[2], where="too short", text="abc " * 99, start=0.01),
        replace(good[3], where="twice"),
    ]
    found = {(one.where, one.kind) for one in check_manifest([*good, *odd])}
    assert found == {(one.where, one.where) for one in odd} | {(good[3].where, "twice")}


def test_what_train_and_test_share_is_told(good: list[Utterance], tmp_path: Path) -> None:
    train = [replace(one, speaker="s", text=f"text {i}") for i, one in enumerate(good)]
    other = write(tmp_path / "test", range(50, 52))
    test = [
        replace(train[0], text="other", speaker="t", where="file"),
        Utterance(other / "050.wav", "new", "s", "speaker"),
        Utterance(other / "051.wav", "TEXT  2", None, "text"),
    ]
    found = [(one.where, one.kind) for one in check_manifest(train, None, test)]
    assert found == [("file", "shared file"), ("speaker", "shared speaker"), ("text", "shared text")]
