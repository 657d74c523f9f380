"""benchmarks/speech.py and the recipes on it: joins of digits, and triples of speakers."""

from __future__ import annotations

import importlib
import sys
from itertools import combinations
from pathlib import Path

import numpy
import pytest
import soundfile

from gruworks.tasks.transcribe.manifest import Utterance


@pytest.fixture(autouse=True)
def benchmarks_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(Path(__file__).parents[2] / "benchmarks"), *sys.path])


@pytest.fixture
def digits(tmp_path: Path) -> list[Utterance]:
    made = []
    for number, name in enumerate(("zero", "one")):
        path = tmp_path / f"{name}.wav"
        soundfile.write(path, numpy.full(800, 0.5 + 0.1 * number), 8000)
        made.append(Utterance(path, name, "a", name))
    return made


def test_joins_without_pauses_hold_the_digits_alone(digits: list[Utterance], tmp_path: Path) -> None:
    joined = importlib.import_module("speech").joined
    for one in joined(digits, 5, tmp_path / "joined", 0, [(0.0, 0.0)]):
        assert len(soundfile.read(one.path)[0]) == 800 * len(one.text.split()) + 800  # 100 ms of silence at the end


def test_other_pauses_join_the_same_digits(digits: list[Utterance], tmp_path: Path) -> None:
    joined = importlib.import_module("speech").joined
    short, long = (joined(digits, 5, tmp_path / str(n), 0, [(n, n + 0.1)]) for n in (0.0, 0.2))
    assert [one.text for one in short] == [one.text for one in long]
    assert all(one.path.stat().st_size < other.path.stat().st_size for one, other in zip(short, long, strict=True))


def test_any_two_speakers_meet_in_a_triple() -> None:
    triples = importlib.import_module("recipe_transcribe_strangers").TRIPLES
    met = {pair for triple in triples for pair in combinations(triple, 2)}
    assert met == set(combinations(range(6), 2))
