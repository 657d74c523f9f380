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
    example="gruworks transcribe fit recordings --minutes 3 --out runs/vowels",
    upload="recordings.zip",
    reads="audio",
    result="On {held_out_recordings} held-out recordings {held_out_wer:.1%} of the words are wrong "
    "({held_out_wer_interval[0]:.1%} to {held_out_wer_interval[1]:.1%} with 95 % confidence).",
)
