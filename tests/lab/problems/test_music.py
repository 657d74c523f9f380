"""Piano rolls: read with checks, cut without losing or doubling a predicted step, batched by length."""

from __future__ import annotations

import math
from pathlib import Path

import numpy
import pytest
import scipy.io
import torch

from gruworks.errors import DataError, OptionError
from gruworks.lab.problems.music import NOTES, batches, draws, load, log_odds, moved


def pieces(*lengths: int) -> list[numpy.ndarray]:
    """Rolls in which every step's notes differ from every other's: its number in binary."""
    numbers = iter(range(1, 10_000))
    rolls = []
    for length in lengths:
        rolls.append(
            numpy.array(
                [[(n >> bit) & 1 for bit in range(NOTES)] for _, n in zip(range(length), numbers, strict=False)]
            )
        )
    return [roll.astype(numpy.uint8) for roll in rolls]


def numbers(rolls: torch.Tensor) -> list[int]:
    return [int(sum(int(value) << bit for bit, value in enumerate(row))) for row in rolls.reshape(-1, NOTES)]


def put(folder: Path, **parts: list[numpy.ndarray]) -> None:
    held = {}
    for name, rolls in parts.items():
        held[name] = numpy.empty((1, len(rolls)), object)
        held[name][0, :] = rolls
    (folder / "music").mkdir()
    for name in ("JSB_Chorales", "Nottingham", "MuseData", "Piano_midi"):
        scipy.io.savemat(folder / "music" / f"{name}.mat", held)


def test_a_set_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRUWORKS_DATA", str(tmp_path))
    put(tmp_path, traindata=pieces(5, 3), validdata=pieces(4, 2), testdata=pieces(2, 6))
    read = load("jsb")
    assert [len(part) for part in read] == [2, 2, 2]
    assert (read.train[1] == pieces(5, 3)[1]).all()


def test_what_is_no_set_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRUWORKS_DATA", str(tmp_path))
    with pytest.raises(OptionError, match="there is: jsb, nottingham"):
        load("bach")
    with pytest.raises(DataError, match="data fetch music"):
        load("jsb")
    put(tmp_path, traindata=pieces(5, 3))
    with pytest.raises(DataError, match=r"JSB_Chorales\.mat is not a set of piano rolls"):
        load("jsb")
    for path in (tmp_path / "music").iterdir():
        path.unlink()
    (tmp_path / "music").rmdir()
    put(tmp_path, traindata=pieces(5, 3), validdata=[7 * piece for piece in pieces(4, 2)], testdata=pieces(2, 6))
    with pytest.raises(DataError, match="of 0 and 1"):
        load("jsb")


def test_whole_pieces_are_asked_at_every_step_but_the_first() -> None:
    made = batches(pieces(5, 1, 3, 9), rows=2)
    assert [list(batch.x.shape[:2]) for batch in made] == [[4, 2], [8, 1]]
    first, second = made
    assert first.asked.sum(0).tolist() == [2, 4]
    assert numbers(second.y) == [number + 1 for number in numbers(second.x)] == list(range(11, 19))
    assert not first.x[3:, 0].any()


def test_a_pass_asks_every_step_once() -> None:
    rolls = pieces(30, 7, 12, 25)
    everything = sorted(number for roll in rolls for number in numbers(torch.from_numpy(roll[1:])))
    draw = draws(rolls, rows=1, steps=8, per_epoch=3, seed=0)
    seen: list[int] = []
    lengths = set()
    while len(seen) < 60:
        batch = draw(0, len(lengths))
        lengths.add(len(lengths))
        assert len(batch.x) <= 8
        seen += numbers(batch.y)
    assert len(set(seen)) == len(seen)
    assert set(seen) <= set(everything)


def test_batches_follow_from_epoch_and_index_alone_and_passes_differ() -> None:
    rolls = pieces(30, 7, 12, 25)
    one, other = (draws(rolls, rows=2, steps=8, per_epoch=3, seed=1) for _ in range(2))
    late = other(3, 1)
    early = one(0, 0)
    assert torch.equal(one(3, 1).x, late.x)
    assert torch.equal(one(0, 0).x, early.x)
    firsts = {tuple(numbers(draws(rolls, 2, 8, 3, seed)(epoch, 0).y)) for seed in (1, 2) for epoch in (0, 4)}
    assert len(firsts) > 1
    with pytest.raises(OptionError, match="don't fill one batch of 50"):
        draws(rolls, rows=50, steps=8, per_epoch=1, seed=0)


def test_the_odds_are_those_of_the_notes() -> None:
    roll = numpy.zeros((8, NOTES), numpy.uint8)
    roll[:2, 5] = 1
    odds = log_odds([roll, roll])
    assert odds[5] == pytest.approx(math.log(4 / 12))
    assert odds[0] == pytest.approx(math.log(0.5 / 15.5))


def test_a_piece_is_moved_as_a_whole_and_never_beyond_the_keyboard() -> None:
    piece = numpy.zeros((3, NOTES), numpy.uint8)
    piece[0, 5] = piece[1, 40] = piece[2, 86] = 1
    for semitones, by in ((1, 1), (5, 1), (-3, -3), (-9, -5), (0, 0)):
        assert numpy.argwhere(moved(piece, semitones)).tolist() == [[0, 5 + by], [1, 40 + by], [2, 86 + by]]
    assert not moved(numpy.zeros((2, NOTES), numpy.uint8), 4).any()


def test_pieces_are_moved_anew_in_every_pass() -> None:
    piece = numpy.zeros((4, NOTES), numpy.uint8)
    piece[:, 40] = 1
    draw = draws([piece] * 2, rows=2, steps=9, per_epoch=30, seed=0, transpose=2)
    found = {tuple(draw(0, i).y.nonzero()[:, 1].unique().tolist()) for i in range(30)}
    assert {note for notes in found for note in notes} == {38, 39, 40, 41, 42}
