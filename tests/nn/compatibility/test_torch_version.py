"""Refusal of old versions of torch."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import torch

from gruworks.errors import MissingExtraError
from gruworks.nn.compatibility.torch_version import OLDEST, check_version


@pytest.mark.parametrize("version", ["2.8.0", "2.11.0", "1.13.1+cpu"])
def test_an_old_torch_is_refused_by_name(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "__version__", version)
    with pytest.raises(MissingExtraError, match=rf"torch 2\.12 or newer, not {re.escape(version)}: pip install"):
        check_version()


@pytest.mark.parametrize("version", ["2.12.1", "2.13.0", "2.15.0a0+git1234", "3.0.0"])
def test_newer_ones_are_not(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "__version__", version)
    check_version()


def test_the_extra_asks_for_the_oldest_that_is_not_refused() -> None:
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["optional-dependencies"]["torch"] == [f"torch>={OLDEST[0]}.{OLDEST[1]}"]
