"""The exchange half of the fuzzer: its seeds are valid, its edits repeat by their seed, and what loads is used."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from fuzz.exchange import EDITS, mutate, seeds, use
from gruworks.errors import GruworksError
from gruworks.interop import find


@pytest.fixture(scope="module")
def starts(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return seeds(tmp_path_factory.mktemp("seeds"))


def test_every_format_has_a_valid_seed(starts: list[Path]) -> None:
    assert {path.suffix for path in starts} == set(EDITS)
    for path in starts:
        assert find(path)


def test_an_edit_is_a_function_of_its_seed(starts: list[Path], tmp_path: Path) -> None:
    for start in starts:
        made = []
        for name in ("one", "other"):
            folder = tmp_path / name
            folder.mkdir(exist_ok=True)
            path = Path(shutil.copy(start, folder))
            told = mutate(path, random.Random(1))
            made.append((told, path.stat().st_size))
        assert made[0] == made[1]


@pytest.mark.parametrize("number", range(8))
def test_mutated_files_are_answered_or_refused(number: int, starts: list[Path], tmp_path: Path) -> None:
    refused = 0
    for start in starts:
        path = Path(shutil.copy(start, tmp_path))
        mutate(path, random.Random(f"{number} {start.name}"))
        try:
            use(path)
        except GruworksError:
            refused += 1
    assert refused > 0
