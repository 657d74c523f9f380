"""The reading rule: one text for every encoding and line end, JSON of every layout, tables with strict quotation."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from gruworks.data.reading import json_objects, mended, read_lines, read_text, table_rows
from gruworks.errors import DataError


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    "content",
    [
        "ä\nb\n".encode(), "\ufeffä\r\nb\r\n".encode(), "ä\rb\r".encode(), "ä\r\nb\r\n".encode("utf-16"),
        gzip.compress("ä\nb\n".encode(), mtime=0),
    ],
)  # fmt: skip
def test_every_encoding_and_line_end_gives_one_text(tmp_path: Path, content: bytes) -> None:
    path = written(tmp_path / "a.txt", content)
    assert read_text(path) == "ä\nb\n"
    assert read_lines(path) == ["ä", "b"]


def test_only_line_ends_divide_lines(tmp_path: Path) -> None:
    text = "a\u2028b\x85c\x0bd\x0ce"
    assert read_lines(written(tmp_path / "a.txt", text + "\nf\n")) == [text, "f"]
    rows = [{"text": text}, {"text": "x"}]
    path = written(tmp_path / "a.jsonl", "\n".join(json.dumps(one, ensure_ascii=False) for one in rows) + "\n\n")
    assert [value for _, value in json_objects(path, "an object")] == rows
    assert [cells for _, cells in table_rows(written(tmp_path / "a.tsv", f"a\t{text}\n"))] == [["a", text]]


def test_half_a_surrogate_pair_becomes_the_replacement_character(tmp_path: Path) -> None:
    assert mended("a\ud83d\ude00b\ud83d") == "a😀b\ufffd"
    path = written(tmp_path / "a.jsonl", '{"text": ["x\\ud83d"], "n\\ude00": "\\ud83d\\ude00"}')
    assert [value for _, value in json_objects(path, "an object")] == [{"text": ["x\ufffd"], "n\ufffd": "😀"}]


@pytest.mark.parametrize(
    "content",
    [
        '{"a": 1}\n\n{"a": 2}\n', '[{"a": 1},\n {"a": 2}]', '{"data": [{"a": 1}, {"a": 2}]}',
        json.dumps([{"a": 1}, {"a": 2}], indent=2),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_json_of_every_layout(tmp_path: Path, content: str, name: str) -> None:
    if name == "a.jsonl" and content.startswith('{"data"'):
        pytest.skip("one object on the first line of a .jsonl is an entry")
    assert [value["a"] for _, value in json_objects(written(tmp_path / name, content), "an object")] == [1, 2]


def test_an_object_of_objects_is_a_list_with_ids(tmp_path: Path) -> None:
    path = written(tmp_path / "a.json", '{"u1": {"wav": "a.wav"}, "u2": {"wav": "b.wav"}}')
    assert [value for _, value in json_objects(path, "an object")] == [
        {"ID": "u1", "wav": "a.wav"}, {"ID": "u2", "wav": "b.wav"},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "rows"),
    [
        ("a.csv", 'x,y\n1,"one\none"\n2,"a, ""b"""\n', [["x", "y"], ["1", "one\none"], ["2", 'a, "b"']]),
        ("a.csv", "sep=;\nx;y\n1;a, b\n", [["x", "y"], ["1", "a, b"]]),
        ("a.csv", "x;y\n1;a, b\n", [["x", "y"], ["1", "a, b"]]),
        ("a.csv", 'LJ1|He said "no, yes|no\nLJ2|b|c\n', [["LJ1", 'He said "no, yes', "no"], ["LJ2", "b", "c"]]),
        ("a.tsv", 'a\t"Yes, he said\n\nb\tc\n', [["a", '"Yes, he said'], ["b", "c"]]),
        ("a.tsv", 'a\t"He said ""no"""\nb\t"c"\n', [["a", 'He said "no"'], ["b", "c"]]),
        ("a.csv", "a\tb, c\n", [["a", "b, c"]]),
        ("a.csv", 'q,"Roses, red\nViolets, blue\nSugar, sweet"\n', [["q", "Roses, red\nViolets, blue\nSugar, sweet"]]),
    ],
)
def test_tables(tmp_path: Path, name: str, content: str, rows: Any) -> None:
    assert [cells for _, cells in table_rows(written(tmp_path / name, content))] == rows


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('p,t\na,one\nb,two\nc,"four\nd,five\ne,six\n', "line 4: a quotation mark is not closed"),
        ('p,t\na,"one" two\n', "line 2: text after a quoted cell"),
        ('p,t\na,"four\nb,five\nc,"six\n', "line 2: text after a quoted cell"),
        ('p,t\na,"four\nb,five\nc,six"\nd,x\n', "line 2: a quoted cell holds lines that look like rows"),
    ],
)
def test_quotation_that_would_swallow_rows_is_refused_with_its_line(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(DataError, match=rf"a\.csv, {message}"):
        table_rows(written(tmp_path / "a.csv", content))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"ok\nab\xe9c\n", r"a\.jsonl, line 2: not UTF-8 \(byte 0xe9 at column 3\): convert"),
        (b"\xff\xfea\0\0", r"a\.jsonl begins as UTF-16 and is none"),
        (b"a\0", "byte 1 is zero"),
        (b'{"a": 1}\n{"a', r"a\.jsonl, line 2: not JSON"),
        (b"[" * 100_000, r"a\.jsonl, line 1: not JSON"),
        (b'{"a": 1}\n7\n', r"a\.jsonl, line 2: expected an object, got int"),
    ],
)
def test_what_can_not_be_read_is_refused_with_its_line(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        list(json_objects(written(tmp_path / "a.jsonl", content), "an object"))
