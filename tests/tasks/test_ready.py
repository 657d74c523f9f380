"""The models that the package brings: all there, small, with cards, and loadable."""

from __future__ import annotations

import pytest

from gruworks.errors import OptionError
from gruworks.tasks import ready, registry

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


def test_a_task_without_one_is_refused() -> None:
    with pytest.raises(OptionError, match="no ready model for nothing"):
        ready.find("nothing")
