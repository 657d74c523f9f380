"""Tiny fits of every task, each exported once in a test session: fitting and exporting take seconds."""

from __future__ import annotations

import atexit
import functools
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy
import onnxruntime
import torch

from gruworks import Forecaster, Generator, Transcriber, Translator
from gruworks.data.text import Document
from tests.tasks.forecast import conftest as series
from tests.tasks.generate import conftest as texts
from tests.tasks.transcribe import conftest as speech
from tests.tasks.translate import conftest as pairs

__all__ = ["KINDS", "Exported", "exported", "recordings", "scratch"]

KINDS = [
    "forecast", "forecast-plain", "generate", "generate-convolution", "generate-attention", "translate",
    "translate-cho2014", "transcribe", "transcribe-streaming",
]  # fmt: skip


class Exported(NamedTuple):
    """A fitted estimator and the folder of its export."""

    estimator: Any
    folder: Path

    @property
    def says(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / "model.json").read_text(encoding="utf-8")))

    def run(self, graph: str, **feed: Any) -> dict[str, Any]:
        """A graph's outputs by name."""
        return _run(self.folder / f"{graph}.onnx", feed)

    def state(self, graph: str, rows: int) -> dict[str, Any]:
        """The carried state before the first call: zeros."""
        says = self.says["graphs"][graph]
        inputs = {name: says["inputs"][name] for name in says["carried"].values()}
        return {
            name: numpy.zeros([rows if size == "B" else size for size in one["shape"]], one["type"])
            for name, one in inputs.items()
        }

    def carried(self, graph: str, outputs: dict[str, Any]) -> dict[str, Any]:
        return {into: outputs[out] for out, into in self.says["graphs"][graph]["carried"].items()}


def exported(kind: str) -> Exported:
    """The export of a kind; read only."""
    return _exported(kind)


@functools.cache
def scratch() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="gruworks-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@functools.cache
def recordings() -> Path:
    """Two folders, train (50 recordings) and test (12)."""
    speech.write(scratch() / "spoken" / "train", range(50))
    speech.write(scratch() / "spoken" / "test", range(100, 112))
    return scratch() / "spoken"


@functools.cache
def _exported(kind: str) -> Exported:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        estimator = _fitted(*kind.partition("-")[::2])
        estimator.export(scratch() / kind)
    finally:
        torch.set_num_threads(threads)
    return Exported(estimator, scratch() / kind)


def _fitted(task: str, form: str) -> Any:
    if task == "forecast":
        options = series.TINY | ({"season": False, "reset": "before"} if form else {})
        return Forecaster(horizon=5, **options).fit(series.wavy(160)[:140], quiet=True)
    if task == "generate":
        options = texts.TINY | ({"between": form, "heads": 2, "window": 5, "steps": 10} if form else {})
        return Generator(**options).fit([Document(texts.prose())], quiet=True)
    if task == "translate":
        options = pairs.SHORT | {"model": form, "shared": False} if form else pairs.TINY | {"steps": 100}
        return Translator(**options).fit(pairs.toy(), quiet=True)
    return Transcriber(streaming=bool(form), **speech.SMALL).fit(recordings() / "train", quiet=True)


@functools.cache
def _session(path: Path) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options)


def _run(path: Path, feed: dict[str, Any]) -> dict[str, Any]:
    session = _session(path)
    names = [one.name for one in session.get_outputs()]
    return dict(zip(names, session.run(names, feed), strict=True))
