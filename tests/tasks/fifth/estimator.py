"""Counter: the mean step of a line of numbers, and a GRU that has read it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import torch

from gruworks.nn.gru import GRU
from gruworks.settings import Settings
from gruworks.tasks.estimator import Estimator, data_facts
from gruworks.tasks.signatures import takes
from gruworks.training.checked import Check, number, record
from gruworks.training.runs import RunFolder
from tests.tasks.fifth.config import Config, Options

__all__ = ["Counter"]


class Counter(Estimator):
    """The numbers that go on after a line."""

    task: ClassVar[str] = "count"
    config_class: ClassVar[type[Settings]] = Config
    codec_check: ClassVar[Check] = staticmethod(record(step=number()))

    def __init__(self, config: Settings | None = None, **settings: Any) -> None:
        super().__init__(config, **settings)
        self.step: float | None = None

    @property
    def fitted(self) -> bool:
        return self.step is not None

    @takes(Options)
    def go_on(self, line: str, **options: Any) -> list[float]:
        """The numbers after `line`."""
        self._need_fit()
        assert self.step is not None and self.model is not None  # noqa: PT018
        numbers = [float(part) for part in line.split()]
        self.model(torch.tensor(numbers)[:, None, None])
        return [numbers[-1] + self.step * (i + 1) for i in range(Options.from_flat(options).count)]

    def _read_data(self, data: Path | str, validation: None) -> tuple[list[float], dict[str, Any]]:
        line = [float(part) for part in Path(data).read_text().split()]
        return line, data_facts("0", len(line))

    def _prepare(self, read: list[float]) -> None:
        self.step = (read[-1] - read[0]) / (len(read) - 1)

    def _learn(self, prepared: None, run: RunFolder, quiet: bool, resume: bool) -> None:
        self.model, self.metrics = self._new_model(), {"best_loss": 0.5}

    def _new_model(self) -> torch.nn.Module:
        return GRU(1, self.config.hidden_size)

    def _give(self) -> tuple[dict[str, Any], dict[str, Any]]:
        return {"step": self.step}, {}

    def _take(self, codec: dict[str, Any], context: dict[str, Any]) -> None:
        self.step = codec["step"]
