"""Runs of format 1, fitted before settings had one name: they load, with and without sums, and answer as they did.

format1/TASK holds a tiny run of each task and `answers.json`, its answers under the code that wrote it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load_file, save_file

from gruworks.data.text import Document
from gruworks.errors import RunError
from gruworks.tasks import registry
from gruworks.training.format1 import NAMES, translated
from gruworks.training.runs import RunFolder
from tests.tasks.transcribe.conftest import RATE, say
from tests.tasks.translate.conftest import toy

FOLDER = Path(__file__).parent / "format1"
TEXT = "the cat sat on the mat . the dog sat on the log . " * 8


def _forecast(model: Any) -> dict[str, Any]:
    ahead = model.predict()
    return {
        "y_hat": ahead["y_hat"].tolist(),
        "y_hat-lo-80": ahead["y_hat-lo-80"].tolist(),
        "predict": model.predict([3.0, 1, 4, 1, 5, 9, 2, 6])["y_hat"].tolist(),
    }


def _generate(model: Any) -> dict[str, Any]:
    perplexity = model.evaluate([Document(TEXT)]).perplexity
    return {"perplexity": perplexity, "text": model.write("the", length=12, seed=1)}


def _translate(model: Any) -> dict[str, Any]:
    (best,) = model.n_best(["Frau singt ."], beam_size=4, n_best=2)
    return {
        "score": model.score(toy(1)[:4]),
        "text": model.translate("Hund schläft .", beam_size=3, length_penalty=0.5),
        "n_best": [[one.text, one.score] for one in best],
    }


def _transcribe(model: Any) -> dict[str, Any]:
    weights = {"lm_weight": 0.4, "word_bonus": 0.2, "attention_weight": 0.6}
    found = model.transcribe(say("cad", 7), rate=RATE, beam_size=6, n_best=3, **weights)
    return {"text": found.text, "score": found.score, "alternatives": found.alternatives}


ANSWERS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "forecast": _forecast,
    "generate": _generate,
    "translate": _translate,
    "transcribe": _transcribe,
}


def _equal(found: Any, expected: Any) -> bool:
    """Texts exactly, numbers to what another processor's rounding may move."""
    if isinstance(expected, list):
        return len(found) == len(expected) and all(_equal(*pair) for pair in zip(found, expected, strict=True))
    return bool(found == (pytest.approx(expected, rel=1e-4, abs=1e-4) if isinstance(expected, float) else expected))


def copied(task: str, folder: Path) -> Path:
    return Path(shutil.copytree(FOLDER / task, folder / task))


@pytest.mark.parametrize("summed", [True, False], ids=["sums", "no sums"])
@pytest.mark.parametrize("task", sorted(ANSWERS))
def test_an_old_run_gives_the_numbers_that_it_gave(task: str, summed: bool, tmp_path: Path) -> None:
    run = copied(task, tmp_path)
    facts = json.loads((run / "run.json").read_text())
    assert (facts["format"], "sha256" in facts) == (1, True)
    if not summed:
        (run / "run.json").write_text(json.dumps({name: one for name, one in facts.items() if name != "sha256"}))
    found = ANSWERS[task](registry.estimator(task).load(run))
    expected = json.loads((run / "answers.json").read_text(encoding="utf-8"))
    assert found.keys() == expected.keys()
    for name in expected:
        assert _equal(found[name], expected[name]), (name, found[name])


@pytest.mark.parametrize("task", sorted(ANSWERS))
def test_saved_again_it_is_of_format_2(task: str, tmp_path: Path) -> None:
    old = registry.estimator(task).load(FOLDER / task)
    new = RunFolder.open(old.save(tmp_path / "run"))
    assert new.facts["format"] == 2
    assert new.read_json("config.json") == json.loads(json.dumps(old.config.to_dict()))
    settings = RunFolder.open(FOLDER / task).read_json("config.json")  # later ones have their defaults
    assert new.read_json("config.json") == json.loads(json.dumps(type(old.config)().to_dict())) | settings
    assert ANSWERS[task](registry.estimator(task).load(new.path)) == ANSWERS[task](old)


@pytest.mark.parametrize("task", sorted(ANSWERS))
def test_every_old_name_is_one_of_the_old_runs_and_every_new_one_a_setting(task: str) -> None:
    for file, names in NAMES[task].items():
        path = FOLDER / task / file
        old = load_file(path) if path.suffix == ".safetensors" else json.loads(path.read_text(encoding="utf-8"))
        assert {path.split(".")[0] for path in names} <= {name.split(".")[0] for name in old}
    assert set(NAMES[task]["config.json"].values()) <= registry.settings(task, "Config").flat_names()


def test_old_names_of_weights_are_read_in_format_2_too(tmp_path: Path) -> None:
    old = registry.estimator("forecast").load(FOLDER / "forecast")
    run = RunFolder.open(old.save(tmp_path / "run"))
    old_names = {new: name for name, new in NAMES["forecast"]["weights.safetensors"].items()}
    arrays = load_file(run.path / "weights.safetensors")
    assert set(old_names) <= set(arrays)
    save_file({old_names.get(name, name): array for name, array in arrays.items()}, run.path / "weights.safetensors")
    run.finish({})
    assert ANSWERS["forecast"](registry.estimator("forecast").load(run.path)) == ANSWERS["forecast"](old)


def test_names_are_translated_where_they_stand_and_values_with_them() -> None:
    old = {"alphabet": {"units": "words", "symbols": ["units"]}, "units": "words", "texts": ["bpe"], "remarks": []}
    assert translated("transcribe", "codec/codec.json", old) == {
        "alphabet": {"token": "word", "symbols": ["units"]}, "units": "words", "texts": ["bpe"], "fit_warnings": [],
    }  # fmt: skip
    assert translated("lab", "config.json", {"unit": "x"}) == {"unit": "x"}
    assert translated("generate", "config.json", {"unit": ["bpe"], "training": {"unit": 1}}) == {
        "token": ["bpe"], "training": {"unit": 1},
    }  # fmt: skip


def test_a_damaged_old_run_is_refused(tmp_path: Path) -> None:
    run = copied("forecast", tmp_path)
    values = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps(values | {"layers": 3}))
    with pytest.raises(RunError, match="damaged, or was changed after the fit"):
        registry.estimator("forecast").load(run)


@pytest.mark.parametrize("task", sorted(ANSWERS))
def test_an_old_run_is_not_resumed(task: str, tmp_path: Path) -> None:
    run = copied(task, tmp_path)
    refused = pytest.raises(RunError, match="has run format 1, which can be loaded but not resumed: fit anew into ano")
    with refused, registry.estimator(task).load(run)._run(run, True, {"sha256": "", "rows": 0}):
        pass
