"""Tasks by name: strings until one is asked for."""

from __future__ import annotations

import pytest

from gruworks import Forecaster
from gruworks.errors import OptionError
from gruworks.tasks import registry


def test_every_task_is_found_under_its_own_name() -> None:
    assert registry.estimator("forecast") is Forecaster
    for task in registry.TASKS:
        assert registry.estimator(task).task == task


def test_an_unknown_task_is_answered_with_the_known_ones() -> None:
    with pytest.raises(OptionError, match="there is no task 'paint'; there are: forecast"):
        registry.estimator("paint")
