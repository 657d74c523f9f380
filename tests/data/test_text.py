"""Texts in: every kind of file, and one line about whatever is wrong with it."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from gruworks.data import reading
from gruworks.data.text import Document, Layout, digest, read_documents, without_licence
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


GUTENBERG = (
    "The Project Gutenberg eBook of X\n\nYou may copy it\n\n*** START OF THE PROJECT GUTENBERG EBOOK X ***\n\n\nI\n\n"
    "Once.\n\n\n*** END OF THE PROJECT GUTENBERG EBOOK X ***\n" + "licence " * 50
)


def test_the_licence_of_a_gutenberg_file_is_left_out_and_told(tmp_path: Path) -> None:
    path, told = tmp_path / "pg.txt", []
    path.write_text(GUTENBERG)
    assert read_documents(path, told=told) == [Document("I\n\nOnce.\n")]
    assert "left out" in told[0]
    assert "Project Gutenberg" in told[0]
    old = (
        "Project Gutenberg Etext\n*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*\nOnce.\nEnd of Project Gutenberg's X"
    )
    assert without_licence(old) == "Once.\n"
    assert without_licence("no licence\n\n") == "no licence\n\n"


def test_blank_lines_divide_poems(tmp_path: Path) -> None:
    path = tmp_path / "poems.txt"
    path.write_text("a\nb\n\n \nc\nd\n")
    assert read_documents(path, layout=Layout(paragraphs=True)) == [Document("a\nb\n"), Document("c\nd\n")]


def test_chats_and_other_keys(tmp_path: Path) -> None:
    rows = [
        {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": [{"text": "Hello"}]}]},
        {"conversations": [{"from": "human", "value": "Why?"}]},
    ]
    path = tmp_path / "chat.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    assert [one.text for one in read_documents(path)] == ["user: Hi\nassistant: Hello\n", "human: Why?\n"]
    path.write_text('{"review": "good", "text": null}')
    assert read_documents(path, layout=Layout(text="review")) == [Document("good")]


def test_tables_have_their_text_in_a_column_by_name(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('title,review\nA,"one\ntwo"\n')
    assert read_documents(path, layout=Layout(text="review")) == [Document("one\ntwo", "A")]
    with pytest.raises(DataError, match=r"a\.csv: expected a header with the column 'text', got 'title, review'"):
        read_documents(path)


def test_tables_beside_texts_are_left_out_and_told(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("text")
    (tmp_path / "metadata.csv").write_text("file,year\na.txt,1900\n")
    told: list[str] = []
    assert read_documents(tmp_path, told=told) == [Document("text")]
    assert told == [f"{tmp_path}: 1 tables beside the texts are left out: metadata.csv ..."]


def test_the_test_part_of_a_folder_is_left_out(tmp_path: Path) -> None:
    for part in ("train", "valid", "test"):
        (tmp_path / f"wiki.{part}.txt").write_text(part)
    read = {part: [one.text for one in read_documents(tmp_path, part=part)] for part in ("train", "validation", "test")}
    assert read == {"train": ["train"], "validation": ["valid"], "test": ["test"]}
    assert read_documents(tmp_path / "wiki.train.txt", part="test") == []


def test_documents_are_told_apart_by_their_digest() -> None:
    one, other = [Document("ab"), Document("c")], [Document("a"), Document("bc")]
    assert digest(one) == digest(list(one)) != digest(other)
    assert digest([Document("b", "a")]) != digest([Document("a", "b")])


BAD = {
    "nothing.txt": (None, "there is no file"),
    "empty.txt": (b"", "is empty: expected a file with training text"),
    "binary.txt": (b"abc\0def", "is a binary file, not a text: byte 3 is zero"),
    "latin.txt": (b"line one\ncaf\xe9 noir\n", "line 2: not UTF-8 (byte 0xe9 at column 4)"),
    "broken.txt.gz": (b"not gzip", "not a complete gzip file"),
    "damaged.txt.gz": (gzip.compress(b"a text")[:-8] + bytes(8), "not a complete gzip file"),
    "json.jsonl": (b'{"text": "a"}\nnonsense\n', "json.jsonl, line 2: not JSON"),
    "list.jsonl": (b"[1]\n", "line 1: expected an object with 'text'"),
    "lines.jsonl": (b'{"lines": "abc"}\n', "line 1: 'lines' must be a list of texts"),
    "null.jsonl": (b'{"text": "a"}\n{"text": null}\n', "line 2: 'text' is null"),
    "keys.jsonl": (b'{"review": "a"}\n', "it has 'review': name the key of the text with --text"),
    "chat.jsonl": (b'{"messages": [{"role": "user"}]}\n', "line 1: a message must have the texts 'role' and 'content'"),
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
    monkeypatch.setattr(reading, "MOST_TEXT", 1000)
    path = tmp_path / "zeros.txt.gz"
    path.write_bytes(gzip.compress(b"0" * 1001))
    with pytest.raises(DataError, match=r"zeros\.txt\.gz unpacks to more than 1,000 bytes"):
        read_documents(path)
