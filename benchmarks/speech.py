"""The speech sets of the recipes as manifests: AN4's features, FSDD's recordings, and digits joined from them.

Each reads its archive in the data folder (GRUWORKS_DATA) and unpacks it where it is told.
"""

from __future__ import annotations

import tarfile
from collections.abc import Sequence
from pathlib import Path

import numpy
import soundfile

from gruworks.data.catalogue import data_folder
from gruworks.errors import DataError
from gruworks.tasks.transcribe.manifest import Utterance

DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
RATE = 8000


def unpack(name: str, folder: Path) -> Path:
    """speech/NAME of the data folder, unpacked into `folder`."""
    data = data_folder()
    if data is None:
        raise DataError("GRUWORKS_DATA names no folder: the recipes read speech/*.tar.gz there")
    with tarfile.open(data / "speech" / name) as archive:
        archive.extractall(folder, filter="data")
    return folder


def an4(folder: Path) -> tuple[list[Utterance], list[Utterance]]:
    """948 training and 130 test utterances, by the set's own lists."""
    root = unpack("an4-mfcc.tar.gz", folder) / "an4"

    def part(name: str) -> list[Utterance]:
        ids = (root / f"etc/an4_{name}.fileids").read_text().split()
        lines = (root / f"etc/an4_{name}.transcription").read_text().splitlines()
        texts = [line.rpartition("(")[0].strip() for line in lines]
        return [
            Utterance(root / "feat" / f"{one}.mfc", text, one.split("/")[1], one)
            for one, text in zip(ids, texts, strict=True)
        ]

    return part("train"), part("test")


def fsdd(folder: Path) -> list[tuple[Utterance, str, int]]:
    """3,000 spoken digits, each with its speaker and index; the official test part has the indices 0 to 4."""
    rows = []
    for path in sorted((unpack("fsdd-recordings.tar.gz", folder) / "recordings").glob("*.wav")):
        digit, speaker, index = path.stem.split("_")
        rows.append((Utterance(path, DIGITS[int(digit)], speaker, path.name), speaker, int(index)))
    return rows


def joined(
    rows: list[Utterance], count: int, folder: Path, seed: int, pauses: Sequence[tuple[float, float]]
) -> list[Utterance]:
    """`count` strings of 3 to 7 digits of one speaker: synthetic joins with pauses of one of the ranges, in seconds.

    Each string draws its range. The digits depend on the seed alone: other ranges give the same strings.
    """
    digits, silences = numpy.random.default_rng(seed), numpy.random.default_rng([seed, 1])
    folder.mkdir(parents=True, exist_ok=True)
    speakers: dict[str, list[Utterance]] = {}
    for one in rows:
        speakers.setdefault(str(one.speaker), []).append(one)
    made = []
    for number in range(count):
        own = speakers[sorted(speakers)[number % len(speakers)]]
        chosen = [own[int(place)] for place in digits.integers(0, len(own), digits.integers(3, 8))]
        low, high = pauses[int(silences.integers(len(pauses)))]
        parts = []
        for one in chosen:
            parts += [numpy.zeros(int(RATE * silences.uniform(low, high))), soundfile.read(one.path)[0]]
        path = folder / f"{number:05}.wav"
        soundfile.write(path, numpy.concatenate([*parts, numpy.zeros(RATE // 10)]), RATE)
        made.append(Utterance(path, " ".join(one.text for one in chosen), chosen[0].speaker, path.name))
    return made
