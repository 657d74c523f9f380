"""Manifests: every form gives the same utterances; what is broken is named with its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gruworks.errors import DataError
from gruworks.tasks.transcribe.manifest import Utterance, digest, read_manifest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two files that look like recordings; reading a manifest opens none."""
    for name, text in (("a", "one two"), ("b", "three")):
        (tmp_path / f"{name}.wav").write_bytes(b"RIFF")
        (tmp_path / f"{name}.txt").write_text(text + "\n")
    return tmp_path


def told(found: list[Utterance]) -> list[tuple[str, str, str | None]]:
    return [(one.path.name, one.text.strip(), one.speaker) for one in found]


def test_a_folder(folder: Path) -> None:
    assert told(read_manifest(folder)) == [("a.wav", "one two", None), ("b.wav", "three", None)]
    (folder / "b.txt").unlink()
    with pytest.raises(DataError, match=r"b\.wav has no transcript: expected b\.txt in the same folder"):
        read_manifest(folder)


def test_tables(folder: Path) -> None:
    (folder / "m.csv").write_text('path,text,speaker\na.wav,"one, ""two""",x\nb.wav,three,\n')
    found = read_manifest(folder / "m.csv")
    assert told(found) == [("a.wav", 'one, "two"', "x"), ("b.wav", "three", None)]
    assert found[1].where.endswith("m.csv, line 3")
    assert found[0].path == folder / "a.wav"


def test_common_voice(folder: Path) -> None:
    (folder / "clips").mkdir()
    (folder / "a.wav").rename(folder / "clips" / "a.mp3")
    (folder / "m.tsv").write_text('client_id\tpath\tsentence\tage\nme\ta.mp3\t"Yes, he said\t\n')
    (one,) = read_manifest(str(folder / "m.tsv"))
    assert (one.path, one.text, one.speaker) == (folder / "clips" / "a.mp3", '"Yes, he said', "me")


def test_json_lines(folder: Path) -> None:
    rows = [
        {"audio_filepath": "a.wav", "duration": 1.5, "text": "one two"},
        {"audio_filepath": str(folder / "b.wav"), "duration": 0.5, "offset": 1.25, "text": "three", "speaker": 7},
    ]
    (folder / "m.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    first, second = read_manifest(folder / "m.jsonl")
    assert (first.start, first.end) == (0.0, None)
    assert (second.start, second.end, second.speaker) == (1.25, 1.75, "7")


def test_kaldi(folder: Path) -> None:
    (folder / "wav.scp").write_text("r1 a.wav\nr2 b.wav\n")
    (folder / "text").write_text("r1 one two\nr2 three\n")
    (folder / "utt2spk").write_text("r1 s\nr2 t\n")
    assert told(read_manifest(folder)) == [("a.wav", "one two", "s"), ("b.wav", "three", "t")]
    (folder / "segments").write_text("u1 r1 0.5 1.5\n")
    (folder / "text").write_text("u1 one\n")
    (one,) = read_manifest(folder)
    assert (one.path.name, one.start, one.end) == ("a.wav", 0.5, 1.5)
    (folder / "text").write_text("u1 one\nu9 two\n")
    with pytest.raises(DataError, match=r"text, line 2: u9 is not in segments"):
        read_manifest(folder)
    (folder / "segments").unlink()
    with pytest.raises(DataError, match=r"text, line 1: u1 is not in wav\.scp"):
        read_manifest(folder)
    (folder / "wav.scp").write_text("u1 sox a.wav -t wav - |\n")
    with pytest.raises(DataError, match="u1 is a command, which is not run"):
        read_manifest(folder)
    (folder / "text").unlink()
    with pytest.raises(DataError, match="no file named text"):
        read_manifest(folder)


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("m.jsonl", '{"audio_filepath": "a.wav", "text": "x"}\n{"audio', "line 2: not valid JSON"),
        ("m.jsonl", "[1]", "line 1: expected an object"),
        ("m.jsonl", '{"audio_filepath": "a.wav"}', "line 1: no text or sentence .* among audio_filepath"),
        ("m.jsonl", '{"audio_filepath": "a.wav", "text": 5}', "line 1: text must be text, not 5"),
        ("m.jsonl", '{"audio_filepath": "", "text": "x"}', "line 1: the file name is empty"),
        ("m.jsonl", '{"audio_filepath": "a", "text": "x", "offset": "soon"}', "line 1: offset must be a number of sec"),
        ("m.jsonl", "\n", "lists no recordings"),
        ("m.csv", "path,text\na.wav,one\nb.wav\n", "line 3: 1 fields, the header has 2"),
        ("m.csv", "sound,words\na.wav,one\n", "line 2: no audio_filepath or audio .* among sound, words"),
        ("m.tsv", b"path\ttext\na.wav\t\xff\n", "is not UTF-8 text"),
        ("m.xml", "<a/>", "is not a manifest: expected a folder"),
    ],
)
def test_what_is_broken_is_named(folder: Path, name: str, content: str | bytes, text: str) -> None:
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DataError, match=rf"m\.\w+.*{text}"):
        read_manifest(folder / name)


def test_what_is_no_manifest_at_all(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist: name a manifest"):
        read_manifest(tmp_path / "none")
    with pytest.raises(DataError, match="lists no recordings"):
        read_manifest(tmp_path)
    with pytest.raises(DataError, match="must hold Utterance objects"):
        read_manifest(["a.wav"])


def test_the_digest_sees_every_change(folder: Path) -> None:
    before = digest(read_manifest(folder))
    assert digest(read_manifest(folder)) == before
    (folder / "a.txt").write_text("one too")
    changed = digest(read_manifest(folder))
    (folder / "a.wav").write_bytes(b"RIFFs")
    assert len({before, changed, digest(read_manifest(folder))}) == 3
