"""MP3 files whose headers are wrong are read to their own ends."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy
import pytest
import soundfile

from gruworks.errors import DataError
from gruworks.tasks.transcribe import mp3
from gruworks.tasks.transcribe.audio import header, read_audio

RATE = 16_000


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Four seconds of a tone."""
    path = tmp_path_factory.mktemp("mp3") / "a.mp3"
    soundfile.write(path, 0.3 * numpy.sin(numpy.arange(4 * RATE) / RATE * 2 * numpy.pi * 440), RATE)
    return path.read_bytes()


def counted(content: bytes, count: int) -> bytes:
    """The file with another number of frames in its header."""
    at = content.index(b"Xing") + 8
    return content[:at] + struct.pack(">I", count) + content[at + 4 :]


def bare(content: bytes) -> bytes:
    """The file, of several bitrates, without its header frame."""
    found = mp3.frames(content)
    assert len(found.kilobits) > 1
    return content[found.places[0][0] :]


def test_a_right_file_is_left_alone(content: bytes, tmp_path: Path) -> None:
    assert mp3.frames(content).right
    (tmp_path / "a.mp3").write_bytes(b"ID3\x04\0\0\0\0\0\x0a" + bytes(10) + content)
    told: list[str] = []
    assert (len(read_audio(tmp_path / "a.mp3", told=told)), told) == (4 * RATE, [])


@pytest.mark.parametrize("case", ["double", "half", "zero", "none", "cut", "joined"])
def test_a_wrong_count_does_not_matter(
    content: bytes, tmp_path: Path, case: str, capfd: pytest.CaptureFixture[str]
) -> None:
    changed = {
        "double": counted(content, 228), "half": counted(content, 57), "zero": counted(content, 0),
        "none": bare(content), "cut": content[: len(content) // 2], "joined": content + content,
    }[case]  # fmt: skip
    path, told = tmp_path / "a.mp3", list[str]()
    path.write_bytes(changed)
    seconds = {"cut": 2, "joined": 8}.get(case, 4)
    found = read_audio(path, told=told)
    assert len(found) / RATE == pytest.approx(seconds, abs=0.25)
    assert numpy.abs(found[RATE : RATE + 4000]).max() > 0.2
    assert header(path).samples == len(found)
    assert bool(told) is (case != "none")
    assert capfd.readouterr().err == ""


def test_recordings_of_two_rates_are_not_joined(content: bytes, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "b.mp3", numpy.zeros(22_050), 22_050)
    (tmp_path / "c.mp3").write_bytes(content + (tmp_path / "b.mp3").read_bytes())
    with pytest.raises(DataError, match=r"c\.mp3 joins recordings of 16000 Hz and 22050 Hz"):
        read_audio(tmp_path / "c.mp3")
