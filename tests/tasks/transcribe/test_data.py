"""Batches: the order as a function of seed, epoch and index; whole speakers held out; what CTC can fit."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy
import pytest
import torch

from gruworks.errors import DataError, OptionError
from gruworks.tasks.transcribe.config import Config
from gruworks.tasks.transcribe.data import common_rate, content_of, prepare, speakers_of, split, unfit
from gruworks.tasks.transcribe.manifest import Utterance, read_manifest
from tests.tasks.transcribe.conftest import SMALL, write

CONFIG = Config.from_flat(SMALL | {"batch_size": 4, "validate_every": 3})


@pytest.fixture(scope="module")
def some(tmp_path_factory: pytest.TempPathFactory) -> list[Utterance]:
    return read_manifest(write(tmp_path_factory.mktemp("some"), range(20)))


def test_each_recording_comes_once_before_any_comes_again(some: list[Utterance]) -> None:
    _, train, held, _ = prepare(some, CONFIG)
    assert (len(train), len(held)) == (18, 2)
    batches = [train.draw(step // 3, step % 3) for step in range(10)]
    for first in (0, 5):
        shown = Counter(
            tuple(length) for one in batches[first : first + 5] for length in one["lengths"][:, None].tolist()
        )
        assert shown == Counter((example.length,) for example in train.examples)
    lengths = [int(one["lengths"].max()) for one in batches[:5]]
    assert lengths == sorted(lengths)
    again = train.draw(2, 1)
    assert all(torch.equal(again[name], batches[7][name]) for name in again)


def test_batches_hold_what_was_said(some: list[Utterance]) -> None:
    codec, train, held, _ = prepare(some, CONFIG)
    for batch in [train.draw(0, 0), *held.whole()]:
        texts = torch.split(batch["symbols"], batch["counts"].tolist())
        assert {codec.alphabet.decode(text.tolist()) for text in texts} <= {one.text for one in some}
        beyond = torch.arange(batch["features"].shape[1]) >= batch["lengths"][:, None]
        assert not batch["features"][beyond].any()
    assert codec.rate == 8000
    assert codec.inputs == SMALL["bands"]


def test_what_is_varied_too_fast_for_its_text_is_learnt_as_it_was(some: list[Utterance]) -> None:
    long = [replace(one, text="abcd" * 3) for one in some[:8]]
    config = Config.from_flat(SMALL | {"batch_size": 4, "speed": 0.5})
    _, train, _, remarks = prepare(long, config)
    assert len(remarks) == 1
    assert "fewer than 4 speakers are known" in remarks[0]
    for index in range(8):
        batch = train.draw(0, index)
        for frames, count in zip(batch["lengths"].tolist(), batch["counts"].tolist(), strict=True):
            assert -(-frames // 2) >= count


def test_whole_speakers_are_held_out() -> None:
    said = [Utterance(Path(f"{i}.wav"), "a", f"s{i % 5}", "") for i in range(50)]
    train, held = split(said, 0.2, 0)
    assert len(held) == 10
    assert not {one.speaker for one in train} & {one.speaker for one in held}
    assert split(said, 0.2, 0) == (train, held)
    assert split(said, 0.2, 1) != (train, held)


def test_few_or_unknown_speakers_are_split_by_recording() -> None:
    for speakers in (["a", "b", "c"], [None, "b", "c", "d"]):
        said = [Utterance(Path(f"{i}.wav"), "a", speakers[i % len(speakers)], "") for i in range(40)]
        train, held = split(said, 0.1, 0)
        assert (len(train), len(held)) == (36, 4)


def test_what_ctc_can_fit() -> None:
    config = Config(strides=(2, 2))
    assert unfit([1, 2, 3], 12, config) is None
    assert unfit([1, 2, 3], 9, config) is None
    assert "8 frames make 2 steps; the transcript needs 3" in str(unfit([1, 2, 3], 8, config))
    assert "the transcript needs 5" in str(unfit([1, 1, 1], 16, config))
    assert "empty" in str(unfit([], 100, config))


def test_noise_is_cut_from_a_folder_and_needs_its_decibels(some: list[Utterance], tmp_path: Path) -> None:
    write(tmp_path / "noise", range(60, 62))
    settings = SMALL | {"batch_size": 4, "noise_from": str(tmp_path / "noise")}
    with pytest.raises(OptionError, match="noise_from needs"):
        prepare(some, Config.from_flat(settings))
    noisy, quiet = (
        prepare(some, Config.from_flat(settings | more))[1].draw(0, 0)["features"]
        for more in ({"noise": 0.0}, {"noise_from": None})
    )
    assert noisy.shape == quiet.shape
    assert (noisy > quiet + 0.1).float().mean() > 0.3


def test_features_can_not_be_varied_as_sound(some: list[Utterance], tmp_path: Path) -> None:
    for number, one in enumerate(some):
        numpy.save(tmp_path / f"{number}.npy", numpy.zeros((60, 13)))
        (tmp_path / f"{number}.txt").write_text(one.text)
    with pytest.raises(OptionError, match="this manifest names features"):
        prepare(read_manifest(tmp_path), Config.from_flat(SMALL | {"noise": 10.0}))


def test_audio_and_features_do_not_mix(some: list[Utterance]) -> None:
    odd = replace(some[0], path=Path("x.mfc"))
    with pytest.raises(DataError, match="audio and feature files in one manifest"):
        common_rate([*some, odd])
    with pytest.raises(DataError, match=r"expected audio as in the fit, got features \(x\.mfc\)"):
        content_of(odd, 8000, CONFIG)


def test_the_rate_is_the_recordings_own_or_the_one_wished(some: list[Utterance]) -> None:
    assert common_rate(some) == 8000
    assert prepare(some, replace(CONFIG, sample_rate=4000))[0].rate == 4000


NAMED = [(digit, name, i) for digit in ("one", "two", "ten") for name in ("ann", "bob", "cid", "dee") for i in range(5)]


@pytest.mark.parametrize(
    ("form", "known"),
    [("{digit}_{name}_{i}.wav", True), ("{name}-{digit}{i}.wav", True), ("{name}/{digit}{i}.wav", True),
     ("{digit}/{i}{name}.wav", False)],
)  # fmt: skip
def test_speakers_are_told_by_names_of_files_or_folders(form: str, known: bool) -> None:
    said = [Utterance(Path(form.format(digit=d, name=name, i=i)), d, None, "here") for d, name, i in NAMED]
    found, names = speakers_of(said), [name for _, name, _ in NAMED]
    assert found == (names if known else None)
    if known:
        own = dict(zip(said, names, strict=True))
        train, held = split(said, 0.2, 0)
        assert not {own[one] for one in train} & {own[one] for one in held}
        assert {one.text for one in train} == {one.text for one in held} == {"one", "two", "ten"}


def test_a_validation_manifest_is_used_whole(some: list[Utterance]) -> None:
    _, train, held, told = prepare(some[:16], CONFIG, [*some[16:], replace(some[0], text="xyz")])
    assert (len(train), len(held)) == (16, 4)
    assert told == ["left out 1 of 5 recordings to validate on"]
