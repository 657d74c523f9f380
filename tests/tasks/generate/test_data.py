"""Splits, rows and bundles: what a batch holds, and that it is a function of the seed, the epoch and the index."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
import torch

from gruworks import Generator
from gruworks.data.text import Document
from gruworks.data.vocabulary import BEGIN, END, TITLE
from gruworks.errors import TooShortError
from gruworks.tasks.generate.config import Config
from gruworks.tasks.generate.data import Bundles, CarriedRows, Codec, differs, divide
from tests.tasks.generate.conftest import TINY, poems, prose


def rows(text: str, held: str = "", **settings: Any) -> CarriedRows:
    config = Config.from_flat({"sequence": 8, "batch_size": 3, "validate_every": 5} | settings)
    return CarriedRows(Codec.of([Document(text)], config), [Document(text)], [Document(held)] if held else [], config)


def test_blocks_over_a_text_or_documents_at_even_distances_are_held_out() -> None:
    config = Config(validation=0.25)
    assert divide([Document("abcdefgh")], config) == ([Document("abcfgh")], [Document("de")])
    many = [Document(str(i)) for i in range(20)]
    assert divide(many, config) == ([d for i, d in enumerate(many) if i % 4 != 2], many[2::4])
    assert divide([Document("abcdefgh")], config, spread=False) == ([Document("abcdef")], [Document("gh")])
    assert divide(many, config, spread=False) == (many[:15], many[15:])


def test_blocks_lie_in_every_tenth_of_a_text_and_begin_with_a_line() -> None:
    lines = [f"line {i:05}\n" for i in range(10_000)]
    ((learnt,), (held,)) = divide([Document("".join(lines))], Config(validation=0.1))
    rows = held.text.splitlines(keepends=True)
    assert sorted(learnt.text.splitlines(keepends=True) + rows) == lines
    assert {int(row[5:]) // 1000 for row in rows} == set(range(10))
    assert len(held.text) == pytest.approx(0.1 * 110_000, rel=0.02)


def test_a_text_too_short_to_divide_is_refused() -> None:
    with pytest.raises(TooShortError, match="1 tokens to learn from are not more than one window"):
        Generator(**TINY).fit([Document("a")])


def test_a_validation_part_unlike_the_rest_is_told() -> None:
    codec = Codec.of([Document("abcd" * 100)], Config())
    assert differs(codec, [Document("abdc" * 10)]) == ""
    assert "differs from the rest" in differs(codec, [Document("a?b!" * 10)])


def test_lanes_go_on_where_the_last_batch_ended() -> None:
    text = rows(prose(), restart=0.0)
    first, second = text.draw(0, 0), text.draw(0, 1)
    assert first["tokens"].shape == (8, 3)
    assert torch.equal(first["tokens"][1:], first["targets"][:-1])
    assert torch.equal(first["targets"][-1], second["tokens"][0])
    assert not first["keep"].any()
    assert second["keep"].all()


def test_batches_depend_on_seed_epoch_and_index_alone() -> None:
    one, other = rows(prose()), rows(prose())
    for place in ((3, 2), (0, 0), (1, 4)):
        for name, value in one.draw(*place).items():
            assert torch.equal(value, other.draw(*place)[name])
    assert torch.equal(one.draw(1, 0)["tokens"], one.draw(0, 5)["tokens"])
    assert not torch.equal(one.draw(0, 0)["tokens"], rows(prose(), seed=1).draw(0, 0)["tokens"])


def test_every_pass_reads_the_text_once_and_begins_elsewhere() -> None:
    text = rows(prose(), restart=0.0)
    passes = [
        torch.cat([text.draw(0, part * text.steps + place)["tokens"] for place in range(text.steps)]) for part in (0, 1)
    ]
    assert not torch.equal(passes[0], passes[1])
    for one in passes:
        seen = numpy.bincount(one.flatten().numpy(), minlength=40)
        there = numpy.bincount(text.ids, minlength=40)
        assert (seen <= there).all()
        assert there.sum() - seen.sum() < text.B * (text.T + 1)


def test_some_lanes_start_empty_at_every_step() -> None:
    text = rows(prose(400), restart=0.3)
    kept = torch.stack([text.draw(0, place)["keep"] for place in range(1, text.steps)]).float()
    assert float(kept.mean()) == pytest.approx(0.7, abs=0.1)


def test_a_short_text_has_fewer_lanes_and_one_below_a_window_is_refused() -> None:
    assert rows("abcdefghi" * 2).B == 2
    with pytest.raises(TooShortError, match="8 tokens to learn from are not more than one window of 8"):
        rows("abcdefgh")


def test_validation_reads_every_held_out_symbol_once() -> None:
    held = prose(40)
    text = rows(prose(), held)
    batches = text.validation()
    targets = torch.cat([one["targets"] for one in batches]).t()
    kept = targets[targets >= 0].numpy()
    assert kept.tolist() == text.held_out[1:].tolist()
    assert len({one["tokens"].shape[1] for one in batches}) == 1


def test_nothing_held_out_is_refused() -> None:
    with pytest.raises(TooShortError, match="nothing is held out"):
        rows(prose()).validation()


def test_short_documents_are_read_apart_and_long_ones_joined() -> None:
    config = Config(sequence=16)
    assert Codec.of(poems(), config).apart
    assert not Codec.of([Document(prose())] * 9, config).apart
    assert not Codec.of(poems(), Config(documents="joined")).apart
    assert Codec.of(poems(), Config(documents="joined")).stream(poems()).tolist().count(END) == 40


def test_a_document_read_apart_stands_between_its_marks() -> None:
    codec = Codec.of(poems(), Config(sequence=16))
    ids, text = codec.encode(Document("春山\n", "秋冬"))
    assert (ids[0], ids[3], ids[-1], text) == (BEGIN, TITLE, END, 4)
    assert codec.vocabulary.decode(ids[text:]) == "春山\n"
    assert codec.encode(Document("春", "秋"), titled=False)[0].tolist() == [BEGIN, *codec.vocabulary.encode("春"), END]


def test_bundles_pad_with_what_is_no_target() -> None:
    config = Config.from_flat({"sequence": 16, "batch_size": 4, "validate_every": 5})
    documents = poems(12)
    bundles = Bundles(Codec.of(documents, config), documents, documents[:5], config)
    batch = bundles.draw(0, 1)
    assert not batch["keep"].any()
    for row in range(4):
        target = batch["targets"][:, row]
        assert int((target >= 0).sum()) == 25
        assert int(target[target >= 0][-1]) == END
    assert {int((bundles.draw(0, i)["tokens"] == TITLE).any(0).sum()) for i in range(3)} != {0}
    assert sum(int((one["targets"] >= 0).sum()) for one in bundles.validation()) == 5 * 25
    assert all(
        torch.equal(bundles.draw(2, 1)[name], Bundles(bundles.codec, documents, [], config).draw(2, 1)[name])
        for name in batch
    )
    with pytest.raises(TooShortError, match="none of 12 documents is held out"):
        Bundles(bundles.codec, documents, [], config).validation()
