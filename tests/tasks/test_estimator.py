"""Run folders as every estimator writes and reads them: whole, damaged, edited."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
import safetensors.numpy

from gruworks import Forecaster
from gruworks.errors import OptionError, RunError
from gruworks.training import runs
from tests.tasks.forecast.conftest import TINY, wavy

NAMES = ("run.json", "config.json", "weights.safetensors", "codec/codec.json", "context.safetensors", "metrics.json")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("runs") / "whole"
    Forecaster(horizon=3, **TINY).fit(wavy(120), out=path, quiet=True)
    return path


@pytest.fixture
def run(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "run"))


def test_a_fit_leaves_every_file_that_the_format_names(run: Path) -> None:
    for name in NAMES:
        assert (run / name).stat().st_size > 0, name
        assert name.split("/")[0] in runs.__doc__
    assert (run / "checkpoints" / "last.ckpt").is_file()
    facts = json.loads((run / "run.json").read_text())
    assert (facts["format"], facts["task"], facts["state"]) == (1, "forecast", "fitted")
    assert set(facts["versions"]) >= {"gruworks", "torch"}
    assert facts["data"]["rows"] == 120
    assert not [path for path in run.rglob("*") if path.name.startswith(".")]  # no temporary file is left


def edit(name: str, change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    """Change one of the run's JSON files."""

    def apply(run: Path) -> None:
        values = json.loads((run / name).read_text())
        change(values)
        (run / name).write_text(json.dumps(values))

    return apply


def arrays(name: str, change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    """Change one of the run's files of arrays."""

    def apply(run: Path) -> None:
        values = safetensors.numpy.load_file(run / name)
        change(values)
        safetensors.numpy.save_file(values, run / name)

    return apply


def cut(name: str) -> Callable[[Path], None]:
    """Keep the first half of a file."""
    return lambda run: (run / name).write_bytes((run / name).read_bytes()[: (run / name).stat().st_size // 2]) and None


DAMAGE: dict[str, tuple[Callable[[Path], Any], str]] = {
    "no run": (shutil.rmtree, "does not exist; a fit makes one"),
    "no run.json": (lambda run: (run / "run.json").unlink(), r"is not a run folder \(it has no run.json\)"),
    "run.json cut": (cut("run.json"), r"run.json is damaged"),
    "run.json a list": (lambda run: (run / "run.json").write_text("[1]"), "run.json is damaged: it holds no object"),
    "format": (edit("run.json", lambda v: v.update(format=2)), "has run format 2; this version reads format 1"),
    "task": (edit("run.json", lambda v: v.update(task="paint")), "is a run of the task 'paint', not 'forecast'"),
    "no config": (lambda run: (run / "config.json").unlink(), r"has no config.json: the fit did not finish"),
    "unknown setting": (
        edit("config.json", lambda v: v.update(magic=1)),
        "config.json is damaged: .*no setting 'magic'",
    ),
    "wrong setting": (
        edit("config.json", lambda v: v.update(horizon="x")),
        "config.json is damaged: .*horizon must be",
    ),
    "other sizes": (edit("config.json", lambda v: v.update(hidden_size=9)), "weights.* doesn't fit config.json"),
    "other reset": (edit("config.json", lambda v: v.update(reset="before")), "weights.* doesn't fit config.json"),
    "weights cut": (cut("weights.safetensors"), r"weights.safetensors is damaged"),
    "no weights": (lambda run: (run / "weights.safetensors").unlink(), r"has no weights.safetensors"),
    "a weight less": (arrays("weights.safetensors", lambda v: v.pop("head.bias")), "doesn't fit config.json"),
    "weights no numbers": (
        arrays("weights.safetensors", lambda v: v["head.bias"].fill(numpy.nan)),
        "weights.safetensors is damaged: head.bias holds values that are no numbers",
    ),
    "codec cut": (cut("codec/codec.json"), r"codec.json is damaged"),
    "codec without seasons": (edit("codec/codec.json", lambda v: v.pop("seasons")), "its parts don't fit together"),
    "codec without names": (edit("codec/codec.json", lambda v: v.pop("series")), "its parts don't fit together"),
    "codec of another kind": (
        edit("codec/codec.json", lambda v: v.update(frequency=3)),
        "its parts don't fit together",
    ),
    "no such frequency": (
        edit("codec/codec.json", lambda v: v["frequency"].update(code="often")),
        "its parts don't fit together",
    ),
    "a season of text": (edit("codec/codec.json", lambda v: v["seasons"][0].update(period="x")), "don't fit together"),
    "a series more": (edit("codec/codec.json", lambda v: v["series"].append("b")), "its parts don't fit together"),
    "no such library": (edit("codec/codec.json", lambda v: v.update(backend="abacus")), "its parts don't fit together"),
    "context cut": (cut("context.safetensors"), r"context.safetensors is damaged"),
    "context empty": (arrays("context.safetensors", lambda v: v.clear()), "its parts don't fit together"),
    "context shorter": (
        arrays("context.safetensors", lambda v: v.update(y=v["y"][:5])),
        "its parts don't fit together",
    ),
    "metrics cut": (cut("metrics.json"), r"metrics.json is damaged"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_run_is_refused_in_a_line(name: str, run: Path) -> None:
    damage, message = DAMAGE[name]
    damage(run)
    with pytest.raises(RunError, match=message) as caught:
        Forecaster.load(run)
    assert str(run) in str(caught.value)


def test_a_run_is_written_whole_or_says_so(run: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    loaded = Forecaster.load(run)

    def full(run: runs.RunFolder, name: str, arrays: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(runs.RunFolder, "write_arrays", full)
    with pytest.raises(OSError, match="No space left"):
        loaded.save(tmp_path / "copy")
    with pytest.raises(RunError, match=r"has no context.safetensors: the fit did not finish"):
        Forecaster.load(tmp_path / "copy")


def test_a_folder_in_use_is_not_written_over(run: Path) -> None:
    with pytest.raises(RunError, match="exists already and is not an empty folder: name another one"):
        Forecaster.load(run).save(run)


def test_to_resume_takes_the_run_s_own_folder_settings_and_data(run: Path) -> None:
    same = {"horizon": 3, **TINY}
    with pytest.raises(OptionError, match="resume needs the run folder to go on from: out="):
        Forecaster(**same).fit(wavy(120), resume=True)
    with pytest.raises(OptionError, match="was begun with other settings"):
        Forecaster(**{**same, "hidden_size": 7}).fit(wavy(120), out=run, resume=True)
    with pytest.raises(ValueError, match="was begun on other data: resume needs the same"):
        Forecaster(**same).fit(wavy(120, seed=5), out=run, resume=True)
    with pytest.raises(RunError, match="does not exist"):
        Forecaster(**same).fit(wavy(120), out=run / "other", resume=True)


def test_a_run_that_lacks_a_newer_setting_has_its_default(run: Path) -> None:
    values = json.loads((run / "config.json").read_text())
    del values["training"]["devices"]
    (run / "config.json").write_text(json.dumps(values))
    with pytest.raises(ValueError, match="was begun on other data"):  # and not with other settings
        Forecaster(horizon=3, **TINY).fit(wavy(120, seed=5), out=run, resume=True)


def test_without_a_folder_a_fit_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.chdir(tmp_path)
    Forecaster(horizon=1).fit([1, 2, 3])
    assert list(tmp_path.iterdir()) == []
