"""Variations: what they change, and that nothing of them is left where they are off."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest
import soundfile

from gruworks.errors import DataError
from gruworks.tasks.transcribe.augmentation import (
    add_noise,
    change_speed,
    mask_features,
    read_noise,
    stretch,
    vary_features,
    vary_frames,
    vary_samples,
    warp_bands,
)
from gruworks.tasks.transcribe.config import Augmentation
from tests.tasks.transcribe.conftest import say

OFF = Augmentation(speed=0.0, gain=0.0, noise=None, band_masks=0, time_masks=0)


def test_speed_changes_length_and_pitch() -> None:
    t = numpy.arange(8000) / 8000
    fast = change_speed(numpy.sin(2 * numpy.pi * 400 * t).astype(numpy.float32), 1.25)
    assert len(fast) == pytest.approx(6400, abs=2)
    assert numpy.abs(numpy.fft.rfft(fast)).argmax() * 8000 / len(fast) == pytest.approx(500, abs=3)


def test_noise_has_the_power_that_is_asked_for() -> None:
    samples = say("abba")
    noise = add_noise(samples, 10.0, numpy.random.default_rng(0)) - samples
    assert 10 * numpy.log10((samples**2).mean() / (noise**2).mean()) == pytest.approx(10, abs=0.2)
    silent = numpy.zeros(100, numpy.float32)
    assert not add_noise(silent, 10.0, numpy.random.default_rng(0)).any()


def test_noise_may_be_cut_from_recordings(tmp_path: Path) -> None:
    hum = numpy.sin(2 * numpy.pi * 50 * numpy.arange(1600) / 8000).astype(numpy.float32)
    soundfile.write(tmp_path / "hum.wav", hum, 8000, subtype="FLOAT")
    soundfile.write(tmp_path / "silence.wav", numpy.zeros(800), 8000)
    recorded = read_noise(str(tmp_path), 8000)
    assert len(recorded) == 1
    samples = say("abba")
    noise = add_noise(samples, 0.0, numpy.random.default_rng(0), recorded) - samples
    assert numpy.abs(numpy.fft.rfft(noise)).argmax() * 8000 / len(noise) == pytest.approx(50, abs=2)
    assert 10 * numpy.log10((samples**2).mean() / (noise**2).mean()) == pytest.approx(0, abs=0.2)
    assert read_noise(None, 8000) == []


def test_a_folder_without_noise_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no recording with sound"):
        read_noise(str(tmp_path / "nowhere"), 8000)


def test_another_throat_moves_the_bands() -> None:
    frames = numpy.zeros((2, 40), numpy.float32)
    frames[:, 20] = 1
    assert warp_bands(frames, 1.25)[0].argmax() == 25
    assert warp_bands(frames, 0.8)[0].argmax() == 16
    assert numpy.array_equal(warp_bands(frames, 1.0), frames)


def test_tempo_and_throat_vary_frames() -> None:
    frames = numpy.random.default_rng(0).normal(size=(100, 16)).astype(numpy.float32)
    slow = vary_frames(frames, Augmentation(tempo=0.3), numpy.random.default_rng(1))
    assert len(slow) != 100
    assert slow[0] == pytest.approx(frames[0])
    warped = vary_frames(frames, Augmentation(warp=0.2), numpy.random.default_rng(1))
    assert warped.shape == frames.shape
    assert not numpy.array_equal(warped, frames)
    assert vary_frames(frames, OFF, numpy.random.default_rng(1)) is frames


def test_frames_are_stretched_between_their_ends() -> None:
    frames = numpy.arange(10.0, dtype=numpy.float32)[:, None]
    assert stretch(frames, 2.0)[:, 0] == pytest.approx([0, 2.25, 4.5, 6.75, 9])
    assert stretch(frames, 1.0) == pytest.approx(frames)
    assert len(stretch(frames[:1], 3.0)) == 1


def test_masks_blank_whole_bands_and_times() -> None:
    frames = numpy.ones((40, 20), numpy.float32)
    how = Augmentation(band_masks=1, band_share=0.5, time_masks=0)
    masked = [mask_features(frames, how, numpy.random.default_rng(seed)) for seed in range(20)]
    assert all((one == one[0]).all() for one in masked)
    assert max((one[0] == 0).sum() for one in masked) > 5
    assert max((one[0] == 0).sum() for one in masked) <= 10
    how = Augmentation(band_masks=0, time_masks=2, time_share=0.1)
    masked = [mask_features(frames, how, numpy.random.default_rng(seed)) for seed in range(20)]
    assert all((one.T[0] == one.T).all() for one in masked)
    assert 4 < max((one[:, 0] == 0).sum() for one in masked) <= 8
    assert frames.all()


def test_the_same_draw_gives_the_same_and_off_is_off() -> None:
    samples, on = say("abba"), Augmentation(noise=10.0)
    first, second = (vary_samples(samples, on, numpy.random.default_rng(5)) for _ in range(2))
    assert numpy.array_equal(first, second)
    assert len(first) != len(samples)
    frames = samples[:400].reshape(40, 10)
    assert vary_samples(samples, OFF, numpy.random.default_rng(5)) is samples
    assert vary_features(frames, OFF, numpy.random.default_rng(5)) is frames
    assert numpy.array_equal(mask_features(frames, OFF, numpy.random.default_rng(5)), frames)
