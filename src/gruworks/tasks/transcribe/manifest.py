"""Reading of manifests (folders, tables, JSON lines, Common Voice, Kaldi) into lists of utterances."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gruworks.errors import DataError
from gruworks.files import named_path
from gruworks.tasks.transcribe.audio import AUDIO_FILES
from gruworks.tasks.transcribe.features import FEATURE_FILES

__all__ = ["Utterance", "digest", "error_context", "read_manifest"]

# Accepted names of columns and keys, from Common Voice, NeMo and Kaldi.
FILE = ("audio_filepath", "audio", "path", "file", "filename", "features")
TEXT = ("text", "sentence", "transcript", "transcription")
SPEAKER = ("speaker", "speaker_id", "client_id", "spk")


@dataclass(frozen=True)
class Utterance:
    """One recording with its transcript.

    Args:
        path: the audio or feature file.
        text: the transcript.
        speaker: the speaker's name, if known.
        where: file and line of the entry, for error messages.
        start: beginning of the utterance in the file, in seconds.
        end: its end in seconds; None is the end of the file.
    """

    path: Path
    text: str
    speaker: str | None
    where: str
    start: float = 0.0
    end: float | None = None

    @property
    def given(self) -> bool:
        """True where the file holds features instead of audio."""
        return self.path.suffix.lower() in FEATURE_FILES


@contextlib.contextmanager
def error_context(utterance: Utterance) -> Iterator[None]:
    """Add the manifest's file and line to the message of every DataError raised in the block."""
    try:
        yield
    except DataError as error:
        if utterance.where in str(error):
            raise
        raise type(error)(f"{utterance.where}: {error}") from error


def read_manifest(source: Any) -> list[Utterance]:
    """Read the utterances of a manifest.

    >>> read_manifest("speech/train.jsonl")[0].text             # doctest: +SKIP
    'yes'

    A folder holds recordings, each with a .txt file of the same name, or is a Kaldi directory (wav.scp, text,
    utt2spk, segments). A .csv or .tsv has a header with a file and a text column (also Common Voice's path and
    sentence, with recordings in clips/); a .jsonl or .json has NeMo's keys (audio_filepath, text, offset, duration).
    Paths are relative to the manifest's folder.

    Args:
        source: the path of a manifest, or a list of utterances, which is returned unchanged.

    Raises:
        DataError: an entry is invalid; the message names file and line.
    """
    if isinstance(source, Sequence) and not isinstance(source, str):
        if not all(isinstance(one, Utterance) for one in source):
            raise DataError("a list of recordings must hold Utterance objects only; or give the path of a manifest")
        utterances = list(source)
    else:
        path = named_path(source)
        if not path.exists():
            raise DataError(f"{path} does not exist: name a manifest, or a folder of recordings")
        utterances = list(_reader(path)(path))
    if not utterances:
        raise DataError(f"{source} lists no recordings")
    return utterances


def digest(utterances: list[Utterance]) -> str:
    """The sha256 of a manifest's entries: file names and sizes, times, transcripts and speakers."""
    found = hashlib.sha256()
    for one in utterances:
        size = one.path.stat().st_size if one.path.is_file() else -1
        found.update(f"{one.path.name}\0{size}\0{one.start}\0{one.end}\0{one.text}\0{one.speaker}\n".encode())
    return found.hexdigest()


def _reader(path: Path) -> Callable[[Path], Iterator[Utterance]]:
    if path.is_dir():
        return _kaldi if (path / "wav.scp").is_file() else _folder
    readers = {".csv": _table, ".tsv": _table, ".jsonl": _json_lines, ".json": _json_lines}
    if path.suffix.lower() not in readers:
        raise DataError(f"{path} is not a manifest: expected a folder, or a file that ends in {', '.join(readers)}")
    return readers[path.suffix.lower()]


def _folder(path: Path) -> Iterator[Utterance]:
    files = sorted(one for one in path.rglob("*") if one.suffix.lower() in (*AUDIO_FILES, *FEATURE_FILES))
    for file in files:
        transcript = file.with_suffix(".txt")
        if not transcript.is_file():
            raise DataError(f"{file} has no transcript: expected {transcript.name} in the same folder")
        yield Utterance(file, _text(transcript), None, str(file))


def _table(path: Path) -> Iterator[Utterance]:
    lines = _text(path).splitlines()
    tabs = path.suffix.lower() == ".tsv"  # Common Voice, which does not quote
    rows = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE) if tabs else csv.reader(lines)
    header = next(rows, [])
    for row in rows:
        if not row:
            continue
        where = f"{path}, line {rows.line_num}"
        if len(row) != len(header):
            raise DataError(f"{where}: {len(row)} fields, the header has {len(header)}")
        yield _utterance(dict(zip(header, row, strict=True)), path.parent, where)


def _json_lines(path: Path) -> Iterator[Utterance]:
    for number, line in enumerate(_text(path).splitlines(), 1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            entry = json.loads(line)
        except ValueError as error:
            raise DataError(f"{where}: not valid JSON ({error})") from error
        if not isinstance(entry, dict):
            raise DataError(f"{where}: expected an object with {FILE[0]} and {TEXT[0]}")
        yield _utterance(entry, path.parent, where)


def _utterance(entry: dict[str, Any], folder: Path, where: str) -> Utterance:
    file, text = _field(entry, FILE, where), _field(entry, TEXT, where)
    speaker = next((str(entry[name]) for name in SPEAKER if entry.get(name)), None)
    if not file:
        raise DataError(f"{where}: the file name is empty")
    path = folder / file
    if not path.exists() and (folder / "clips" / file).exists():
        path = folder / "clips" / file
    start = _seconds(entry.get("offset"), "offset", where)
    # NeMo: without an offset, duration is the rounded length of the file and selects no part of it.
    end = None if start is None else start + (_seconds(entry.get("duration"), "duration", where) or float("inf"))
    return Utterance(path, text, speaker, where, start or 0.0, None if end == float("inf") else end)


def _field(entry: dict[str, Any], names: Sequence[str], where: str) -> str:
    name = next((name for name in names if name in entry), None)
    if name is None:
        raise DataError(f"{where}: no {' or '.join(names)} among {', '.join(map(str, entry)) or 'nothing'}")
    if not isinstance(entry[name], str):
        raise DataError(f"{where}: {name} must be text, not {entry[name]!r}")
    return str(entry[name])


def _seconds(value: Any, name: str, where: str) -> float | None:
    if value in (None, ""):
        return None
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise DataError(f"{where}: {name} must be a number of seconds, not {value!r}")
    return seconds


def _kaldi(path: Path) -> Iterator[Utterance]:
    files = dict(_pairs(path / "wav.scp"))
    speakers = dict(_pairs(path / "utt2spk")) if (path / "utt2spk").is_file() else {}
    segments = dict(_pairs(path / "segments")) if (path / "segments").is_file() else None
    if not (path / "text").is_file():
        raise DataError(f"{path} has a wav.scp and no file named text with the transcripts")
    for number, (name, text) in enumerate(_pairs(path / "text"), 1):
        where = f"{path / 'text'}, line {number}"
        recording, start, end = _segment(segments, name, where)
        if recording not in files:
            raise DataError(f"{where}: {recording} is not in wav.scp")
        if files[recording].endswith("|"):
            raise DataError(f"{path / 'wav.scp'}: {recording} is a command, which is not run: give an audio file")
        yield Utterance(path / files[recording], text, speakers.get(name), where, start, end)


def _segment(segments: dict[str, str] | None, name: str, where: str) -> tuple[str, float, float | None]:
    if segments is None:
        return name, 0.0, None
    parts = segments.get(name, "").split()
    if len(parts) != 3:
        raise DataError(f"{where}: {name} is not in segments; expected a line of name, recording, start and end")
    return parts[0], _seconds(parts[1], "start", where) or 0.0, _seconds(parts[2], "end", where)


def _pairs(path: Path) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(_text(path).splitlines(), 1):
        name, _, rest = line.strip().partition(" ")
        if not name:
            raise DataError(f"{path}, line {number}: empty")
        yield name, rest.strip()


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text (byte {error.start})") from error
