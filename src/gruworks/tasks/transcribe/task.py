"""Description of speech recognition."""

from __future__ import annotations

from gruworks.tasks.description import Task

__all__ = ["TASK"]

TASK = Task(
    name="transcribe",
    package=__package__,
    estimator="Transcriber",
    purpose="Speech recognition: from recordings with transcripts to text, also live.",
    data="MANIFEST",
    verb="run",
    method="transcribe",
    example="gruworks transcribe fit manifest.jsonl",
    reads="audio",
)
