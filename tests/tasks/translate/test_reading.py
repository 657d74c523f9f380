"""Pairs from every kind of file; what is bad is refused with file and line."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from gruworks.errors import DataError
from gruworks.tasks.translate.reading import Pairs, normal, read, read_lines

DE, EN = ["ein Hund", "eine Katze"], ["a dog", "a cat"]


def written(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Each kind of file, in a folder of its own."""
    for name in ("aligned", "tsv", "jsonl", "all"):
        (tmp_path / name).mkdir()
    rows = list(zip(DE, EN, strict=True))
    for place in ("aligned", "all"):
        written(tmp_path / place / "train.de", DE)
        written(tmp_path / place / "train.en", EN)
    for place in ("tsv", "all"):
        written(tmp_path / place / "pairs.tsv", [f"{s}\t{t}\tby somebody" for s, t in rows])
    for place in ("jsonl", "all"):
        written(tmp_path / place / "pairs.jsonl", [json.dumps({"en": t, "de": s}) for s, t in rows])
    return tmp_path


@pytest.mark.parametrize(
    "name", ["aligned", "tsv", "jsonl", "tsv/pairs.tsv", "jsonl/pairs.jsonl", ("aligned/train.de", "aligned/train.en")]
)
def test_every_kind_of_file_gives_the_same_pairs(folder: Path, name: str | tuple[str, str]) -> None:
    data: Any = folder / name if isinstance(name, str) else tuple(folder / one for one in name)
    pairs = read(data, "de", "en")
    assert (pairs.sources, pairs.targets) == (DE, EN)
    assert pairs.digest() == read(list(zip(DE, EN, strict=True))).digest()
    as_text = str(data) if isinstance(data, Path) else tuple(map(str, data))
    assert read(as_text, "de", "en").sources == DE


def test_a_folder_is_read_whole(folder: Path) -> None:
    assert read(folder / "all", "de", "en").sources == DE * 3


def test_packed_files_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    for name, lines in (("x.de.gz", DE), ("x.en.gz", EN)):
        (tmp_path / name).write_bytes(gzip.compress(("\ufeff" + "\r\n".join(lines) + "\r\n").encode()))
    assert read(tmp_path, "de", "en").sources == DE
    assert read((tmp_path / "x.de.gz", tmp_path / "x.en.gz")).targets == EN


def test_text_is_brought_to_nfc_and_single_blanks() -> None:
    assert normal("  scho\u0308n \u3000 gut\t") == "schön gut"
    assert read([("scho\u0308n", "x\u00a0y")]) == Pairs(["schön"], ["x y"])


def test_only_line_ends_end_lines(tmp_path: Path) -> None:
    assert read_lines(written(tmp_path / "a.txt", ["one\u2028half", "", "two\x0bhalf"])) == [
        "one\u2028half", "", "two\x0bhalf"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "lines", "told"),
    [
        ("a.tsv", ["en\tde", *(f"{t}\t{s}" for s, t in zip(DE, EN, strict=True))], "columns 'de' → 'en' by the header"),
        ("a.tsv", ["id\tsource\ttarget", *(f"7\t{s}\t{t}" for s, t in zip(DE, EN, strict=True))], "by the header"),
        ("a.csv", ["EN,DE", *(f'"{t}",{s}' for s, t in zip(DE, EN, strict=True))], "columns 'DE' → 'EN' by the header"),
        ("a.tsv", [f"{i}\t{s}\t{7 * i}\t{t}" for i, (s, t) in enumerate(zip(DE, EN, strict=True))],
         "columns 2 and 4 are learnt, left out: 1 (numbers), 3 (numbers)"),
        ("deu.txt", [f"{s}\t{t}\tCC-BY 2.0 (France) #{i}" for i, (s, t) in enumerate(zip(DE, EN, strict=True))],
         "left out: 3 (licence)"),
        ("a.tsv", [f"deu\t{s}\teng\t{t}" for s, t in zip(DE, EN, strict=True)], "left out: 1 (constant), 3 (constant)"),
    ],
)  # fmt: skip
def test_columns_of_a_table_are_chosen_by_name_or_content_and_told(
    tmp_path: Path, name: str, lines: list[str], told: str
) -> None:
    path, said = written(tmp_path / name, [*lines, ""]), list[str]()
    names = ("source", "target") if "source" in lines[0] else ("de", "en")
    pairs = read(path, *names, told=said)
    assert (pairs.sources, pairs.targets) == (DE, EN)
    assert told in said[0]


def test_hugging_face_translations_are_read(tmp_path: Path) -> None:
    rows = [{"id": str(i), "translation": {"de": s, "en": t}} for i, (s, t) in enumerate(zip(DE, EN, strict=True))]
    for name, text in (("a.jsonl", "\n".join(map(json.dumps, rows)) + "\n\n"), ("a.json", json.dumps(rows))):
        assert read(written(tmp_path / name, [text]), "de", "en").targets == EN


def test_only_the_training_part_of_a_folder_is_learnt(tmp_path: Path) -> None:
    for part, at in (("train", 0), ("val", 1), ("test_2016", 0)):
        written(tmp_path / f"{part}.de", [f"{part} {DE[at]}"])
        written(tmp_path / f"{part}.en", [EN[at]])
        written(tmp_path / f"._{part}.en", ["junk"])
    told: list[str] = []
    assert read(tmp_path, "de", "en", part="train", told=told).sources == ["train ein Hund"]
    assert "left out: 1 of test, 1 of validation" in told[0]
    assert read(tmp_path, "de", "en", part="validation").sources == ["val eine Katze"]
    assert read(tmp_path, "de", "en", part="test").targets == ["a dog"]
    assert len(read(tmp_path, "de", "en")) == 3
    assert not read((tmp_path / "train.de", tmp_path / "train.en"), part="test")


def test_files_of_a_folder_below_are_found_and_others_left(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for part in ("train", "test"):
        written(tmp_path / "data" / f"{part}-00000.jsonl", [json.dumps({"de": part, "en": part})])
    written(tmp_path / "dataset_info.json", ["{}"])
    assert read(tmp_path, "de", "en", part="train").sources == ["train"]


def test_files_given_in_the_other_order_are_refused(tmp_path: Path) -> None:
    a, b = written(tmp_path / "x.de", DE), written(tmp_path / "x.en", EN)
    with pytest.raises(DataError, match=r"x\.de and .*x\.en are given as en and de: give .*x\.en first"):
        read((a, b), "en", "de")


def test_half_a_surrogate_pair_is_the_replacement_character(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"src": "\\ud83d", "tgt": "a"}')
    assert read(path).sources == read([("\ud83d", "a")]).sources == ["\ufffd"]
    assert read(path).digest()


def test_old_mac_line_ends_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_bytes(b"a\tb\rc\td\r")
    assert read(tmp_path / "a.tsv").targets == ["b", "d"]


def test_files_of_different_length_are_refused_with_both_lengths(tmp_path: Path) -> None:
    a, b = written(tmp_path / "a.de", DE), written(tmp_path / "a.en", [*EN, "too many"])
    with pytest.raises(DataError, match=r"a\.de has 2 lines and .*a\.en has 3"):
        read((a, b))


def test_broken_utf8_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_bytes("ä\tb\n".encode() + b"caf\xe9\tcoffee\n")
    with pytest.raises(DataError, match=r"a\.tsv, line 2: not UTF-8 \(byte 0xe9 at column 4\)"):
        read(path)


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        ("a\tb\nno tab\n", "x.tsv", "line 2: expected source and target with a tab between, got one column"),
        ('{"src": "a", "tgt": "b"}\n{"src": 1}\n', "x.jsonl", "line 2: expected an object with the texts 'src'"),
        (
            '{"src": "a", "tgt": null}\n',
            "x.jsonl",
            "line 1: expected an object .* got 'src', 'tgt': null: name the keys",
        ),
        (
            "a    b\n",
            "x.tsv",
            "line 1: expected source and target with a tab between, .* several blanks in place of a tab",
        ),
        ("fr\ten\nun chien dort\ta dog sleeps\n", "x.tsv", "line 1 is a header without the columns 'src' and 'tgt'"),
        ("id,text\n1,a\n", "x.csv", "line 1 is a header without the columns"),
        ("id\tsrc\ttgt\n1\ta\tb\n2\ta\n", "x.tsv", "line 3: expected 3 columns as in the first line, got 2"),
        ("{", "x.jsonl", "line 1: not JSON"),
        ("[1]", "x.jsonl", "line 1: expected an object .* got list"),
        ("a\n", "x.txt", "is one file: expected a .tsv"),
        ("", "x.tsv", "expected sentence pairs, found none"),
    ],
)
def test_what_is_no_pair_is_refused(tmp_path: Path, content: str, name: str, message: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=message):
        read(tmp_path / name)


def test_folders_without_pairs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"has no \.tsv, no \.jsonl and no files NAME\.de beside NAME\.en"):
        read(tmp_path, "de", "en")
    written(tmp_path / "train.de", DE)
    with pytest.raises(DataError, match=r"train\.de has no train\.en beside it"):
        read(tmp_path, "de", "en")
    with pytest.raises(DataError, match="there is no file"):
        read(tmp_path / "missing")


@pytest.mark.parametrize("data", [["a"], [("a", "b", "c")], [("a", 1)], 7, [("a", "b"), None]])
def test_python_values_that_are_no_pairs_are_refused(data: Any) -> None:
    with pytest.raises(DataError, match="expected"):
        read(data)


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.tsv.gz").write_bytes(b"no gzip")
    with pytest.raises(DataError, match=r"x\.tsv\.gz is not a complete gzip file"):
        read(tmp_path / "x.tsv.gz")
