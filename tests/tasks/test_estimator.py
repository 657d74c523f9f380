"""Run folders as every estimator writes and reads them: whole, damaged, edited."""

from __future__ import annotations

import builtins
import contextlib
import errno
import json
import pkgutil
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pytest
import safetensors.numpy

from fuzz.runs import reseal
from gruworks import Forecaster
from gruworks.errors import OptionError, RunError, WriteError
from gruworks.training import runs
from gruworks.training.runs import RunFolder
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
    assert (facts["format"], facts["task"], facts["state"]) == (2, "forecast", "fitted")
    assert set(facts["versions"]) >= {"gruworks", "torch"}
    assert facts["data"]["rows"] == 120
    assert not [path for path in run.rglob("*") if path.name.startswith(".")]  # no temporary file is left


def test_a_fit_in_memory_draws_no_picture(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    drawn = []
    monkeypatch.setattr("gruworks.tasks.estimator.draw_losses", lambda values, path: drawn.append(path.name))
    rows = wavy(200)
    assert Forecaster(**TINY).fit(rows, quiet=True).metrics["trained"]
    assert drawn == []
    Forecaster(**TINY).fit(rows, out=tmp_path / "run", quiet=True)
    assert drawn == ["curve.png"]


def edit(name: str, change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    """Change one of the run's JSON files."""

    def apply(run: Path) -> None:
        values = json.loads((run / name).read_text())
        change(values)
        (run / name).write_text(json.dumps(values))
        reseal(run)

    return apply


def arrays(name: str, change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    """Change one of the run's files of arrays."""

    def apply(run: Path) -> None:
        values = safetensors.numpy.load_file(run / name)
        change(values)
        safetensors.numpy.save_file(values, run / name)
        reseal(run)

    return apply


def cut(name: str) -> Callable[[Path], None]:
    """Keep the first half of a file."""
    return lambda run: (run / name).write_bytes((run / name).read_bytes()[: (run / name).stat().st_size // 2]) and None


DAMAGE: dict[str, tuple[Callable[[Path], Any], str]] = {
    "no run": (shutil.rmtree, "does not exist; a fit makes one"),
    "no run.json": (lambda run: (run / "run.json").unlink(), r"is not a run folder \(it has no run.json\)"),
    "run.json cut": (cut("run.json"), r"run.json is damaged"),
    "run.json a list": (
        lambda run: (run / "run.json").write_text("[1]"),
        "run.json is damaged: expected a JSON object",
    ),
    "format": (
        edit("run.json", lambda v: v.update(format=3)),
        "has run format 3; this version reads the formats 1 and 2",
    ),
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
    "weights beyond all sense": (
        arrays("weights.safetensors", lambda v: v["head.bias"].fill(1e30)),
        r"head.bias holds values that are no numbers or beyond 1e\+06",
    ),
    "codec cut": (cut("codec/codec.json"), r"codec.json is damaged"),
    "codec without seasons": (edit("codec/codec.json", lambda v: v.pop("seasons")), "codec.json lacks seasons"),
    "codec without names": (edit("codec/codec.json", lambda v: v.pop("series")), "codec.json lacks series"),
    "codec of another kind": (
        edit("codec/codec.json", lambda v: v.update(frequency=3)),
        "codec.json: frequency must be an object of named values, not 3",
    ),
    "no such frequency": (
        edit("codec/codec.json", lambda v: v["frequency"].update(code="often")),
        "its parts don't fit together",
    ),
    "a season of text": (
        edit("codec/codec.json", lambda v: v["seasons"][0].update(period="x")),
        r"codec.json: seasons\[0\].period must be a number from 2 to 1e\+09, not 'x'",
    ),
    "a series more": (edit("codec/codec.json", lambda v: v["series"].append("b")), r"lengths must be integers \[2\]"),
    "no such library": (
        edit("codec/codec.json", lambda v: v.update(backend="abacus")),
        "backend must be one of 'pandas'",
    ),
    "context cut": (cut("context.safetensors"), r"context.safetensors is damaged"),
    "context empty": (arrays("context.safetensors", lambda v: v.clear()), "context.safetensors lacks lengths, stamps"),
    "context shorter": (
        arrays("context.safetensors", lambda v: v.update(y=v["y"][:5])),
        "context.safetensors: lengths must hold only numbers from 1 to 5",
    ),
    "metrics cut": (cut("metrics.json"), r"metrics.json is damaged"),
    "metrics deep": (lambda run: deep(run / "metrics.json"), "metrics.json is damaged: it nests .* deeper than"),
    "run.json deep": (lambda run: deep(run / "run.json"), "run.json is damaged: it nests .* deeper than"),
    "run.json facts": (edit("run.json", lambda v: v.update(data=[1])), "run.json is damaged: data must be an object"),
    "a sum": (
        lambda run: flip(run / "weights.safetensors", -5),
        r"weights.safetensors is damaged, or was changed after the fit: its sha256 is not the one in run.json",
    ),
    "a scale of no dimension": (
        arrays("weights.safetensors", lambda v: v.update({"head.bias.scale": numpy.zeros((), numpy.float16)})),
        "weights.* doesn't fit config.json: head.bias.scale is the scale of an int8 matrix, which is missing",
    ),
    "a large network": (
        edit("config.json", lambda v: v.update(hidden_size=4096, num_layers=16)),
        "weights.* doesn't fit config.json: missing: gru.bias_hh_l1, gru",
    ),
    "many harmonics": (
        edit("codec/codec.json", lambda v: v["seasons"][0].update(harmonics=10**9)),
        r"codec.json: seasons\[0\].harmonics must be a whole number from 1 to 12, not 1000000000",
    ),
    "a blend of nothing": (
        edit("codec/codec.json", lambda v: v["blend"].update(naive=True)),
        "codec.json: blend.naive must be a text of at most 100 characters, not True",
    ),
    "values as integers": (
        arrays("context.safetensors", lambda v: v.update(y=v["y"].astype(numpy.int64))),
        r"context.safetensors: y must be floats \[120\], not int64 \[120\]",
    ),
    "values complex": (
        arrays("context.safetensors", lambda v: v.update(y=v["y"].astype(numpy.complex64))),
        r"context.safetensors: y must be floats \[120\], not complex64 \[120\]",
    ),
    "other groups": (
        arrays("context.safetensors", lambda v: v.update({"calibration.groups": numpy.zeros((2, 2), numpy.int64)})),
        r"calibration.groups must be integers \[3\], not int64 \[2, 2\]",
    ),
    "targets beyond": (
        arrays("context.safetensors", lambda v: v.update(targets=numpy.array([7]))),
        "context.safetensors: targets must hold only numbers from 0 to 0",
    ),
}


def deep(path: Path) -> None:
    path.write_text("[" * 1000 + "]" * 1000)
    reseal(path.parent)


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_run_is_refused_in_a_line(name: str, run: Path) -> None:
    damage, message = DAMAGE[name]
    damage(run)
    with pytest.raises(RunError, match=message) as caught:
        Forecaster.load(run)
    assert str(run) in str(caught.value)


def test_a_flipped_bit_is_named_with_its_file(run: Path) -> None:
    for name in NAMES[1:]:
        size = (run / name).stat().st_size
        for at in (0, size // 2, size - 1):
            flip(run / name, at)
            with pytest.raises(RunError, match=f"{name} is damaged, or was changed after the fit"):
                Forecaster.load(run)
            flip(run / name, at)
    Forecaster.load(run)


def test_a_run_whose_sums_are_gone_is_refused(run: Path) -> None:
    facts = json.loads((run / "run.json").read_text())
    assert set(facts.pop("sha256")) == {*NAMES, "curve.json", "curve.png"} - {"run.json"}
    (run / "run.json").write_text(json.dumps(facts))
    with pytest.raises(RunError, match=r"config.json is damaged, or was added after the fit: run.json has no sha256"):
        Forecaster.load(run)


CALLS = ("open", "os.fsync", "os.replace", "os.open", "pathlib.Path.mkdir")


def failing(call: str, at: int, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let the `at`-th use of a call fail as a full disk does; the list holds an entry once it has."""
    seen, failed = 0, []
    owner, _, name = call.rpartition(".")
    real = getattr(builtins, name) if not owner else pkgutil.resolve_name(call)

    def full(*arguments: Any, **named: Any) -> Any:
        nonlocal seen
        if not owner and "r" in (arguments[1] if len(arguments) > 1 else "r"):
            return real(*arguments, **named)
        seen += 1
        if seen == at:
            failed.append(call)
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(*arguments, **named)

    monkeypatch.setattr(f"builtins.{call}" if not owner else call, full)
    return failed


@pytest.mark.parametrize("call", CALLS)
def test_whatever_call_fails_the_earlier_run_still_loads(
    call: str, run: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Every use of every call that writes, one after another, in a run that is written over and in a new one."""
    before = Forecaster.load(run)
    expected = before.predict()["y_hat"].tolist()
    for at in range(1, 60):
        changed = Forecaster.load(run)
        changed.metrics = {**changed.metrics, "minutes": float(at)}
        with monkeypatch.context() as patch:
            failed = failing(call, at, patch)
            with (
                contextlib.suppress(WriteError) if at > 2 else pytest.raises(WriteError, match=f"{run}.*No space left")
            ):
                changed._write(RunFolder.open(run))
            if not failed:
                break
        assert not [path for path in run.rglob("*") if path.name.startswith(".")]
        assert Forecaster.load(run).predict()["y_hat"].tolist() == expected
        with monkeypatch.context() as patch:
            failing(call, at, patch)
            with contextlib.suppress(WriteError, RunError):
                before.save(tmp_path / f"new{at}")
        with contextlib.suppress(RunError):  # half of a new run says so, or it is whole
            assert Forecaster.load(tmp_path / f"new{at}").predict()["y_hat"].tolist() == expected
    assert at > 2, f"{call} is never called"


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
    reseal(run)
    with pytest.raises(ValueError, match="was begun on other data"):  # and not with other settings
        Forecaster(horizon=3, **TINY).fit(wavy(120, seed=5), out=run, resume=True)


def test_without_a_folder_a_fit_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.chdir(tmp_path)
    Forecaster(horizon=1).fit([1, 2, 3])
    assert list(tmp_path.iterdir()) == []
