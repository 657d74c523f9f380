"""Frames: the same bit for bit however the samples are cut; feature files; mean and variance."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gruworks.errors import DataError
from gruworks.tasks.transcribe.features import (
    PRIOR,
    FilterBank,
    Moments,
    Normaliser,
    RunningMean,
    centred,
    filter_bank,
    read_features,
)
from tests.tasks.transcribe.conftest import TONES, say


@given(st.lists(st.integers(0, 2000), max_size=10))
def test_online_is_offline_bit_for_bit(cuts: list[int]) -> None:
    samples = say("bad", 1)
    whole, bank, frames, at = filter_bank(samples, 8000, 23), FilterBank(8000, 23), [], 0
    for count in [*cuts, len(samples)]:
        frames.append(bank.accept(samples[at : at + count]))
        at += count
    assert numpy.array_equal(numpy.concatenate(frames), whole)
    assert len(whole) == 1 + (len(samples) - 200) // 80


def test_a_tone_stands_in_its_band() -> None:
    t = numpy.arange(8000) / 8000
    loudest = [
        int(filter_bank(numpy.sin(2 * numpy.pi * tone * t).astype(numpy.float32), 8000, 40).mean(0).argmax())
        for tone in TONES.values()
    ]
    assert loudest == sorted(set(loudest))


def test_feature_files_of_both_byte_orders(tmp_path: Path) -> None:
    frames = numpy.random.default_rng(0).normal(size=(7, 13)).astype(numpy.float32)
    for order in (">", "<"):
        head = numpy.array([frames.size], f"{order}i4").tobytes()
        (tmp_path / "a.mfc").write_bytes(head + frames.astype(f"{order}f4").tobytes())
        assert numpy.array_equal(read_features(tmp_path / "a.mfc", 13), frames)
    numpy.save(tmp_path / "a.npy", frames)
    assert numpy.array_equal(read_features(tmp_path / "a.npy", 13), frames)


def test_feature_files_that_can_not_be(tmp_path: Path) -> None:
    frames = numpy.zeros((4, 13), numpy.float32)
    (tmp_path / "short.mfc").write_bytes(numpy.array([52], ">i4").tobytes() + frames.tobytes()[:-4])
    (tmp_path / "odd.mfc").write_bytes(numpy.array([51], ">i4").tobytes() + frames.tobytes()[:-4])
    (tmp_path / "text.npy").write_text("no array")
    numpy.save(tmp_path / "flat.npy", numpy.zeros(3))
    numpy.save(tmp_path / "none.npy", numpy.zeros((0, 13)))
    frames[2, 1] = numpy.nan
    numpy.save(tmp_path / "nan.npy", frames)
    for name, text in {
        "nan.npy": "frame 2 holds NaN", "none.npy": "no frames", "missing.npy": "does not exist",
        "short.mfc": "bytes that don't fit", "odd.mfc": "frames of 13 numbers", "text.npy": "can't be read as an array",
        "flat.npy": r"expected frames of numbers \[T, F\]",
    }.items():  # fmt: skip
        with pytest.raises(DataError, match=rf"{name.replace('.', chr(92) + '.')}.*{text}"):
            read_features(tmp_path / name, 13)


def test_the_mean_is_0_and_the_variance_1() -> None:
    rng = numpy.random.default_rng(0)
    recordings = [rng.normal(3.0, [1.0, 5.0, 1e-9], (n, 3)).astype(numpy.float32) for n in (50, 70)]
    normaliser = Normaliser.of(map(Moments.of, recordings))
    whole = numpy.concatenate([normaliser(one) for one in recordings])
    assert whole.mean(0) == pytest.approx(numpy.zeros(3), abs=1e-4)
    assert whole[:, :2].std(0) == pytest.approx(numpy.ones(2), abs=1e-4)
    assert numpy.isfinite(whole).all()


@given(st.lists(st.integers(0, 40), max_size=6))
def test_a_running_mean_does_not_depend_on_the_cuts(cuts: list[int]) -> None:
    frames = numpy.random.default_rng(0).normal(2.0, 1.0, (100, 3)).astype(numpy.float32)
    whole, level, parts, at = RunningMean(3)(frames), RunningMean(3), [], 0
    for count in [*cuts, len(frames)]:
        parts.append(level(frames[at : at + count]))
        at += count
    assert numpy.array_equal(numpy.concatenate(parts), whole)


def test_a_recording_loses_its_own_level() -> None:
    frames = numpy.random.default_rng(0).normal(size=(5000, 3)).astype(numpy.float32)
    shifted = frames + numpy.float32([3, -2, 0])
    assert centred(shifted) == pytest.approx(centred(frames), abs=3 * PRIOR / 5000 + 1e-4)
    assert RunningMean(3)(shifted)[3000:] == pytest.approx(RunningMean(3)(frames)[3000:], abs=0.2)
    assert centred(frames[:1] + 3)[0] == pytest.approx((frames[0] + 3) * PRIOR / (1 + PRIOR))
