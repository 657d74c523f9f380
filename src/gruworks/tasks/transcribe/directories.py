"""Utterances of a folder: recordings with transcripts beside them, LibriSpeech, Kaldi, or manifests in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from gruworks.data.folders import Part, selected, visible_files
from gruworks.data.reading import read_lines, read_text
from gruworks.errors import DataError
from gruworks.tasks.transcribe.audio import AUDIO_FILES
from gruworks.tasks.transcribe.entries import Names, from_json, from_table, lists_recordings, located, seconds
from gruworks.tasks.transcribe.features import FEATURE_FILES
from gruworks.tasks.transcribe.utterance import Utterance

__all__ = ["read_folder"]

MANIFESTS = (".csv", ".tsv", ".jsonl", ".json")
LIBRISPEECH = ".trans.txt"
SHOWN = 3  # names of files left out


def read_folder(path: Path, names: Names, part: Part, told: list[str]) -> Iterator[Utterance]:
    """Read the utterances of a folder; lines about what is left out are appended to `told`."""
    if (path / "wav.scp").is_file():
        return _kaldi(path, told) if part in ("", "train") else iter(())
    files = visible_files(path)
    if any(one.name.endswith(LIBRISPEECH) for one in files):
        lists = [one for one in files if one.name.endswith(LIBRISPEECH)]
        return (one for file in selected(lists, path, part, told, True) for one in _librispeech(file))
    recordings = [one for one in files if one.suffix.lower() in (*AUDIO_FILES, *FEATURE_FILES)]
    names_of = {one.with_suffix("") for one in recordings}
    manifests = [one for one in files if one.suffix.lower() in MANIFESTS and one.with_suffix("") not in names_of]
    manifests = [one for one in manifests if lists_recordings(one, names)]
    if manifests:
        chosen = selected(manifests, path, part, told)
        return (one for file in chosen for one in (from_json if "json" in file.suffix else from_table)(file, names))
    return _beside(path, files, selected(recordings, path, part, told, True), part, told)


def _beside(
    path: Path, files: Sequence[Path], recordings: Sequence[Path], part: Part, told: list[str]
) -> Iterator[Utterance]:
    """Recordings, each with a .txt file of the same name."""
    stems = {one.with_suffix("") for one in files if one.suffix.lower() in (*AUDIO_FILES, *FEATURE_FILES)}
    texts = [one for one in files if one.suffix.lower() == ".txt" and one.with_suffix("") not in stems]
    if texts and recordings and part in ("", "train"):
        shown = ", ".join(str(one.relative_to(path)) for one in texts[:SHOWN])
        told.append(f"{path}: {len(texts)} texts without a recording are left out: {shown}")
    for file in recordings:
        transcript = file.with_suffix(".txt")
        if not transcript.is_file():
            raise DataError(f"{file} has no transcript: expected {transcript.name} in the same folder")
        yield Utterance(file, read_text(transcript), None, str(file))


def _librispeech(path: Path) -> Iterator[Utterance]:
    """Lines of an id (speaker-chapter-number) and its transcript; recordings of that name stand beside the file."""
    beside = {one.stem: one for one in visible_files(path.parent) if one.suffix.lower() in AUDIO_FILES}
    for where, name, text in _pairs(path):
        if name not in beside:
            raise DataError(f"{where}: there is no recording {name} beside {path.name}")
        yield Utterance(beside[name], text, name.partition("-")[0], where)


def _kaldi(path: Path, told: list[str]) -> Iterator[Utterance]:
    if not (path / "text").is_file():
        raise DataError(f"{path} has a wav.scp and no file named text with the transcripts")
    files, speakers = _table(path / "wav.scp"), _table(path / "utt2spk")
    segments = _table(path / "segments") if (path / "segments").is_file() else None
    listed = list(_pairs(path / "text"))
    known = set(files if segments is None else segments)
    kept = [one for one in listed if one[1] in known]
    lacking = "wav.scp" if segments is None else "segments"
    if listed and not kept:
        raise DataError(f"{listed[0][0]}: {listed[0][1]} is not in {lacking}, nor is any other utterance of text")
    odd = [name for _, name, _ in listed if name not in known]
    if odd:
        told.append(f"{path}: {len(odd)} utterances of text are not in {lacking}, left out: {', '.join(odd[:SHOWN])}")
    for where, name, text in kept:
        recording, start, end = _segment(segments, name, where)
        if recording not in files:
            raise DataError(f"{where}: {recording} is not in wav.scp")
        if files[recording].endswith("|"):
            raise DataError(f"{path / 'wav.scp'}: {recording} is a command, which is not run: give an audio file")
        yield Utterance(located(path, files[recording]), text, speakers.get(name), where, start, end)


def _segment(segments: dict[str, str] | None, name: str, where: str) -> tuple[str, float, float | None]:
    """Recording, start and end of an utterance; Kaldi's end of -1 is that of the recording."""
    if segments is None:
        return name, 0.0, None
    parts = segments[name].split()
    if len(parts) not in (3, 4):  # the fourth is a channel
        raise DataError(f"{where}: expected recording, start and end of {name} in segments, got {segments[name]!r}")
    end = None if parts[2] in ("-1", "-1.0") else seconds(parts[2], "end", where)
    return parts[0], seconds(parts[1], "start", where) or 0.0, end


def _table(path: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for where, name, rest in _pairs(path) if path.is_file() else ():
        if name in found:
            raise DataError(f"{where}: {name} occurs twice: expected one line for each")
        found[name] = rest
    return found


def _pairs(path: Path) -> Iterator[tuple[str, str, str]]:
    """Place, first word and rest of each line, divided at blanks or tabs; blank lines are left out."""
    for number, line in enumerate(read_lines(path), 1):
        if line.strip():
            name, *rest = line.split(None, 1)
            yield f"{path}, line {number}", name, rest[0].strip() if rest else ""
