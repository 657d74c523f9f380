"""Texts in: every kind of file, and one line about whatever is wrong with it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from gruworks.data import text
from gruworks.data.text import Document, digest, read_documents
from gruworks.errors import DataError


def test_a_text_file_is_one_document(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"\xef\xbb\xbfone\r\ntwo\rthree \xe7\xba\xa2\n")
    assert read_documents(path) == [Document("one\ntwo\nthree 红\n")]
    assert read_documents(str(path), lines=True) == [Document("one"), Document("two"), Document("three 红")]


def test_a_folder_is_its_files_in_order_of_name(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "b.txt").write_text("second")
    (tmp_path / "a.txt").write_text("first")
    (tmp_path / "sub" / "c.jsonl").write_text('{"text": "third"}\n')
    (tmp_path / "picture.png").write_bytes(b"\0")
    assert [one.text for one in read_documents(tmp_path)] == ["first", "second", "third"]


def test_jsonl_gives_texts_lines_and_titles(tmp_path: Path) -> None:
    rows = [{"text": "plain", "other": 1}, {"title": "月", "lines": ["床前明月光", "疑是地上霜"]}]
    path = tmp_path / "poems.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode() + b"\n\n"))
    assert read_documents(path) == [Document("plain"), Document("床前明月光\n疑是地上霜\n", "月")]


def test_documents_are_told_apart_by_their_digest() -> None:
    one, other = [Document("ab"), Document("c")], [Document("a"), Document("bc")]
    assert digest(one) == digest(list(one)) != digest(other)
    assert digest([Document("b", "a")]) != digest([Document("a", "b")])


BAD = {
    "nothing.txt": (None, "there is no file"),
    "empty.txt": (b"", "is empty: expected a file with training text"),
    "binary.txt": (b"abc\0def", "is a binary file, not a text: byte 3 is zero"),
    "latin.txt": (b"line one\ncaf\xe9 noir\n", "not UTF-8: byte 0xe9 at offset 12 (line 2)"),
    "broken.txt.gz": (b"not gzip", "not a complete gzip file"),
    "damaged.txt.gz": (gzip.compress(b"a text")[:-8] + bytes(8), "not a complete gzip file"),
    "json.jsonl": (b'{"text": "a"}\nnonsense\n', "json.jsonl, line 2 is not JSON"),
    "list.jsonl": (b"[1]\n", "line 1 must be an object with 'text'"),
    "lines.jsonl": (b'{"lines": "abc"}\n', "line 1: 'lines' must be a list of texts"),
    "number.jsonl": (b'{"text": 3}\n', "line 1: 'text' and 'title' must be texts"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_read_is_said(name: str, tmp_path: Path) -> None:
    content, message = BAD[name]
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as raised:
        read_documents(tmp_path / name)
    assert message in str(raised.value)
    assert name in str(raised.value)


def test_a_folder_without_texts_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no \.txt"):
        read_documents(tmp_path)


def test_a_gzipped_text_unpacks_to_so_many_bytes_at_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "MOST_TEXT", 1000)
    path = tmp_path / "zeros.txt.gz"
    path.write_bytes(gzip.compress(b"0" * 1001))
    with pytest.raises(DataError, match=r"zeros\.txt\.gz unpacks to more than 1,000 bytes"):
        read_documents(path)
