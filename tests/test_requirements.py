"""The pinned versions, and the hashes of their files."""

from __future__ import annotations

import importlib.machinery
import re
import subprocess
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\\n]+)", re.MULTILINE)


def pins(name: str) -> set[tuple[str, str]]:
    found = PIN.findall((ROOT / name).read_text())
    return {(re.sub(r"[-_.]+", "-", package).lower(), version) for package, version in found}


def test_every_pinned_version_has_hashes_and_no_other() -> None:
    text = (ROOT / "requirements-hashed.txt").read_text()
    assert pins("requirements-hashed.txt") == {one for one in pins("constraints.txt") if one[0] != "torch"}
    assert "://" not in text
    for entry in re.split(r"\n(?=[A-Za-z])", PIN.sub(lambda found: found[0], text))[1:]:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    loader = importlib.machinery.SourceFileLoader("audit", str(ROOT / ".ci" / "audit"))
    module = ModuleType(loader.name)
    module.__file__ = loader.path
    loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("packages", "status", "words"),
    [
        ([{"name": "a", "version": "1", "vulns": []}], 0, "1 of 1 versions looked up, 0 vulnerable"),
        (
            [{"name": "a", "version": "1", "vulns": [{"id": "CVE-1", "fix_versions": ["2"]}]}],
            1,
            "a 1: CVE-1, fixed in 2",
        ),
        ([{"name": "a", "skip_reason": "not found"}], 3, "of the others nothing is known"),
        ([], 3, "0 of 0 versions looked up"),
    ],
)
def test_an_audit_that_could_not_look_is_no_clean_one(
    audit: Any, packages: list[Any], status: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit.verdict(packages) == status
    assert words in capsys.readouterr().out


def test_an_audit_without_its_data_says_so(audit: Any, monkeypatch: Any, capsys: pytest.CaptureFixture[str]) -> None:
    answer = SimpleNamespace(stdout="", stderr="Traceback\nConnectionError: no route")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: answer)
    assert audit.main() == 3
    assert "could not be reached, so nothing was audited: ConnectionError: no route" in capsys.readouterr().out
