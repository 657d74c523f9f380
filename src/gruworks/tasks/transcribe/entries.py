"""Entries of tables and JSON manifests as utterances: names of columns and keys, paths, times."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gruworks.data.characters import is_number
from gruworks.data.reading import Row, json_objects, table_delimiter, table_rows
from gruworks.errors import DataError
from gruworks.tasks.transcribe.audio import AUDIO_FILES
from gruworks.tasks.transcribe.utterance import Utterance

__all__ = ["Names", "from_json", "from_table", "lists_recordings", "located"]

# Names of columns and keys in the manifests of Common Voice, NeMo, Hugging Face, DeepSpeech and SpeechBrain.
FILE = (
    "audio_filepath", "audio", "path", "file", "filename", "file_name", "wav_filename", "wav", "audio_path", "wav_path",
    "features",
)  # fmt: skip
TEXT = (
    "text", "sentence", "transcript", "transcription", "normalized_text", "normalized_transcription", "wrd", "words",
)  # fmt: skip
SPEAKER = ("speaker", "speaker_id", "client_id", "spk", "spk_id")
START, STOP = ("start", "start_time", "begin"), ("stop", "end", "end_time")
LOWEST_RATE = 100.0  # in samples a second, from which on start and stop are in samples
FOLDERS = ("", "clips", "wavs", "wav", "audio")  # of recordings, beside a manifest
ROOT = re.compile(r"^(?:\{data_root\}|\$\{?data_root\}?|\{root\})[/\\]*")  # SpeechBrain's placeholder


@dataclass(frozen=True)
class Names:
    """The column or key of the recording and that of the transcript; "" for the usual ones."""

    audio: str = ""
    text: str = ""

    @property
    def files(self) -> Sequence[str]:
        return (self.audio.lower(),) if self.audio else FILE

    @property
    def texts(self) -> Sequence[str]:
        return (self.text.lower(),) if self.text else TEXT


def from_table(path: Path, names: Names) -> Iterator[Utterance]:
    """Read a table with a header, or one of LJSpeech's form: id or file, then transcripts, between vertical bars."""
    rows = table_rows(path)
    if not rows:
        return
    header = [name.strip().lower().lstrip("#") for name in rows[0][1]]
    if not set(header) & set(names.files) and table_delimiter(path) == "|":
        yield from _bars(path, rows, names)
        return
    _check_header(header, rows[0][0], names)
    for where, cells in rows[1:]:
        if len(cells) != len(header):
            raise DataError(f"{where}: {len(cells)} fields, the header has {len(header)}")
        yield _utterance(dict(zip(header, cells, strict=True)), path.parent, where, names)


def from_json(path: Path, names: Names) -> Iterator[Utterance]:
    """Read JSON Lines, or one JSON list or object of objects."""
    for where, entry in json_objects(path, f"an object with {names.files[0]} and {names.texts[0]}"):
        lower = {str(key).lower(): value for key, value in entry.items()}
        yield _utterance(lower, path.parent, where, names)


def lists_recordings(path: Path, names: Names) -> bool:
    """True for a table or JSON file whose first entry names a recording."""
    try:
        if path.suffix.lower() in (".json", ".jsonl"):
            first = next(iter(json_objects(path, "an object")), ("", {}))[1]
            return bool({str(key).lower() for key in first} & set(names.files))
        rows = table_rows(path)
    except DataError:
        return path.stem.lower() == "metadata"
    header = {name.strip().lower() for name in rows[0][1]} if rows else set()
    return bool(header & set(names.files)) or table_delimiter(path) == "|"


def located(folder: Path, file: str) -> Path:
    """The path of a recording that a manifest names, which is relative to the manifest's or the current folder."""
    file = ROOT.sub("", file.strip())
    paths = [folder / part / form for part in FOLDERS for form in dict.fromkeys((file, file.replace("\\", "/")))]
    return next((path for path in [*paths, Path(file)] if path.exists()), folder / file)


def _bars(path: Path, rows: Sequence[Row], names: Names) -> Iterator[Utterance]:
    """LJSpeech's metadata.csv (id|text|normalized text), and lists of file|text or file|speaker|text."""
    for where, cells in rows:
        name, *rest = (cell.strip() for cell in cells)
        texts = [cell for cell in rest if cell and not is_number(cell)] or rest
        if not texts:
            raise DataError(f"{where}: expected the name of a recording and its transcript with | between")
        listed = Path(name).suffix.lower() in AUDIO_FILES
        speaker = next((cell for cell in rest if is_number(cell)), None) if listed else None
        yield Utterance(located(path.parent, name if listed else f"{name}.wav"), texts[-1], speaker, where)


def _check_header(header: Sequence[str], where: str, names: Names) -> None:
    for wanted, flag in ((names.files, "--audio"), (names.texts, "--text")):
        if not set(wanted) & set(header):
            raise DataError(
                f"{where}: no {' or '.join(wanted)} among {', '.join(header)}: expected a header; name the column with "
                f"{flag}"
            )


def _utterance(entry: Mapping[str, Any], folder: Path, where: str, names: Names) -> Utterance:
    file, text = _field(entry, names.files, where), _field(entry, names.texts, where)
    speaker = next((str(entry[name]) for name in SPEAKER if entry.get(name)), None)
    if not file.strip():
        raise DataError(f"{where}: the file name is empty")
    start, end = _part(entry, where)
    return Utterance(located(folder, file), text, speaker, where, start, end)


def _part(entry: Mapping[str, Any], where: str) -> tuple[float, float | None]:
    """Start and end of an utterance in its file, in seconds: by offset and duration, or by start and stop.

    NeMo: without an offset, duration is the rounded length of the file and selects no part of it. SpeechBrain's start
    and stop are in samples, which their ratio to the duration tells.
    """
    offset, start, stop, duration = (
        next((seconds(entry[name], name, where) for name in names if name in entry), None)
        for names in (("offset",), START, STOP, ("duration",))
    )
    if offset is not None:
        return offset, offset + duration if duration else None
    if start is None or not stop:
        return start or 0.0, None
    rate = (stop - start) / duration if duration else 1.0
    unit = rate if rate > LOWEST_RATE else 1.0
    return start / unit, stop / unit


def _field(entry: Mapping[str, Any], names: Sequence[str], where: str) -> str:
    name = next((name for name in names if name in entry), None)
    if name is None:
        raise DataError(f"{where}: no {' or '.join(names)} among {', '.join(map(str, entry)) or 'nothing'}")
    value = entry[name]
    if isinstance(value, dict):  # {"path": ...} of Hugging Face, {"file": ...} of SpeechBrain
        value = value.get("path", value.get("file"))
    if not isinstance(value, str):
        raise DataError(f"{where}: {name} must be text, not {'null' if value is None else repr(value)}")
    return value


def seconds(value: Any, name: str, where: str) -> float | None:
    """A number of seconds; None where there is none."""
    if value in (None, ""):
        return None
    try:
        found = float(value)
    except (TypeError, ValueError):
        found = -1.0
    if not 0 <= found < float("inf"):
        raise DataError(f"{where}: {name} must be a number of seconds, not {value!r}")
    return found
