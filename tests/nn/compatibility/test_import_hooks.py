"""Import hooks run once, right after the import, and survive a mere find_spec."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from gruworks.nn.compatibility.import_hooks import when_imported


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "waited_for.py").write_text("value = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.delitem(sys.modules, "waited_for", raising=False)
    return "waited_for"


def test_it_happens_at_the_import_and_once(module: str) -> None:
    finders, seen = list(sys.meta_path), list[ModuleType]()
    when_imported(module, seen.append)
    when_imported(module, seen.append)
    assert importlib.util.find_spec(module) is not None  # as those do who ask whether a package is installed
    assert seen == []
    imported = importlib.import_module(module)
    assert seen == [imported, imported]
    assert imported.value == 1
    assert sys.meta_path == finders


def test_it_happens_at_once_where_the_module_is_there(module: str) -> None:
    seen: list[ModuleType] = []
    imported = importlib.import_module(module)
    when_imported(module, seen.append)
    assert seen == [imported]


def test_a_module_that_is_not_there_stays_so(module: str) -> None:
    when_imported("gruworks_never_made", lambda _: None)
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("gruworks_never_made")
