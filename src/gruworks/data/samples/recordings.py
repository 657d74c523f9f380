"""Recordings of vowels, synthesized from their formants."""

from __future__ import annotations

import itertools
import wave
from pathlib import Path

import numpy
from numpy.typing import NDArray

from gruworks.data.samples.files import new, rows

__all__ = ["RATE", "recordings"]

RATE = 16_000
# Frequencies of the first three formants in Hz (Peterson and Barney 1952, men; rounded).
FORMANTS = {"a": (730, 1090, 2440), "e": (530, 1840, 2480), "i": (270, 2290, 3010), "o": (570, 840, 2410),
            "u": (300, 870, 2240)}  # fmt: skip
VOICES = ((105, 1.0), (130, 1.05), (195, 1.15), (230, 1.2))  # fundamental in Hz, factor of the formants
COUNT = 240


def recordings(folder: Path) -> Path:
    """recordings/: WAV files of 16 kHz and 16 bits, and transcripts.csv with the columns audio, text and speaker."""
    path, rng = new(folder / "recordings"), numpy.random.default_rng(5)
    path.mkdir()
    lines = [("audio", "text", "speaker")]
    for number, (voice, (pitch, scale)) in zip(range(COUNT), itertools.cycle(enumerate(VOICES)), strict=False):
        vowels = [str(v) for v in rng.choice(list(FORMANTS), size=rng.integers(2, 5))]
        sound = _spoken(vowels, pitch * rng.uniform(0.94, 1.06), scale * rng.uniform(0.98, 1.02), rng)
        _write(path / f"{number:03}.wav", sound)
        lines.append((f"{number:03}.wav", " ".join(vowels), f"voice{voice + 1}"))
    rows(path / "transcripts.csv", lines)
    return path


def _write(path: Path, sound: NDArray[numpy.float64]) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((sound * 32767).round().astype("<i2").tobytes())


def _spoken(vowels: list[str], pitch: float, scale: float, rng: numpy.random.Generator) -> NDArray[numpy.float64]:
    def silence() -> NDArray[numpy.float64]:
        return numpy.zeros(int(RATE * rng.uniform(0.08, 0.18)))

    parts = [silence()]
    for vowel in vowels:
        parts += [_vowel(FORMANTS[vowel], pitch, scale, rng.uniform(0.16, 0.28)), silence()]
    sound: NDArray[numpy.float64] = numpy.concatenate(parts)
    loudest = float(numpy.abs(sound).max())
    return sound * (rng.uniform(0.3, 0.6) / loudest) + rng.normal(0, 0.002, len(sound))


def _vowel(formants: tuple[int, ...], pitch: float, scale: float, seconds: float) -> NDArray[numpy.float64]:
    """Harmonics of a falling pitch, each as strong as the formants around it."""
    time = numpy.arange(int(RATE * seconds)) / RATE
    phase = 2 * numpy.pi * numpy.cumsum(pitch * (1.04 - 0.08 * time / seconds)) / RATE
    sound = numpy.zeros(len(time))
    for harmonic in range(1, int(4000 / pitch)):
        strength = sum(
            1 / (1 + ((harmonic * pitch - scale * centre) / (60 + 30 * rank)) ** 2) / (1 + rank)
            for rank, centre in enumerate(formants)
        )
        sound += strength * numpy.sin(harmonic * phase)
    edge = numpy.minimum(1, numpy.minimum(time, seconds - time) / 0.02)
    return sound * edge
