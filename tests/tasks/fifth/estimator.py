"""Counter: the mean step of a line of numbers, and a GRU that has read it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Self

import torch

from gruworks.nn.gru import GRU
from gruworks.settings import Settings
from gruworks.tasks.estimator import Estimator
from gruworks.tasks.signatures import takes
from gruworks.training.checked import Check, number, record
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

    def fit(
        self, data: Path | str, *, out: Path | str | None = None, resume: bool = False, quiet: bool | None = None
    ) -> Self:
        """Learn from a file of numbers."""
        line = [float(part) for part in Path(data).read_text().split()]
        with self._run(out, resume, data={"sha256": "0", "rows": len(line), "licence": None}) as run:
            self.step, self.model = (line[-1] - line[0]) / (len(line) - 1), self._new_model()
            self.metrics = {"best_loss": 0.5}
            self._write(run)
        return self

    @takes(Options)
    def go_on(self, line: str, **options: Any) -> list[float]:
        """The numbers after `line`."""
        self._need_fit()
        assert self.step is not None and self.model is not None  # noqa: PT018
        numbers = [float(part) for part in line.split()]
        self.model(torch.tensor(numbers)[:, None, None])
        return [numbers[-1] + self.step * (i + 1) for i in range(Options.from_flat(options).count)]

    def _new_model(self) -> torch.nn.Module:
        return GRU(1, self.config.hidden_size)

    def _give(self) -> tuple[dict[str, Any], dict[str, Any]]:
        return {"step": self.step}, {}

    def _take(self, codec: dict[str, Any], context: dict[str, Any]) -> None:
        self.step = codec["step"]
