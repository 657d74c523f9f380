"""Recordings in: every form gives the same samples, whole and in blocks."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest
import soundfile

from gruworks.errors import DataError
from gruworks.tasks.transcribe import audio
from gruworks.tasks.transcribe.audio import blocks, check_rate, check_samples, header, read_audio
from tests.tasks.transcribe.conftest import say


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".mp3"])
def test_every_form_is_read(tmp_path: Path, suffix: str) -> None:
    samples = say("bad cab", 1, 16_000)
    soundfile.write(tmp_path / f"a{suffix}", samples, 16_000)
    found = read_audio(tmp_path / f"a{suffix}")
    assert found.dtype == numpy.float32
    kept = min(len(found), len(samples))
    assert kept >= len(samples) - 1200
    assert numpy.corrcoef(found[:kept], samples[:kept])[0, 1] > 0.97
    assert header(tmp_path / f"a{suffix}").rate == 16_000


def test_blocks_are_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audio, "BLOCK_SECONDS", 1)
    samples = numpy.random.default_rng(0).uniform(-0.5, 0.5, 8000 * 3 + 17).astype(numpy.float32)
    soundfile.write(tmp_path / "a.wav", samples, 8000, subtype="FLOAT")
    parts = list(blocks(tmp_path / "a.wav"))
    assert [len(part) for part in parts] == [8000, 8000, 8000, 17]
    assert numpy.array_equal(numpy.concatenate(parts), samples)
    assert numpy.array_equal(read_audio(tmp_path / "a.wav", None, 0.5, 2.0), samples[4000:16000])


def test_another_rate_keeps_length_and_tone(tmp_path: Path) -> None:
    t = numpy.arange(44_100) / 44_100
    soundfile.write(tmp_path / "a.wav", 0.5 * numpy.sin(2 * numpy.pi * 440 * t), 44_100)
    found = read_audio(tmp_path / "a.wav", 8000)
    assert abs(len(found) - 8000) <= 1
    assert abs(numpy.abs(numpy.fft.rfft(found)).argmax() - 440) <= 1


def test_channels_are_mixed(tmp_path: Path) -> None:
    left, right = numpy.full(100, 0.5), numpy.full(100, 0.25)
    soundfile.write(tmp_path / "a.wav", numpy.stack([left, right], 1), 8000, subtype="FLOAT")
    assert read_audio(tmp_path / "a.wav") == pytest.approx(numpy.full(100, 0.375))
    assert check_samples(numpy.stack([left, right], 1), "here") == pytest.approx(numpy.full(100, 0.375))
    assert check_samples(numpy.full(3, 16384, numpy.int16), "here").tolist() == [0.5] * 3


@pytest.mark.parametrize(("size", "told"), [(0, False), (0xFFFF_FFFF, False), (10**6, True)])
def test_a_wav_is_read_to_its_end_whatever_its_header_says(tmp_path: Path, size: int, told: bool) -> None:
    soundfile.write(tmp_path / "a.wav", say("ab"), 8000)
    content = (tmp_path / "a.wav").read_bytes()
    at, whole, lines = content.index(b"data") + 4, read_audio(tmp_path / "a.wav"), list[str]()
    (tmp_path / "a.wav").write_bytes(content[:at] + size.to_bytes(4, "little") + content[at + 4 :])
    assert numpy.array_equal(read_audio(tmp_path / "a.wav", told=lines), whole)
    assert header(tmp_path / "a.wav").samples == len(whole)
    assert bool(lines) is told


def test_other_formats_are_read_by_ffmpeg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    soundfile.write(tmp_path / "b.wav", say("ab"), 8000)
    (tmp_path / "a.m4a").write_bytes(b"these bytes are none that libsndfile reads")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(DataError, match=r"a\.m4a: reading \.m4a needs ffmpeg, which is not installed: install it"):
        read_audio(tmp_path / "a.m4a")
    program = tmp_path / "bin" / "ffmpeg"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\nfor last; do :; done\n/bin/cp {tmp_path / 'b.wav'} $last\n")
    program.chmod(0o755)
    assert numpy.array_equal(read_audio(tmp_path / "a.m4a"), read_audio(tmp_path / "b.wav"))
    program.write_text("#!/bin/sh\necho moov atom not found >&2\nexit 1\n")
    with pytest.raises(DataError, match=r"a\.m4a can't be read as audio \(ffmpeg: moov atom not found\)"):
        header(tmp_path / "a.m4a")


@pytest.mark.parametrize("rate", [0, -8000, "8000", True, 8000.5, None])
def test_what_is_no_sampling_rate_is_told(rate: object) -> None:
    with pytest.raises(DataError, match="expected the sampling rate of the samples in Hz"):
        check_rate(rate)
    assert check_rate(numpy.int32(8000)) == check_rate(8000.0) == 8000


def test_what_is_no_audio_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_text("these are no samples")
    whole = say("ab")
    soundfile.write(tmp_path / "b.flac", whole, 8000)
    content = (tmp_path / "b.flac").read_bytes()
    (tmp_path / "b.flac").write_bytes(content[: len(content) // 2])
    for name, text in (
        ("a.wav", "can't be read as audio"),
        ("b.flac", "can't be read as audio|ends after"),
        ("c.wav", "not exist"),
    ):
        with pytest.raises(DataError, match=rf"{name[0]}\.\w+ .*({text})"):
            read_audio(tmp_path / name)
    with pytest.raises(DataError, match="is not a file"):
        read_audio(tmp_path)
    with pytest.raises(DataError, match="expected samples"):
        check_samples(numpy.zeros((2, 2, 2)), "here")
