"""The models that the package brings: all there, small, with cards, and loadable."""

from __future__ import annotations

import hashlib
import json

import pytest

from gruworks.errors import OptionError
from gruworks.tasks import ready, registry
from gruworks.training.runs import FORMAT

MEGABYTES = 12


def test_all_are_there_and_small_together() -> None:
    assert [one.name for one in ready.present()] == [one.name for one in ready.READY]
    whole = sum(file.stat().st_size for file in ready.FOLDER.rglob("*") if file.is_file())
    assert whole < MEGABYTES * 1_000_000


@pytest.mark.parametrize("one", ready.READY, ids=lambda one: one.name)
def test_each_has_a_card_and_loads(one: ready.Ready) -> None:
    card = one.card()
    assert all(card[name] for name in ("about", "data", "licence", "figures", "limits"))
    assert set(card["zh"]) == {"about", "limits"}
    assert registry.estimator(one.task).load(one.path).fitted


@pytest.mark.parametrize("one", ready.READY, ids=lambda one: one.name)
def test_each_is_of_the_newest_format_with_the_sum_of_every_file(one: ready.Ready) -> None:
    facts, files = json.loads((one.path / "run.json").read_text()), {}
    for path in one.path.rglob("*"):
        if path.is_file() and path.name != "run.json":
            files[path.relative_to(one.path).as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
    assert (facts["format"], facts["sha256"]) == (FORMAT, files)


@pytest.mark.parametrize("one", [one for one in ready.READY if "options" in one.card()], ids=lambda one: one.name)
def test_the_options_of_a_card_are_options_of_its_task(one: ready.Ready) -> None:
    assert registry.settings(one.task, "Options").from_flat(one.card()["options"])


def test_a_task_without_one_is_refused() -> None:
    with pytest.raises(OptionError, match="no ready model for nothing"):
        ready.find("nothing")
