"""The run folders that mutations start from: tiny ones, fitted in a child process, and the package's own models."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gruworks.tasks import ready, registry

__all__ = ["TASKS", "make", "seeds"]

TASKS = tuple(registry.TASKS)
SHORT: dict[str, Any] = {"steps": 4, "validate_every": 2, "warm_up": 1, "threads": 1}


def seeds(place: Path, task: str) -> tuple[Path, ...]:
    """Run folders of a task: those that `make` left in `place`, and the package's own, which is packed."""
    return place / task, place / f"{task}-other", ready.find(task).path


def make(place: Path) -> None:
    """Fit two tiny models of each task, in a child: what a fit imports would make every later fork slower.

    Raises:
        RuntimeError: the child failed; its traceback is on standard error.
    """
    child = os.fork()
    if child == 0:
        status = 1
        try:
            for task in TASKS:
                FITS[task](place)
            status = 0
        except BaseException:  # whatever it is, this process ends here
            traceback.print_exc()
        sys.stderr.flush()
        os._exit(status)
    if os.waitpid(child, 0)[1]:
        raise RuntimeError("the run folders to mutate could not be made")


def _forecast(place: Path) -> None:
    import pandas

    from gruworks import Forecaster

    days = pandas.date_range("2024-01-01", periods=60)
    values = [float(10 + 3 * (day.dayofweek > 4) + day.day % 5) for day in days]
    Forecaster(horizon=3, hidden_size=4, **SHORT).fit(
        pandas.DataFrame({"ds": days, "y": values}), out=place / "forecast", quiet=True
    )
    later, blank = days.append(days[-2:] + pandas.Timedelta(days=2)), [None, None]
    rows = {"ds": [*later, *later], "unique_id": ["a"] * 62 + ["b"] * 62, "y": (values + blank) * 2}
    side = {"z": (values[::-1] + blank) * 2, "open": ["x", "y"] * 62, "price": [*range(124)]}
    settings: dict[str, Any] = {"target": "y,z", "past": ("open",), "future": ("price",), "horizon": 2}
    Forecaster(hidden_size=4, **settings, **SHORT).fit(
        pandas.DataFrame(rows | side), out=place / "forecast-other", quiet=True
    )


def _generate(place: Path) -> None:
    from gruworks import Generator
    from gruworks.data.text import Document

    text = [Document("the cat sat on the mat and the dog sat on the log. " * 12)]
    sizes: dict[str, Any] = {"hidden_size": 8, "layers": 2, "sequence": 8, "batch_size": 4, **SHORT}
    Generator(between="attention", window=4, heads=2, **sizes).fit(text, out=place / "generate", quiet=True)
    Generator(token="subword", vocabulary_size=300, between="convolution", **sizes).fit(
        text, out=place / "generate-other", quiet=True
    )


def _translate(place: Path) -> None:
    from gruworks import Translator

    words = {"Hund": "dog", "Katze": "cat", "Mann": "man", "Frau": "woman"}
    verbs = {"schläft": "sleeps", "rennt": "runs", "singt": "sings"}
    pairs = [(f"{n} {v} .", f"{words[n]} {verbs[v]} .") for n in words for v in verbs] * 4
    sizes: dict[str, Any] = {"hidden_size": 8, "embedding_size": 8, "source": "de", "target": "en", **SHORT}
    Translator(attention_size=4, **sizes).fit(pairs, out=place / "translate", quiet=True)
    Translator(model="cho2014", shared=False, maxout=4, lowercase=True, **sizes).fit(
        pairs, out=place / "translate-other", quiet=True
    )


def _transcribe(place: Path) -> None:
    import numpy
    import soundfile

    from gruworks import Transcriber

    rng = numpy.random.default_rng(0)
    (place / "sounds").mkdir()
    for number in range(8):
        soundfile.write(place / "sounds" / f"{number}.wav", 0.1 * rng.standard_normal(4000), 8000)
        (place / "sounds" / f"{number}.txt").write_text(("ab", "ba c", "cab")[number % 3])
    sizes: dict[str, Any] = {"bands": 8, "channels": 8, "hidden_size": 8, "layers": 1, "batch_size": 4, **SHORT}
    Transcriber(streaming=True, **sizes).fit(place / "sounds", out=place / "transcribe", quiet=True)
    Transcriber(token="subword", vocabulary_size=8, cell="ligru", attention=0.3, **sizes).fit(
        place / "sounds", out=place / "transcribe-other", quiet=True
    )


FITS: dict[str, Callable[[Path], None]] = {
    "forecast": _forecast,
    "generate": _generate,
    "translate": _translate,
    "transcribe": _transcribe,
}
