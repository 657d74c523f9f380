"""Reading of manifests (folders, tables, JSON, Kaldi) into lists of utterances."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from gruworks.data.folders import Part
from gruworks.data.reading import mended
from gruworks.errors import DataError
from gruworks.files import named_path
from gruworks.tasks.transcribe.directories import read_folder
from gruworks.tasks.transcribe.entries import Names, from_json, from_table
from gruworks.tasks.transcribe.utterance import Utterance, error_context

__all__ = ["Names", "Utterance", "digest", "error_context", "read_manifest"]

READERS = {".csv": from_table, ".tsv": from_table, ".txt": from_table, ".jsonl": from_json, ".json": from_json}


def read_manifest(
    source: Any, names: Names | None = None, *, part: Part = "", told: list[str] | None = None
) -> list[Utterance]:
    """Read the utterances of a manifest.

    >>> read_manifest("speech/train.jsonl")[0].text             # doctest: +SKIP
    'yes'

    A folder holds recordings, each with a .txt file of the same name, or manifests with the paths of recordings
    (audiofolder's metadata.csv, LJSpeech, SpeechBrain, DeepSpeech, NeMo, Common Voice), or LibriSpeech's .trans.txt, or
    is a Kaldi directory (wav.scp, text, utt2spk, segments). A .csv or .tsv has a header with a file and a text column;
    a .jsonl or .json has NeMo's keys (audio_filepath, text, offset, duration). Paths are relative to the manifest's
    folder.

    Args:
        source: the path of a manifest, or a list of utterances.
        names: names of the columns or keys of recording and transcript, where they aren't the usual ones.
        part: the part of a folder whose names divide it into train, validation and test; "" is all of it. The list is
            empty where there is no part for validation or test.
        told: a list that lines about what is left out are appended to.

    Raises:
        DataError: an entry is invalid; the message names file and line.
    """
    names, told, other = names or Names(), [] if told is None else told, part in ("validation", "test")
    if isinstance(source, Sequence) and not isinstance(source, str):
        if not all(isinstance(one, Utterance) for one in source):
            raise DataError("a list of recordings must hold Utterance objects only; or give the path of a manifest")
        utterances = [] if other else [replace(one, text=mended(one.text)) for one in source]
    else:
        path = named_path(source)
        if not path.exists():
            raise DataError(f"{path} does not exist: name a manifest, or a folder of recordings")
        utterances = _read(path, names, part, told)
    if not utterances and not other:
        raise DataError(f"{source} lists no recordings")
    return utterances


def digest(utterances: list[Utterance]) -> str:
    """The sha256 of a manifest's entries: file names and sizes, times, transcripts and speakers."""
    found = hashlib.sha256()
    for one in utterances:
        size = one.path.stat().st_size if one.path.is_file() else -1
        found.update(f"{one.path.name}\0{size}\0{one.start}\0{one.end}\0{one.text}\0{one.speaker}\n".encode())
    return found.hexdigest()


def _read(path: Path, names: Names, part: Part, told: list[str]) -> list[Utterance]:
    if path.is_dir():
        return list(read_folder(path, names, part, told))
    suffix = Path(path.name.removesuffix(".gz")).suffix.lower()
    if suffix not in READERS:
        raise DataError(f"{path} is not a manifest: expected a folder, or a file that ends in {', '.join(READERS)}")
    return list(READERS[suffix](path, names)) if part in ("", "train") else []
