"""Progress of a fit by wall time."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from gruworks.training.minutes import Costs, Minutes
from gruworks.training.pace import Pace


def test_progress_runs_from_the_first_step_to_the_last_validation() -> None:
    now = 10.0
    minutes = Minutes(100.0, 0.0, reserve=5.0, clock=lambda: now)
    pace = Pace(minutes, Costs(1.0, 4.0, 3.0), {})
    trainer: Any = SimpleNamespace(strategy=SimpleNamespace(broadcast=lambda value: value), should_stop=False)
    assert pace.end == 100 - 3 - 5 - 4
    now = 49.0
    pace.on_train_batch_end(trainer)
    assert pace.progress == 0.5
    assert not trainer.should_stop
    now = 70.0
    pace.on_validation_start()
    now = 80.0  # longer than measured: the end comes earlier
    pace.on_validation_end()
    assert pace.end == 82
    now = 82.5
    pace.on_train_batch_end(trainer)
    assert pace.progress == 1
    assert trainer.should_stop
