"""A fifth task is one folder (`fifth/`) and one line in the registry: command, card, route and lab come with it."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from gruworks.app.cli.main import make
from gruworks.app.server.application import application
from gruworks.errors import OptionError
from gruworks.lab.gates import of_run
from gruworks.tasks import registry
from tests.tasks.fifth.task import TASK

Run = Callable[..., str]


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.TASKS, TASK.name, TASK)


@pytest.fixture
def gruworks() -> Run:
    """The command line with the fifth task."""
    app = make()

    def run(*arguments: object) -> str:
        result = CliRunner().invoke(app, [str(one) for one in arguments], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.stdout

    return run


@pytest.fixture
def fitted(tmp_path: Path, gruworks: Run) -> Path:
    (tmp_path / "numbers.txt").write_text("1 2 3 4 5")
    gruworks("count", "fit", tmp_path / "numbers.txt", "--hidden-size", 4, "--out", tmp_path / "run", "--quiet")
    return tmp_path / "run"


def test_it_has_its_commands(fitted: Path, gruworks: Run) -> None:
    assert TASK.purpose in gruworks("--help")
    told = gruworks("count", "--help")
    assert TASK.example in told
    assert all(name in told for name in ("fit", TASK.verb, "card", "export"))
    assert json.loads(gruworks("count", TASK.verb, fitted, "7 8", "--count", 3, "--json"))["answer"] == [9, 10, 11]


def test_it_has_its_card(fitted: Path, gruworks: Run) -> None:
    for told in (gruworks("card", fitted), gruworks("count", "card", fitted)):
        assert f"    gruworks count {TASK.verb} {fitted}" in told
        assert "| hidden_size | 4 |" in told


def test_it_has_its_route(fitted: Path) -> None:
    with TestClient(application([fitted], ready=False), base_url="http://127.0.0.1") as client:
        asked = {"input": "7 8", "count": 1}
        assert client.post("/v1/count", json=asked).json() == {"answer": [9.0], "model": "run"}
        assert len(client.post("/v1/count", json={"input": "7 8"}).json()["answer"]) == 2
        assert client.post("/v1/count", json=asked | {"count": 10}).status_code == 422
        local = client.post("/v1/count", json=asked | {"folder": "/"})
        assert local.status_code == 422
        (told,) = client.get("/v1/models").json()["models"]
        assert (told["task"], told["reads"]) == ("count", "text")
        assert [one["name"] for one in told["options"]] == ["count"]


def test_the_lab_looks_into_it(fitted: Path) -> None:
    assert of_run(fitted, text="7 8 9").state.shape == (3, 4)
    with pytest.raises(OptionError, match="needs --text"):
        of_run(fitted)


def test_its_class_lists_its_settings() -> None:
    assert "hidden_size" in inspect.signature(registry.estimator("count")).parameters
