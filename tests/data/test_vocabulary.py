"""Vocabularies: there and back for characters, bytes and subwords."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gruworks.data.vocabulary import SPECIALS, UNKNOWN, Token, Vocabulary
from gruworks.errors import DataError

TEXT = "the cat sat on the mat, 红楼梦 the cat sat\n" * 3
TOKENS: list[Token] = ["character", "byte", "subword"]


@pytest.mark.parametrize("token", TOKENS)
def test_there_and_back(token: Token) -> None:
    vocabulary = Vocabulary.of([TEXT], token, size=300)
    again = Vocabulary.from_dict(vocabulary.to_dict())
    for one in (vocabulary, again):
        ids = one.encode(TEXT)
        assert one.decode(ids) == TEXT
        assert (
            sum(one.counts) == len(ids) == sum(one.counts[number] > 0 and (ids == number).sum() for number in set(ids))
        )
    assert vocabulary.symbols[: len(SPECIALS)] == SPECIALS
    assert vocabulary.decode([0, 1, 2, 3]) == ""


@given(st.text())
def test_bytes_know_every_text(text: str) -> None:
    vocabulary = Vocabulary.of([""], "byte")
    assert vocabulary.decode(vocabulary.encode(text)) == text


def test_subwords_are_fewer_than_characters_and_know_every_text() -> None:
    vocabulary = Vocabulary.of([TEXT], "subword", size=320)
    assert len(vocabulary) <= 320
    assert len(vocabulary.encode(TEXT)) < len(TEXT) / 2
    assert vocabulary.decode(vocabulary.encode("ünknown 字")) == "ünknown 字"
    assert vocabulary.unknown("ünknown") == ""


def test_characters_stand_by_count_and_rare_ones_are_unknown() -> None:
    vocabulary = Vocabulary.of(["aab", "bac"], min_count=2)
    assert vocabulary.symbols[4:] == ("a", "b")
    assert vocabulary.counts == (1, 0, 0, 0, 3, 2)
    assert vocabulary.encode("cab!").tolist() == [UNKNOWN, 4, 5, UNKNOWN]
    assert vocabulary.unknown("c!ab!") == "c!"


def test_a_text_of_rare_characters_alone_is_refused() -> None:
    with pytest.raises(DataError, match="no character occurs 2 times or more in the text of 3 characters: lower"):
        Vocabulary.of(["abc"], min_count=2)


def test_bytes_that_are_no_text_become_a_mark() -> None:
    assert Vocabulary.of([""], "byte").decode([4 + 0xE7]) == "�"
