"""`gruworks try`: the package's own models, in one line each."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy
import soundfile

from gruworks.tasks.generate.verse.checker import check
from tests.app.conftest import Answer


def test_it_lists_models_with_licences(gruworks: Callable[..., Answer]) -> None:
    status, out, _ = gruworks("try")
    assert status == 0
    assert "CC BY" in out
    assert "gruworks try translate" in out


def test_each_model_answers(gruworks: Callable[..., Answer], tmp_path: Path) -> None:
    _, out, _ = gruworks("try", "translate", "I am hungry.", "--quiet")
    assert out.strip()
    assert out.strip() != "I am hungry."
    assert (
        gruworks("try", "translate", "I am hungry.", "My computer is broken.", "--quiet")[1]
        == "我饿死了。\n我的电脑坏了。\n"
    )
    assert "餓" in gruworks("try", "translate", "I am hungry.", "--script", "traditional", "--quiet")[1]
    _, out, _ = gruworks("try", "verse", "--form", "lushi7", "--seed", "2", "--json")
    assert check(json.loads(out)["lines"], "lushi7").ok
    _, out, _ = gruworks("try", "forecast", "--json")
    assert len(json.loads(out)["rows"]) == 14
    soundfile.write(tmp_path / "a.wav", numpy.random.default_rng(0).normal(0, 1e-3, 4000), 8000)
    status, out, _ = gruworks("try", "transcribe", str(tmp_path / "a.wav"), "--json")
    assert (status, len(json.loads(out)["texts"])) == (0, 1)
    status, out, err = gruworks("try", "transcribe", str(tmp_path / "none.wav"), str(tmp_path / "a.wav"))
    assert (status, out) == (2, f"{tmp_path / 'a.wav'}\t\n")  # noise has no words
    status, _, err = gruworks("try", "transcribe", str(tmp_path / "none.wav"))
    assert (status, "none.wav" in err) == (2, True)
