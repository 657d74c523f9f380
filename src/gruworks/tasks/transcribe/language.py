"""N-gram language models for decoding: learned from transcripts, or read from ARPA files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gruworks.errors import DataError, OptionError
from gruworks.ops.ctc.lexicon import Language
from gruworks.ops.language_model.arpa import WordGrams, read_arpa, write_arpa
from gruworks.ops.language_model.backoff import Backoff
from gruworks.ops.language_model.kneser_ney import KneserNey
from gruworks.tasks.transcribe.alphabet import Alphabet, tidy

__all__ = ["learn_language", "read_language", "write_language"]


def learn_language(texts: Sequence[str], alphabet: Alphabet, order: int) -> Language:
    """Learn a modified Kneser-Ney model of `texts`.

    Its units are words for an alphabet of characters, else token numbers as strings.

    Args:
        texts: transcripts, each ended by an end-of-sentence symbol.
        alphabet: the output tokens of the network.
        order: largest n of the n-grams.
    """
    words = alphabet.token == "character"
    rows = [text.split() if words else [str(n) for n in alphabet.encode(text)] for text in texts]
    numbers = {word: number for number, word in enumerate(sorted({word for row in rows for word in row}))}
    end, unknown = len(numbers), len(numbers) + 1
    documents = [[*(numbers[word] for word in row), end] for row in rows]
    model = KneserNey(documents, len(numbers) + 2, order, modified=True)
    return _language(Backoff.of(model), numbers, end, unknown)


def _language(model: Backoff, numbers: dict[str, int], end: int, unknown: int) -> Language:
    return Language(model, numbers, (model.begin,), end, unknown, model.order)


def read_language(path: Path, alphabet: Alphabet, lower: bool) -> Language:
    """Read an ARPA file, keeping the words that `alphabet` can spell; in lower case if `lower`.

    Raises:
        DataError: not an ARPA file, or none of its words can be spelled.
        OptionError: an alphabet of subwords.
    """
    if alphabet.token == "subword":
        raise OptionError("an ARPA file lists words, and a model with token=subword needs n-grams of subwords")
    grams = read_arpa(path)
    words = {tidy(word, lower): number for word, number in grams.numbers.items()}
    numbers = {word: number for word, number in words.items() if word and not alphabet.unseen(word)}
    if not numbers:
        raise DataError(f"{path} lists {len(words)} words, none of which this model can spell")
    if alphabet.token == "word":
        numbers = {str(alphabet.numbers[word]): number for word, number in numbers.items()}
    return _language(grams.model, numbers, grams.end, grams.unknown)


def write_language(path: Path, language: Language, alphabet: Alphabet) -> None:
    """Write a language model as an ARPA file."""
    assert isinstance(language.model, Backoff)
    names = dict(language.numbers)
    if alphabet.token != "character":
        names = {alphabet.symbols[int(symbol) - 1]: n for symbol, n in language.numbers.items()}
    write_arpa(path, WordGrams(language.model, names, language.end, language.unknown))
