"""The scripts for exported models: each gives what Gruworks itself gives, with onnxruntime and numpy alone."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import wave
from pathlib import Path

import numpy
import pytest

from gruworks import Forecaster, Generator, Transcriber, Translator
from gruworks.data.text import Document
from gruworks.ops.backend import backend
from tests.tasks.forecast import conftest as forecasts
from tests.tasks.generate import conftest as texts
from tests.tasks.transcribe import conftest as speech
from tests.tasks.translate import conftest as pairs

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
    frame = forecasts.wavy(160)
    forecaster = Forecaster(horizon=5, **forecasts.TINY).fit(frame[:140], quiet=True)
    forecaster.export(tmp_path / "onnx")
    frame.to_csv(tmp_path / "data.csv", index=False)
    found = numpy.array([line.split() for line in run("onnx_forecast.py", tmp_path / "onnx", tmp_path / "data.csv").splitlines()])
    expected = forecaster.predict(frame[140:])[["y_hat-lo-80", "y_hat", "y_hat-hi-80"]].to_numpy()
    assert found[:, 0].tolist() == ["1", "2", "3", "4", "5"]
    numpy.testing.assert_allclose(found[:, 1:].astype(float), expected, atol=1e-3)


def test_generate(tmp_path: Path) -> None:
    generator = Generator(**texts.TINY).fit([Document(texts.prose())], quiet=True)
    generator.export(tmp_path / "onnx")
    found = run("onnx_generate.py", tmp_path / "onnx", "the cat", 60, 0)
    assert found.removesuffix("\n") == generator.write("the cat", length=60, top_k=1)
    assert len(run("onnx_generate.py", tmp_path / "onnx", "so")) == 201


def test_translate(tmp_path: Path) -> None:
    translator = Translator(**pairs.TINY | {"steps": 100}).fit(pairs.toy(), quiet=True)
    translator.export(tmp_path / "onnx")
    lines = ["eine kleine Frau singt .", "Hund rennt.", "(Katze) Ω schläft"]
    expected = translator.translate(lines, beam=1, fast=False)
    assert len(set(expected)) == 3
    for line, text in zip(lines, expected, strict=True):
        found = run("onnx_translate.py", tmp_path / "onnx", line).strip()
        assert found == text or "<unk>" in found  # Gruworks then copies words of the source


def test_transcribe(spoken: Path, tmp_path: Path) -> None:
    transcriber = Transcriber(**speech.SMALL).fit(spoken / "train", quiet=True)
    transcriber.export(tmp_path / "onnx")
    for file in sorted((spoken / "test").glob("*.wav"))[:4]:
        expected = transcriber.transcribe(file, language=0.0)
        assert expected
        assert run("onnx_transcribe.py", tmp_path / "onnx", file).strip() == expected


def test_stream(spoken: Path, tmp_path: Path) -> None:
    transcriber = Transcriber(streaming=True, **speech.SMALL).fit(spoken / "train", quiet=True)
    transcriber.export(tmp_path / "onnx")
    for file in sorted((spoken / "test").glob("*.wav"))[:4]:
        expected = transcriber.transcribe(file, language=0.0)
        assert expected
        assert run("onnx_stream.py", tmp_path / "onnx", file).strip() == expected
        assert run("onnx_transcribe.py", tmp_path / "onnx", file).strip() == expected


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("spoken")
    speech.write(folder / "train", range(50))
    speech.write(folder / "test", range(100, 112))
    with wave.open(str(folder / "train" / "000.wav")) as audio:
        assert audio.getsampwidth() == 2
    return folder
