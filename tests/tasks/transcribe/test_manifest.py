"""Manifests: every form gives the same utterances; what is broken is named with its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gruworks.errors import DataError
from gruworks.tasks.transcribe.manifest import Names, Utterance, digest, read_manifest


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
    left: list[str] = []
    assert len(read_manifest(folder, told=left)) == 1
    assert left[0].endswith("1 utterances of text are not in segments, left out: u9")
    (folder / "segments").unlink()
    with pytest.raises(DataError, match=r"text, line 1: u1 is not in wav\.scp"):
        read_manifest(folder)
    (folder / "wav.scp").write_text("u1 sox a.wav -t wav - |\n")
    with pytest.raises(DataError, match="u1 is a command, which is not run"):
        read_manifest(folder)
    (folder / "text").unlink()
    with pytest.raises(DataError, match="no file named text"):
        read_manifest(folder)


def test_kaldi_names_occur_once(folder: Path) -> None:
    (folder / "wav.scp").write_text("r1 a.wav\nr1 b.wav\n")
    (folder / "text").write_text("r1 one\n")
    with pytest.raises(DataError, match=r"wav\.scp, line 2: r1 occurs twice"):
        read_manifest(folder)


def test_common_voice_has_other_tables(folder: Path) -> None:
    for name in ("train", "dev", "test", "validated", "invalidated", "other"):
        (folder / f"{name}.tsv").write_text(f"client_id\tpath\tsentence\nme\ta.wav\t{name}\n")
    assert [one.text for one in read_manifest(folder, part="train")] == ["train"]


def test_kaldi_divides_at_any_blank(folder: Path) -> None:
    (folder / "wav.scp").write_text("r1\ta.wav\nr2\tb.wav\n\n")
    (folder / "segments").write_text("u1\tr1\t0.5\t-1\nu2 r2 0 1.5 A\n\n")
    (folder / "text").write_text("u1\tone\u2028two\nu2  three four\n\n")
    first, second = read_manifest(folder)
    assert (first.text, first.start, first.end) == ("one\u2028two", 0.5, None)
    assert (second.text, second.end) == ("three four", 1.5)


def test_quotation_and_line_breaks_of_a_table(folder: Path) -> None:
    (folder / "m.csv").write_text('path,text\na.wav,"zero\nzero"\nb.wav,one\n')
    assert told(read_manifest(folder / "m.csv")) == [("a.wav", "zero\nzero", None), ("b.wav", "one", None)]
    rows = ["a.wav,four"] * 2 + ['a.wav,"four'] + ["a.wav,four"] * 37
    (folder / "m.csv").write_text("\n".join(["path,text", *rows]) + "\n")
    with pytest.raises(DataError, match=r"m\.csv, line 4: a quotation mark is not closed"):
        read_manifest(folder / "m.csv")


LAYOUTS = {
    "audiofolder": ("metadata.csv", "file_name,transcription\na.wav,one two\nb.wav,three\n"),
    "audiofolder jsonl": (
        "metadata.jsonl", '{"file_name": "a.wav", "text": "one two"}\n{"file_name": "b.wav", "text": "three"}\n'
    ),
    "hugging face": (
        "m.jsonl", '{"audio": {"path": "a.wav"}, "text": "one two"}\n{"audio": {"path": "b.wav"}, "text": "three"}\n'
    ),
    "ljspeech": ("metadata.csv", "a|1 2|one two\nb|3|three\n"),
    "file lists": ("train.txt", "a.wav|one two\nb.wav|three\n"),
    "speechbrain csv": ("m.csv", "ID,duration,wav,spk_id,wrd\n1,1.0,$data_root/a.wav,,one two\n2,1.0,b.wav,,three\n"),
    "speechbrain json": (
        "m.json", '{"1": {"wav": "{data_root}/a.wav", "words": "one two"}, "2": {"wav": "b.wav", "words": "three"}}'
    ),
    "deepspeech": ("m.csv", "wav_filename,wav_filesize,transcript\na.wav,4,one two\nb.wav,4,three\n"),
    "nemo": (
        "m.json", '{"audio_filepath": "a.wav", "duration": 1, "text": "one two"}\n'
        '{"audio_filepath": "b.wav", "duration": 1, "text": "three"}\n'
    ),
    "semicolons": ("m.csv", "PATH;Sentence\r\na.wav;one two\r\nb.wav;three\r\n"),
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("whole", [True, False])
def test_layouts_of_the_field(folder: Path, layout: str, whole: bool) -> None:
    name, content = LAYOUTS[layout]
    (folder / name).write_text(content)
    (folder / "._junk.csv").write_text("\0")
    if whole and name != "train.txt":
        for file in (folder / "a.txt", folder / "b.txt"):
            file.unlink()
    source = folder if whole and name != "train.txt" else folder / name
    assert told(read_manifest(source)) == [("a.wav", "one two", None), ("b.wav", "three", None)]


def test_librispeech(tmp_path: Path) -> None:
    for part, name in (("train-clean", "84-1-0000"), ("test-clean", "61-2-0000")):
        folder = tmp_path / part / name.partition("-")[0] / "1"
        folder.mkdir(parents=True)
        (folder / f"{name}.flac").touch()
        (folder / f"{name[:-5]}.trans.txt").write_text(f"{name} GO DO\n")
    assert told(read_manifest(tmp_path, part="train")) == [("84-1-0000.flac", "GO DO", "84")]
    assert told(read_manifest(tmp_path, part="test")) == [("61-2-0000.flac", "GO DO", "61")]
    assert len(read_manifest(tmp_path)) == 2


def test_parts_of_a_folder(folder: Path) -> None:
    for part, name in (("train", "a"), ("val", "b"), ("test", "b")):
        (folder / f"{part}.jsonl").write_text(json.dumps({"audio_filepath": f"{name}.wav", "text": part}))
    left: list[str] = []
    assert [one.text for one in read_manifest(folder, part="train", told=left)] == ["train"]
    assert "left out: 1 of test, 1 of validation" in left[0]
    assert [one.text for one in read_manifest(folder, part="validation")] == ["val"]
    assert read_manifest(folder / "train.jsonl", part="test") == []


@pytest.mark.parametrize(
    ("columns", "cells", "part"),
    [
        ("duration,start,stop", "1.5,8000,32000", (0.5, 2.0)), ("start,end", "0.5,2", (0.5, 2.0)),
        ("offset,duration", "0.5,1.5", (0.5, 2.0)), ("duration,start,stop", "1.5,0.5,2.0", (0.5, 2.0)),
        ("duration", "1.5", (0.0, None)), ("start", "0.5", (0.5, None)),
    ],
)  # fmt: skip
def test_parts_of_recordings(folder: Path, columns: str, cells: str, part: tuple[float, float | None]) -> None:
    (folder / "m.csv").write_text(f"wav,wrd,{columns}\na.wav,one,{cells}\n")
    (one,) = read_manifest(folder / "m.csv")
    assert (one.start, one.end) == part


def test_columns_by_name(folder: Path) -> None:
    (folder / "m.csv").write_text("Sound,said\na.wav,one\n")
    assert told(read_manifest(folder / "m.csv", Names("sound", "said"))) == [("a.wav", "one", None)]


def test_texts_without_a_recording_are_told(folder: Path) -> None:
    (folder / "c.txt").write_text("four")
    left: list[str] = []
    assert len(read_manifest(folder, told=left)) == 2
    assert left == [f"{folder}: 1 texts without a recording are left out: c.txt"]


def test_half_a_surrogate_pair_is_read(folder: Path) -> None:
    (folder / "m.jsonl").write_text('{"audio": "a.wav", "text": "x\\ud83d"}')
    found = read_manifest(folder / "m.jsonl")
    assert found[0].text == "x\ufffd"
    assert digest(read_manifest([Utterance(folder / "a.wav", "\ud83d", None, "here")]))


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("m.jsonl", '{"audio_filepath": "a.wav", "text": "x"}\n{"audio', "line 2: not JSON"),
        ("m.jsonl", "[1]", "line 1: expected an object"),
        ("m.jsonl", '{"audio_filepath": "a.wav"}', "line 1: no text or sentence .* among audio_filepath"),
        ("m.jsonl", '{"audio_filepath": "a.wav", "text": 5}', "line 1: text must be text, not 5"),
        ("m.jsonl", '{"audio_filepath": "a.wav", "text": null}', "line 1: text must be text, not null"),
        ("m.jsonl", '{"audio_filepath": "", "text": "x"}', "line 1: the file name is empty"),
        ("m.jsonl", '{"audio_filepath": "a", "text": "x", "offset": "soon"}', "line 1: offset must be a number of sec"),
        ("m.jsonl", "\n", "lists no recordings"),
        ("m.csv", "path,text\na.wav,one\nb.wav\n", "line 3: 1 fields, the header has 2"),
        ("m.csv", "sound,words\na.wav,one\n", "line 1: no audio_filepath or audio .* among sound, words: .*--audio"),
        ("m.tsv", b"path\ttext\na.wav\t\xff\n", "line 2: not UTF-8"),
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
