"""Hostile and unusual files end in the caller's error, before anything is allocated for what they claim."""

from __future__ import annotations

import doctest
import gzip
import io
import os
import socket
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from gruworks import files
from gruworks.errors import DataError, RunError, WeightsError
from gruworks.files import (
    MIB,
    bounded_gunzip,
    bounded_member,
    bounded_zip,
    named_path,
    read_bytes,
    read_json,
    regular_file,
)


def test_examples_in_docstrings_run() -> None:
    assert doctest.testmod(files).failed == 0


def _folder(path: Path) -> None:
    path.mkdir()


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))


@pytest.mark.parametrize("make", [_folder, os.mkfifo, _socket, lambda path: None, lambda path: path.symlink_to(path)])
def test_what_is_no_regular_file_is_refused_without_waiting(
    make: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path is short
    make(Path("it"))
    with pytest.raises(RunError, match="it is not a file"):
        regular_file("it", RunError)
    with pytest.raises(DataError, match="it is not a file"):
        read_json("it")


@pytest.mark.parametrize("path", ["a\0b", "x" * 5000, "/dev/zero"])
def test_paths_that_no_file_can_have_are_refused(path: str) -> None:
    with pytest.raises(DataError, match="is not a file"):
        read_bytes(path, 10)


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: object) -> None:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "a.json").write_bytes(b"{}")
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataError, match=r"a\.json can't be read: Permission denied"):
        read_json(tmp_path / "a.json")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(DataError, match=r"a\.json may not be read by this user"):
        regular_file(tmp_path / "a.json")


def test_a_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(10))
    assert read_bytes(tmp_path / "a", 10) == bytes(10)
    with pytest.raises(DataError, match="a has 10 bytes; at most 9 are read"):
        read_bytes(tmp_path / "a", 9)


@pytest.mark.parametrize(
    "value",
    [b"null", b'{"a": [1, 2.5, "\\"]]]"]}', b'\xef\xbb\xbf{"a": 1, "a": 2}', b'"\\ud83d\\ude00"', b"[" * 9 + b"]" * 9],
)
def test_json_is_read(value: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(value)
    assert read_json(tmp_path / "a.json") == read_json(value)
    assert read_json(b'{"a": 1, "a": 2}') == {"a": 2}
    assert read_json(b'"\\ud83d\\ude00"') == "\U0001f600"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[" * 65, "nests lists and objects deeper than 64"),
        (b'{"a":' * 100_000, "deeper than 64"),
        (b'["\\"]", ' + b"[" * 70, "deeper than 64"),
        (b"", "is not JSON"),
        (b"{", "is not JSON"),
        (b"]", "is not JSON"),
        (b'"\\', "is not JSON"),
        (b"[1] [2]", "is not JSON"),
        (b"\xff\xfe", "not UTF-8 text: invalid start byte at byte 0"),
        (b'["\xed\xa0\x80"]', "not UTF-8"),
        (b'["\\ud800"]', r"half of a surrogate pair \(\\ud800\)"),
        (b'{"\\uDFFF": "\\uDBff"}', "half of a surrogate pair"),
        (b"1" * 5000, "is not JSON that can be read"),
        (b"[NaN]", "NaN is no finite number"),
        (b"[-Infinity]", "no finite number"),
        (b"[1e999]", "1e999 is no finite number"),
    ],
)
def test_json_that_is_damaged_or_hostile_is_named(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(WeightsError, match=rf"config\.json.*{message}"):
        read_json(tmp_path / "config.json", error=WeightsError)
    with pytest.raises(DataError, match=rf"^config: .*{message}|^config .*{message}"):
        read_json(content, name="config")


def test_numbers_that_are_not_finite_are_read_where_asked_for() -> None:
    assert read_json(b"[NaN, Infinity, 1e999]", nan=True)[1:] == [float("inf")] * 2


def test_unfinished_strings_are_scanned_once() -> None:
    with pytest.raises(DataError, match="is not JSON"):
        read_json(b'"' + b'\\"' * MIB)


def test_json_has_a_size_limit() -> None:
    with pytest.raises(DataError, match="has 7 bytes; at most 6"):
        read_json(b"[1,2,3]", 6)


def _zip(method: int = zipfile.ZIP_DEFLATED, content: bytes = bytes(8 * MIB)) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        archive.writestr("a", content)
    return stream.getvalue()


def _member(content: bytes, limit: int) -> bytes:
    with bounded_zip(io.BytesIO(content), "m.keras", WeightsError) as archive:
        return bounded_member(archive, "a", limit, WeightsError)


def test_a_member_is_read_within_its_limit() -> None:
    assert _member(_zip(content=b"text"), 4) == b"text"
    with pytest.raises(WeightsError, match=r"no member a"), bounded_zip(io.BytesIO(_empty()), "m") as archive:
        bounded_member(archive, "a", 4, WeightsError)


def _empty() -> bytes:
    return b"PK\5\6" + bytes(18)


def test_a_member_beyond_its_limit_is_refused_before_it_is_unpacked() -> None:
    tracemalloc.start()
    with pytest.raises(WeightsError, match="unpacks to 8,388,608 bytes; at most 1,048,576"):
        _member(_zip(), MIB)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MIB


@pytest.mark.parametrize("stated", [10, 10 * MIB])
def test_a_member_that_states_another_size_is_refused(stated: int) -> None:
    content = _zip()
    lied = content.replace(struct.pack("<L", 8 * MIB), struct.pack("<L", stated))
    with pytest.raises(WeightsError, match=r"a in the archive (can't be unpacked|states)"):
        _member(lied, 16 * MIB)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_unpack_without_a_bound_are_refused(method: int) -> None:
    with pytest.raises(WeightsError, match="is compressed by method"):
        _member(_zip(method, b"text"), MIB)


def test_archives_that_are_damaged_are_named() -> None:
    content = bytearray(_zip(content=b"some text, some text, some text"))
    for at in range(len(content)):
        for value in (0, 255):
            changed = bytes(content[:at]) + bytes([value]) + bytes(content[at + 1 :])
            try:
                _member(changed, MIB)
            except WeightsError:
                continue
    with pytest.raises(WeightsError, match=r"m\.keras is not a complete zip archive"):
        _member(b"no archive", MIB)


def test_gzip_is_unpacked_within_its_limit() -> None:
    packed = gzip.compress(bytes(8 * MIB))
    assert len(bounded_gunzip(packed, 8 * MIB)) == 8 * MIB
    with pytest.raises(DataError, match=r"a\.gz unpacks to more than 1,000 bytes"):
        bounded_gunzip(io.BytesIO(packed), 1000, name="a.gz")
    for broken in (packed[:-9], packed[:5], b"text", packed[:-8] + bytes(8)):
        with pytest.raises(DataError, match="not a complete gzip file"):
            bounded_gunzip(broken, 16 * MIB)


def test_a_text_in_a_paths_place_is_refused(tmp_path: Path) -> None:
    assert named_path(str(tmp_path / "not here")) == tmp_path / "not here"
    with pytest.raises(
        DataError, match=r"word word .* \(10,000 characters\) can't be the name of a file: .*; give a path"
    ):
        named_path("word " * 2000)
