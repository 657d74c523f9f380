"""README's commands, in order, in one folder; its Python blocks run in tests/test_docs.py."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.app.conftest import Answer

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
LINES = [
    line for block in re.findall(r"^```sh\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL) for line in block.splitlines()
]
NOT_RUN = ("pip install ", "gruworks serve")  # download; run until they are interrupted


def test_its_commands_run_in_order(
    gruworks: Callable[..., Answer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for line in (line for line in LINES if not line.startswith(NOT_RUN)):
        typed, _, command = line.rpartition(" | ")
        words = shlex.split(command, comments=True)[1:]
        if words[1] == "fit":
            words += ["--steps", "3"]
        (tmp_path / "typed").write_text(shlex.split(typed)[1] + "\n" if typed else "")
        with (tmp_path / "typed").open() as file:
            monkeypatch.setattr("sys.stdin", file)
            status, _, err = gruworks(*words)
        assert status == 0, f"{line}: {err}"


def test_its_targets_of_make_are_there() -> None:
    targets = re.findall(r"^    make (\w+)", TEXT, re.MULTILINE)
    assert targets == ["demo", "test"]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)
