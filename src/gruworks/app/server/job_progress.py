"""The progress of a fit as its client sees it: steps, losses, time left, and what the model writes by now."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable
from typing import Any

from gruworks.app.loading import load
from gruworks.app.server.job import Job
from gruworks.errors import GruworksError

__all__ = ["Watch"]

SAMPLE = 160  # tokens of a text that is written during a fit
SENTENCES = 3  # or recordings


class Watch:
    """One client's view of a job."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.first: tuple[int, float] | None = None  # step and time of the first progress that was seen
        self.step = self.sampled = 0
        self.steps = job.steps

    def progress(self) -> dict[str, Any]:
        """The last step in the run's curve.json and its losses; the time left is counted from the second step seen."""
        job = self.job
        found: dict[str, Any] = {"state": job.state, "step": 0, "steps": job.steps}
        found |= {"loss": None, "val_loss": None, "seconds_left": None}
        with contextlib.suppress(OSError, ValueError, KeyError, IndexError, TypeError):
            curve = json.loads((job.out / "curve.json").read_text(encoding="utf-8"))
            step = int(curve["step"][-1])
            # A fit by wall time has no number of steps.
            self.steps = job.steps or round(step / max(curve["progress"], 1e-3))
            self._see(step)
            found |= {
                "step": self.step,
                "steps": self.steps,
                "loss": curve["loss"][-1],
                "val_loss": curve["val_loss"][-1],
            }
            found["seconds_left"] = self._left
        return found

    def _see(self, step: int) -> None:
        if step > self.step:
            self.step, self.first = step, self.first or (step, time.time())
            self._left = self._estimate()

    _left: int | None = None

    def _estimate(self) -> int | None:
        """Seconds to the last step at the pace so far; loading of libraries and data before the first is no part."""
        step, since = self.first or (self.step, 0.0)
        return (
            round((time.time() - since) / (self.step - step) * max(self.steps - self.step, 0))
            if self.step > step
            else None
        )

    def sample(self) -> str | None:
        """Text, translations or transcripts by the best weights so far, once a step; None where nothing is new."""
        if self.step == self.sampled or self.job.task not in SAMPLES:
            return None
        self.sampled = self.step
        with contextlib.suppress(GruworksError, OSError, ValueError):
            estimator, _ = load(self.job.task, self.job.out)
            return SAMPLES[self.job.task](estimator, self.job)
        return None


def _written(generator: Any, _: Job) -> str:
    return str(generator.write(length=SAMPLE, temperature=0.7)).strip()


def _translated(translator: Any, job: Job) -> str:
    """The first sentences of the data and their translations."""
    lines = job.file.read_text(encoding="utf-8").splitlines()[1 : SENTENCES + 1]
    sources = [line.split("\t")[0] for line in lines if "\t" in line]
    return _pairs(sources, translator.translate(sources))


def _transcribed(transcriber: Any, job: Job) -> str:
    """The first different texts of the data, and their recordings transcribed."""
    from gruworks.tasks.transcribe.manifest import read_manifest

    whole = [
        one for one in read_manifest(job.file, part="train") if not one.given and not one.start and one.end is None
    ]
    different = list({one.text: one for one in whole}.values())[:SENTENCES]
    heard = transcriber.transcribe([one.path for one in different])
    return _pairs([one.text for one in different], [one.text for one in heard])


def _pairs(given: list[str], answers: list[str]) -> str:
    return "\n".join(f"{a} → {b or '–'}" for a, b in zip(given, answers, strict=True))


SAMPLES: dict[str, Callable[[Any, Job], str]] = {
    "generate": _written, "translate": _translated, "transcribe": _transcribed,
}  # fmt: skip
