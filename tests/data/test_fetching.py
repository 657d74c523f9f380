"""Fetching with a network of our own: content is checked, kept once, converted to the data folder's layout."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import logging
import tarfile
from pathlib import Path
from typing import Any

import pytest

from gruworks.data import fetching
from gruworks.data.catalogue import SETS, DataSet, File, data_folder, find, locate
from gruworks.data.fetching import content_sha256, fetch, gather_tang, repack
from gruworks.errors import DataError, OptionError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRUWORKS_DATA", str(tmp_path))
    return tmp_path


def known(monkeypatch: pytest.MonkeyPatch, file: File, form: str = "file") -> None:
    data = DataSet("toy", "a toy", "none", "owner/toy", "c0ffee", (file,), form)
    monkeypatch.setitem(SETS, "toy", data)


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_file_is_fetched_once_compressed_and_found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known(monkeypatch, File("text/a.txt.gz", "some/a.txt", sha(b"hello")))
    asked = []

    def download(address: str) -> bytes:
        asked.append(address)
        return b"hello"

    with pytest.raises(DataError, match=r"the data set toy is not here .*a.txt.gz is missing.*gruworks data fetch toy"):
        find("toy")
    for _ in range(2):
        assert fetch("toy", download) == [folder / "text" / "a.txt.gz"]
    assert asked == ["https://raw.githubusercontent.com/owner/toy/c0ffee/some/a.txt"]
    assert gzip.decompress(find("toy")["a.txt.gz"].read_bytes()) == b"hello"


def test_other_content_is_refused_and_nothing_is_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known(monkeypatch, File("a.txt", "a.txt", sha(b"hello")))
    with pytest.raises(DataError, match=r"a.txt from owner/toy at commit c0ffee is not the file of the catalogue"):
        fetch("toy", lambda address: b"hullo")
    assert list(folder.iterdir()) == []


def archive(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as target:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            target.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def test_a_folder_of_a_repository_is_packed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    upstream = archive({"toy-c0ffee/README": b"no", "toy-c0ffee/wavs/1.wav": b"one", "toy-c0ffee/wavs/2.wav": b"two"})
    wanted = content_sha256("x.tar.gz", archive({"wavs/2.wav": b"two", "wavs/1.wav": b"one"}))  # in any order
    known(monkeypatch, File("speech/x.tar.gz", "wavs", wanted), "folder")
    (path,) = fetch("toy", lambda address: upstream)
    with tarfile.open(path) as packed:
        assert packed.getnames() == ["wavs/1.wav", "wavs/2.wav"]
    assert content_sha256("x.tar.gz", repack(upstream, "wavs")) == wanted
    assert content_sha256("x.tar.gz", archive({"wavs/1.wav": b"one", "wavs/2.wav": b"2"})) != wanted


def test_tang_poems_of_pure_form_are_gathered(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def poem(*lines: str) -> dict[str, Any]:
        return {"title": "t", "author": "a", "paragraphs": list(lines), "id": "1"}

    first = [poem("白日依山盡，黃河入海流。", "欲窮千里目，更上一層樓。"), poem("白日依山盡，黃河入海流。")]
    second = [
        poem("白日依山盡，黃河入海流。欲窮千里目，更上一層樓。"),
        poem("白日依山□，黃河入海流。", "一二三四五？六七八九十！"),
    ]
    text = gather_tang([first, second])
    assert [json.loads(line) for line in text.splitlines()] == [
        {"form": "五絕", "title": "t", "author": "a", "lines": ["白日依山盡", "黃河入海流", "欲窮千里目", "更上一層樓"]}
    ]
    known(monkeypatch, File("text/p.jsonl.gz", "poet.tang.{}.json", sha(text.encode())), "tang")
    asked: list[str] = []

    def download(address: str) -> bytes:
        asked.append(address)
        return json.dumps(first if address.endswith("tang.0.json") else second).encode()

    fetch("toy", download)
    assert asked[-1].endswith("/poet.tang.57000.json")


def test_no_network_is_said_in_one_line(folder: Path) -> None:
    with pytest.raises(DataError, match=r"can't fetch http://127.0.0.1:9/x \(ConnectionError\): is this machine"):
        fetching._retrieve("http://127.0.0.1:9/x")


def test_the_log_of_pooch_says_what_it_said_before(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = pytest.importorskip("pooch").get_logger()
    monkeypatch.setattr(log, "level", logging.INFO)
    with pytest.raises(DataError):
        fetching._retrieve("http://127.0.0.1:9/x")
    assert log.level == logging.INFO


def test_an_unknown_set_is_refused_with_those_there_are() -> None:
    for call in (find, fetch):
        with pytest.raises(OptionError, match="there is no data set 'nope'; there are: tinyshakespeare, "):
            call("nope")


@pytest.mark.recipe
@pytest.mark.parametrize("name", SETS)
def test_what_stands_in_the_data_folder_is_what_the_catalogue_knows(name: str) -> None:
    if data_folder() is None:
        pytest.skip("GRUWORKS_DATA is not set: no real data to check")
    for file in SETS[name].files:
        path = locate(file)
        assert path is not None
        assert content_sha256(path.name, path.read_bytes()) == file.sha256
