"""`gruworks doctor`: versions, the code that runs and why, threads, the data folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import gruworks as package
from gruworks.ops.backend import backend
from tests.app.conftest import Answer


@pytest.mark.usefixtures("clean_environment")
def test_it_tells_versions_backend_reason_and_threads(gruworks: Callable[..., Answer]) -> None:
    status, out, err = gruworks("doctor", "--json")
    facts = json.loads(out)
    assert (status, err) == (0, "")
    assert (facts["gruworks"], facts["torch"]) == (package.__version__, torch.__version__)
    assert (facts["backend"], facts["because"]) == (backend().name, backend().reason)
    assert facts["because"]
    assert facts["threads"] == torch.get_num_threads()
    assert facts["data folder"] == "none (GRUWORKS_DATA is not set)"
    status, out, _ = gruworks("doctor")
    for name, value in facts.items():
        assert name in out
        assert str(value) in out


def test_it_names_the_data_folder_or_says_that_there_is_none(
    gruworks: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GRUWORKS_DATA", str(tmp_path))
    assert str(tmp_path) in gruworks("doctor")[1]
    monkeypatch.setenv("GRUWORKS_DATA", "/nowhere")
    status, out, err = gruworks("doctor")
    assert (status, out) == (2, "")
    assert err == "gruworks: GRUWORKS_DATA names '/nowhere', which is not a folder: create it or unset the variable\n"


def test_a_package_that_is_not_installed_is_no_error(
    gruworks: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gruworks.app.cli.doctor.PACKAGES", ("no-such-package",))
    assert json.loads(gruworks("doctor", "--json")[1])["no-such-package"] == "not installed"
