"""Files of a folder: hidden ones are left out, parts are told by names."""

from __future__ import annotations

from pathlib import Path

import pytest

from gruworks.data.folders import Part, part_of, selected, visible_files


def files(folder: Path, *names: str) -> list[Path]:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return visible_files(folder)


def test_hidden_files_are_left_out(tmp_path: Path) -> None:
    found = files(tmp_path, "a.txt", "._a.txt", ".DS_Store", "__MACOSX/b.txt", ".git/c.txt", "d/e.txt")
    assert [one.name for one in found] == ["a.txt", "e.txt"]


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("train.en", "train"), ("val.fr", "validation"), ("test_2016_flickr.en", "test"), ("train-a/b.flac", "train"),
        ("dev-clean/a.flac", "validation"), ("newstest2014.de", "test"), ("contest.txt", ""), ("training.txt", "train"),
    ],
)  # fmt: skip
def test_names_tell_the_part(name: str, part: Part) -> None:
    assert part_of(name) == part


def test_the_test_part_is_never_learnt(tmp_path: Path) -> None:
    found, told = files(tmp_path, "train.en", "val.en", "test_a.en", "test_b.en", "more.en"), []
    names = {
        part: [one.name for one in selected(found, tmp_path, part, told)] for part in ("train", "validation", "test")
    }
    assert names == {"train": ["more.en", "train.en"], "validation": ["val.en"], "test": ["test_a.en", "test_b.en"]}
    assert told[0].endswith("2 files of the train part; left out: 2 of test, 1 of validation")
    assert selected(found, tmp_path, "") == found


def test_a_folder_without_a_training_part_is_one_part(tmp_path: Path) -> None:
    found = files(tmp_path, "test1.en", "hello.en")
    assert selected(found, tmp_path, "train") == found
    assert selected(found, tmp_path, "test") == []
    beside = files(tmp_path, "train/a.wav", "test/a.wav")
    assert [str(one.relative_to(tmp_path)) for one in selected(beside, tmp_path, "test", None, True)] == ["test/a.wav"]
