"""The language model of the transcripts as a search asks it, and those of ARPA files."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest

from gruworks.errors import DataError, OptionError
from gruworks.ops.language_model.kneser_ney import KneserNey
from gruworks.tasks.transcribe.alphabet import Alphabet
from gruworks.tasks.transcribe.language import learn_language, read_language, write_language

TEXTS = ["go left", "go right", "go left now", "stop"]


@pytest.mark.parametrize("token", ["character", "word"])
def test_it_is_kneser_ney_over_words(token: str) -> None:
    alphabet = Alphabet.of(TEXTS, token)
    language = learn_language(TEXTS, alphabet, 3)
    assert language.order == 3
    names = [word if token == "character" else str(alphabet.numbers[word]) for word in ("go", "left", "right", "stop")]
    go, left, right, stop = (language.numbers[name] for name in names)
    start = numpy.exp(language.model.log_probabilities(language.start))
    assert start.sum() == pytest.approx(1)
    assert start[go] > start[stop] > start[left]
    after = numpy.exp(language.model.log_probabilities(language.after(language.start, go)))
    assert after[left] > after[right] > after[language.unknown] > 0
    assert after.argmax() == left


def test_its_probabilities_are_the_model_s() -> None:
    language = learn_language(TEXTS, Alphabet.of(TEXTS, "character"), 2)
    numbers, end = language.numbers, language.end
    model = KneserNey([[*(numbers[word] for word in text.split()), end] for text in TEXTS], len(numbers) + 2, 2, True)
    context, total = language.start, 0.0
    for number in [numbers["go"], numbers["left"], end]:
        total += language.model.log_probabilities(context)[number]
        context = language.after(context, number)
    assert total == pytest.approx(model.score([numbers["go"], numbers["left"], end]).sum())


@pytest.mark.parametrize("token", ["character", "word"])
def test_an_arpa_file_gives_the_same_opinion(token: str, tmp_path: Path) -> None:
    alphabet = Alphabet.of(TEXTS, token)
    language = learn_language(TEXTS, alphabet, 3)
    write_language(tmp_path / "a.arpa", language, alphabet)
    found = read_language(tmp_path / "a.arpa", alphabet, lower=True)
    assert set(found.numbers) == set(language.numbers)
    for context in ((), ("go",), ("go", "left")):
        rows = []
        for one in (language, found):
            state = one.start
            for word in context:
                state = one.after(state, one.numbers[word if token == "character" else str(alphabet.numbers[word])])
            told = one.model.log_probabilities(state)
            rows.append([told[one.numbers[word]] for word in sorted(language.numbers)] + [told[one.end]])
        assert rows[0] == pytest.approx(rows[1], abs=1e-6)


def test_words_that_can_not_be_written_are_left_out(tmp_path: Path) -> None:
    many = ["GO left", "go süd"]
    alphabet = Alphabet.of(many, "character")
    write_language(tmp_path / "a.arpa", learn_language(many, alphabet, 2), alphabet)
    found = read_language(tmp_path / "a.arpa", Alphabet.of(["go left"], "character"), lower=True)
    assert set(found.numbers) == {"go", "left"}
    with pytest.raises(DataError, match="lists 3 words, none of which"):
        read_language(tmp_path / "a.arpa", Alphabet.of(["x"], "character"), lower=True)
    with pytest.raises(OptionError, match="token=subword"):
        read_language(tmp_path / "a.arpa", Alphabet.of(["go left"], "subword", 8), lower=True)
