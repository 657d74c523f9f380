"""Settings of fits over HTTP: none that stays with the machine, none beyond the server's limits."""

from __future__ import annotations

import dataclasses
import json
import typing
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from gruworks.app.server.fit_request import checked, flags
from gruworks.app.server.limits import Limits
from gruworks.app.server.responses import RequestError
from gruworks.app.server.schemas import Fit, FitRecordings
from gruworks.settings import Settings
from gruworks.tasks import registry

UPLOADED = sorted(task.name for task in registry.TASKS.values() if task.upload)
DATA = {"forecast": {"csv": "ds,y\n2024-01-01,1\n"}, "generate": {"text": "abc"}, "translate": {"text": "a\tb\n"}}


def post(client: TestClient, task: str, settings: dict[str, Any], data: dict[str, str]) -> Any:
    if task == "transcribe":
        form = {"settings": json.dumps(settings)}
        return client.post("/v1/fit/recordings", files={"archive": ("a.zip", b"")} if data else {}, data=form)
    return client.post("/v1/fit", json={"task": task, "settings": settings} | data)


def asked(task: str, settings: dict[str, Any]) -> Fit | FitRecordings:
    return FitRecordings(settings=settings) if task == "transcribe" else Fit(task=task, settings=settings)


# settings that take memory, threads or time, or name files or their columns: marked local, or limited by the server
COSTLY = {
    "threads", "devices", "window", "paths", "kernel_size", "heads", "sequence", "longest", "num_layers",
    "batch_tokens", "embedding_size", "attention_size", "maxout", "noise_from", "vocabulary_size", "channels",
    "bands", "order", "coefficients", "steps", "minutes", "batch_size", "hidden_size", "layers", "horizon",
    "audio", "text",
}  # fmt: skip
LIMITED = {"steps", "minutes", "batch_size", "hidden_size", "layers", "num_layers", "horizon"}


def values(settings: type[Settings]) -> dict[str, Any]:
    """A value of each setting's own type."""
    found: dict[str, Any] = {}
    hints = typing.get_type_hints(settings)
    for field in dataclasses.fields(settings):
        nested = isinstance(hints[field.name], type) and issubclass(hints[field.name], Settings)
        found |= values(hints[field.name]) if nested else {field.name: field.default}
    return found


@pytest.mark.parametrize("task", sorted(registry.TASKS))
def test_what_costs_is_marked_local_or_limited(task: str) -> None:
    config = registry.settings(task, "Config")
    assert config.local_names() == (config.flat_names() & COSTLY) - LIMITED


@pytest.fixture(scope="module")
def fitting(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    from gruworks.app.server.application import application

    return TestClient(application([], fits=tmp_path_factory.mktemp("fits")))


@pytest.mark.parametrize("task", UPLOADED)
def test_a_local_setting_is_never_taken_from_http(fitting: TestClient, task: str) -> None:
    config = registry.settings(task, "Config")
    usual = values(config)
    assert config.local_names()
    for name in sorted(config.local_names()):
        for value in (usual[name], 1, 1024, "/etc/passwd", None):
            answer = post(fitting, task, {name: value}, DATA.get(task, {"archive": ""}))
            assert (answer.status_code, answer.json()["error"]["where"]) == (422, f"settings.{name}"), answer.text
            assert name in answer.json()["error"]["message"]
    assert fitting.get("/v1/jobs").json() == {"jobs": []}


@pytest.mark.parametrize("task", UPLOADED)
def test_the_others_have_limits_that_are_told(fitting: TestClient, task: str) -> None:
    told = fitting.get("/v1/limits").json()
    for name in LIMITED & registry.settings(task, "Config").flat_names():
        most = told.get(f"fit_{name.removeprefix('num_')}", told.get(name))
        for value in (most + 1, 10**9, float(10**30), 10**400):
            with pytest.raises(RequestError, match=f"expected {name} of at most {most}") as refused:
                checked(asked(task, {name: value}), Limits())
            assert (refused.value.status, refused.value.where) == (422, f"settings.{name}")


def test_lists_and_texts_are_short() -> None:
    for value in (list(range(2, 60)), "x" * 1001):
        with pytest.raises(RequestError, match="expected at most"):
            checked(Fit(settings={"periods": value}), Limits())


def test_a_default_beyond_the_limit_is_lowered() -> None:
    settings, steps = checked(Fit(task="translate"), Limits(fit_minutes=2.0, fit_steps=7))
    assert (settings["minutes"], steps) == (2.0, 0)  # as many as fit into the minutes
    settings, steps = checked(Fit(task="forecast"), Limits(fit_minutes=2.0, fit_steps=7))
    assert (settings["minutes"], settings["steps"], steps) == (2.0, 7, 7)
    assert {"--minutes=2.0", "--steps=7"} <= set(flags(settings))
    assert checked(Fit(task="forecast"), Limits())[0] == {}


def test_flags_are_one_word_each() -> None:
    found = flags({"time": "--out=/etc/x y", "season": False, "blend": True, "periods": (7, 12), "date_format": None})
    assert found == ["--time=--out=/etc/x y", "--no-season", "--blend", "--periods=7,12"]


def test_data_are_needed(fitting: TestClient, tmp_path: Path) -> None:
    for task in UPLOADED:
        assert post(fitting, task, {}, {}).status_code == (422 if task == "transcribe" else 400)
