"""Served models: interrupted runs, with their best weights so far; names of run folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

import gruworks.tasks.forecast.fitting as fitting
from gruworks import Forecaster
from gruworks.app.server.application import application
from gruworks.app.server.models import LoadedModels
from gruworks.errors import RunError
from tests.tasks.forecast.conftest import TINY, wavy


def interrupt(run: Path, at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fit that ends in Ctrl-C at a step."""
    real, steps = fitting.quantile_loss, 0

    def loss(model: Any, batch: Any) -> Any:
        nonlocal steps
        steps += model.training
        if steps == at:
            raise KeyboardInterrupt
        return real(model, batch)

    with monkeypatch.context() as patch:
        patch.setitem(fitting.LOSSES, "encoder", loss)
        with pytest.raises(KeyboardInterrupt):
            Forecaster(horizon=5, **TINY).fit(wavy(140), out=run, quiet=True)


def test_an_interrupted_run_is_served_with_its_best_weights_so_far(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt(tmp_path / "part", 25, monkeypatch)
    app = application([tmp_path / "part"], ready=False)
    (warning,) = app.state.service.loaded.models["part"].warnings
    assert "was interrupted: these are its best weights so far" in warning
    with pytest.warns(UserWarning, match="interrupted"):
        expected = Forecaster.load(tmp_path / "part").predict()["y_hat"].tolist()
    with TestClient(app, base_url="http://127.0.0.1") as client:
        (shown,) = client.get("/v1/models").json()["models"]
        answer = client.post("/v1/forecast", json={}).json()
    assert shown["interrupted"] is True
    assert str(tmp_path) not in str(shown)  # the warning names a path of the server
    assert answer["series"][0]["forecast"]["y_hat"] == pytest.approx(expected)


def test_a_run_without_weights_so_far_is_refused_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupt(tmp_path / "early", 5, monkeypatch)
    with pytest.raises(RunError, match="early"):
        LoadedModels([tmp_path / "early"], with_ready=False)


def test_folders_of_one_name_are_numbered_and_one_folder_is_served_once(tmp_path: Path) -> None:
    run = Forecaster(horizon=1).fit([1, 2, 3, 4, 5]).save(tmp_path / "a" / "run")
    other = Forecaster(horizon=1).fit([1, 2, 3, 4, 5]).save(tmp_path / "b" / "run")
    loaded = LoadedModels([run, other, run], with_ready=False)
    assert list(loaded.models) == ["run", "run-2"]
