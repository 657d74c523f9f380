"""Speech that is none: each letter a tone, so that a tiny network learns it in seconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy
import pytest
import soundfile
from numpy.typing import NDArray

from gruworks import Transcriber

RATE = 8000
TONES = {"a": 400, "b": 700, "c": 1100, "d": 1600}
WORDS = ["ab", "cad", "dab", "bad", "ca"]
SMALL: dict[str, Any] = {
    "bands": 16, "channels": 16, "hidden_size": 24, "layers": 2, "dropout": 0.0, "lookahead": 2, "steps": 90,
    "validate_every": 30, "warm_up": 10, "averaged_steps": 15, "learning_rate": 1e-2, "batch_size": 16, "speed": 0.0,
    "gain": 0.0, "band_masks": 0, "time_masks": 0,
}  # fmt: skip


def say(text: str, seed: int = 0, rate: int = RATE) -> NDArray[numpy.float32]:
    """`text` as tones of a tenth of a second, a little noise under them."""
    rng = numpy.random.default_rng(seed)
    parts = [numpy.zeros(rate // 12)]
    for letter in text:
        t = numpy.arange(int(rate * rng.uniform(0.09, 0.13))) / rate
        tone = numpy.sin(2 * numpy.pi * TONES.get(letter, 0) * t) * numpy.hanning(len(t))
        parts.append(0.3 * tone)
    whole = numpy.concatenate([*parts, parts[0]])
    return (whole + 0.003 * rng.standard_normal(len(whole))).astype(numpy.float32)


def some_text(seed: int) -> str:
    rng = numpy.random.default_rng([seed, 1])
    return " ".join(rng.choice(WORDS, rng.integers(1, 4)))


def write(folder: Path, seeds: range, rate: int = RATE) -> Path:
    """A folder of recordings, each with its transcript beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        text = some_text(seed)
        soundfile.write(folder / f"{seed:03}.wav", say(text, seed, rate), rate)
        (folder / f"{seed:03}.txt").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two folders, train (50 recordings) and test (12)."""
    folder = tmp_path_factory.mktemp("spoken")
    write(folder / "train", range(50))
    write(folder / "test", range(100, 112))
    return folder


@pytest.fixture(scope="session")
def streaming(spoken: Path) -> Transcriber:
    """A streaming network that has learnt the tones."""
    return Transcriber(streaming=True, **SMALL).fit(spoken / "train", quiet=True)


@pytest.fixture(scope="session")
def offline(spoken: Path) -> Transcriber:
    """A network of both directions, fitted for a moment."""
    return Transcriber(**SMALL | {"steps": 40, "validate_every": 20}).fit(spoken / "train", quiet=True)
