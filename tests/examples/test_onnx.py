"""The scripts for exported models: each gives what Gruworks itself gives, with onnxruntime and numpy alone."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import numpy
import pytest

from gruworks.ops.backend import backend
from tests.exported import exported, recordings
from tests.tasks.forecast import conftest as series

if backend().name == "torch":
    pytest.skip(backend().reason, allow_module_level=True)

EXAMPLES = Path(__file__).parents[2] / "examples"
SCRIPTS = sorted(path.name for path in EXAMPLES.glob("onnx_*.py"))
ALLOWED = {"numpy", "onnxruntime"} | set(sys.stdlib_module_names)


def run(script: str, *arguments: object) -> str:
    environment = os.environ | {"PYTHONUTF8": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "error", str(EXAMPLES / script), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("script", SCRIPTS)
def test_it_is_short_and_imports_nothing_else(script: str) -> None:
    text = (EXAMPLES / script).read_text(encoding="utf-8")
    names = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Import | ast.ImportFrom)]
    found = {one.name if isinstance(node, ast.Import) else node.module for node in names for one in node.names}
    assert found <= ALLOWED
    assert len(text.splitlines()) <= 40


def test_forecast(tmp_path: Path) -> None:
    one, frame = exported("forecast"), series.wavy(160)
    frame.to_csv(tmp_path / "data.csv", index=False)
    lines = run("onnx_forecast.py", one.folder, tmp_path / "data.csv").splitlines()
    found = numpy.array([line.split() for line in lines], float)
    expected = one.estimator.predict(frame[140:])[["y_hat-lo-80", "y_hat", "y_hat-hi-80"]].to_numpy()
    assert found[:, 0].tolist() == [1, 2, 3, 4, 5]
    numpy.testing.assert_allclose(found[:, 1:], expected, atol=1e-3)


def test_generate() -> None:
    one = exported("generate")
    found = run("onnx_generate.py", one.folder, "the cat", 60, 0)
    assert found.removesuffix("\n") == one.estimator.write("the cat", length=60, top_k=1)
    assert len(run("onnx_generate.py", one.folder, "so")) == 201


def test_translate() -> None:
    one = exported("translate")
    lines = ["eine kleine Frau singt .", "Hund rennt.", "(Katze) Ω schläft"]
    expected = one.estimator.translate(lines, beam_size=1, fast=False)
    assert len(set(expected)) == 3
    for line, text in zip(lines, expected, strict=True):
        found = run("onnx_translate.py", one.folder, line).strip()
        assert found == text or "<unk>" in found  # Gruworks then copies words of the source


@pytest.mark.parametrize("kind", ["transcribe", "transcribe-streaming"])
def test_transcribe(kind: str) -> None:
    one = exported(kind)
    for file in sorted((recordings() / "test").glob("*.wav"))[:3]:
        expected = one.estimator.transcribe(file, lm_weight=0.0).text
        assert expected
        assert run("onnx_transcribe.py", one.folder, file).strip() == expected
        if kind == "transcribe-streaming":
            assert run("onnx_stream.py", one.folder, file).strip() == expected
