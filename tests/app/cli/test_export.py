"""`gruworks export RUN` and `gruworks TASK export RUN`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gruworks.interop.c.compiler import compiler
from gruworks.ops.backend import backend
from tests.app.conftest import Answer
from tests.exported import exported

if backend().name == "torch":
    pytest.skip(backend().reason, allow_module_level=True)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return exported("forecast-plain").estimator.save(tmp_path_factory.mktemp("runs") / "run")


def test_a_run_becomes_a_folder_beside_it(run: Path, gruworks: Callable[..., Answer]) -> None:
    status, out, err = gruworks("export", run, "--to", "onnx")
    assert (status, err) == (0, "")
    assert "model.onnx" in out
    assert out.rstrip().endswith("onnx")
    assert {path.name for path in (run / "onnx").iterdir()} == {"model.json", "model.onnx"}
    assert gruworks("forecast", "predict", run)[0] == 0


def test_a_task_has_it_too_and_json_says_what_was_found(
    run: Path, gruworks: Callable[..., Answer], tmp_path: Path
) -> None:
    status, out, _ = gruworks("forecast", "export", run, "--out", tmp_path / "new" / "onnx", "--json")
    said = json.loads(out)
    assert status == 0
    assert said["folder"] == str(tmp_path / "new" / "onnx")
    assert 0 <= said["largest_difference"]["model"] < 1e-5


def test_what_cannot_be_is_one_line(run: Path, gruworks: Callable[..., Answer], tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("kept", encoding="utf-8")
    for arguments, message in [
        (("export", tmp_path / "none"), "does not exist"),
        (("generate", "export", run), "is a run of the task 'forecast', not 'generate'"),
        (("export", tmp_path / "mine.txt"), "is a file, not a run folder"),
        (("export", run, "--out", tmp_path), "holds other files than an earlier export"),
    ]:
        status, _, err = gruworks(*arguments)
        assert status == 2
        assert message in err
        assert len(err.splitlines()) == 1
    assert (tmp_path / "mine.txt").read_text(encoding="utf-8") == "kept"


@pytest.mark.skipif(compiler() is None, reason="no C compiler")
def test_c_is_checked_and_its_sizes_are_shown(run: Path, gruworks: Callable[..., Answer], tmp_path: Path) -> None:
    options = ("--to", "c", "--precision", "int8", "--name", "thermometer")
    status, out, err = gruworks("export", run, *options)
    assert (status, err) == (0, "")
    assert "constants" in out
    assert {path.name for path in (run / "c").iterdir()} == {f"thermometer{end}" for end in (".h", ".c", "_test.c")}
    status, out, _ = gruworks("export", run, *options, "--out", tmp_path, "--json")
    said = json.loads(out)
    assert said["largest_difference"] < 1e-12
    assert said["bytes"]["state"] > 0
    status, _, err = gruworks("export", run, "--to", "c", "--name", "A-B")
    assert status == 2
    assert "lower-case identifier" in err
