"""A CSV, a run fitted on it, and two ways to call the command line: in this process and in one of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from gruworks import Forecaster
from gruworks.app.cli import main
from tests.tasks.forecast.conftest import TINY, wavy

FLAGS = [
    "--horizon",
    "5",
    *(part for name, value in TINY.items() if value for part in (f"--{name.replace('_', '-')}", str(value))),
    "--no-blend",
]
Answer = tuple[int, str, str]


@pytest.fixture
def csv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`data.csv` of 140 days in an empty working folder."""
    monkeypatch.chdir(tmp_path)
    wavy(140).to_csv(tmp_path / "data.csv", index=False)
    return tmp_path / "data.csv"


@pytest.fixture(scope="package")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder, fitted on 140 days; tests read it only."""
    return Forecaster(horizon=5, **TINY).fit(wavy(140), quiet=True).save(tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture
def gruworks(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """Call the command in this process: exit status, standard output, standard error."""
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments: object) -> Answer:
        monkeypatch.setattr(sys, "argv", ["gruworks", *map(str, arguments)])
        capfd.readouterr()
        try:
            main.run()
        except SystemExit as left:
            status = left.code if isinstance(left.code, int) else 1
        else:
            status = 0
        out, err = capfd.readouterr()
        return status, out, err

    return call


def start(*arguments: object, **options: object) -> subprocess.Popen[str]:
    """Start the command as a process of its own."""
    code = "from gruworks.app.cli.main import run; run()"
    environment = os.environ | {"OMP_NUM_THREADS": "1", "COLUMNS": "200"}
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        **options,
    )


@pytest.fixture(scope="package", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
