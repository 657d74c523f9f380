"""Latency: the clock of someone who listens, with the work that a stream is said to do on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy
import pytest
import soundfile

from gruworks.tasks.transcribe import latency
from gruworks.tasks.transcribe.config import Config
from gruworks.tasks.transcribe.latency import measure, peak_memory
from gruworks.tasks.transcribe.manifest import Utterance
from gruworks.tasks.transcribe.streaming import Update


@dataclass
class Slow:
    """A stream that works `work` seconds a piece, and hears a word that began at 0.2 s in its fourth."""

    clock: list[float]
    work: float
    heard: int = 0
    segments: list[Any] = field(default_factory=list)

    def accept(self, samples: Any) -> Update:
        self.heard += 1
        self.clock[0] += self.work
        return Update("word" if self.heard >= 4 else "", "", "")

    def finish(self) -> Update:
        self.clock[0] += self.work
        self.segments = [SimpleNamespace(words=[SimpleNamespace(start=0.2)])]
        return Update("", "", "word")


@pytest.mark.parametrize(
    ("work", "first", "final"),
    # In time for each piece; or each piece waits for the one before: 4 and 9 of them and the last are worked on.
    [(0.02, 0.4 + 0.02 - 0.2, 0.02 + 0.02), (0.3, 0.1 + 4 * 0.3 - 0.2, 0.1 + 9 * 0.3 + 0.3 - 0.85)],
)
def test_work_and_waiting_are_on_the_clock(
    work: float, first: float, final: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    soundfile.write(tmp_path / "a.wav", numpy.full(6800, 0.1), 8000)  # 850 ms: nine pieces, the last one half
    clock = [0.0]
    monkeypatch.setattr(latency, "time", SimpleNamespace(perf_counter=lambda: clock[0]))
    said = [Utterance(tmp_path / "a.wav", "word", None, "a")] * 50
    made: Any = lambda: Slow(clock, work)  # noqa: E731
    found = measure(made, said, 8000, Config())
    assert found is not None
    assert found.utterances == 20
    assert (found.first_p50, found.first_p95) == pytest.approx((first, first))
    assert (found.final_p50, found.final_p95) == pytest.approx((final, final))


def test_memory_is_told_in_megabytes() -> None:
    most = peak_memory()
    assert most is None or 20 < most < 1e6
