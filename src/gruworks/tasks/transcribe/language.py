"""The language model of the training transcripts: n-grams of words, or of symbols where these are words or pairs."""

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
    """A modified Kneser-Ney model of `texts` up to n-grams of `order`, each text ending in an end symbol.

    Words where the alphabet's tokens are characters, else its symbols by their numbers. A word that never came shares
    what the model leaves to what it has not seen.
    """
    words = alphabet.token == "character"
    rows = [text.split() if words else [str(n) for n in alphabet.encode(text)] for text in texts]
    numbers = {word: number for number, word in enumerate(sorted({word for row in rows for word in row}))}
    end, unknown = len(numbers), len(numbers) + 1
    documents = [[*(numbers[word] for word in row), end] for row in rows]
    model = KneserNey(documents, len(numbers) + 2, order, modified=True)
    return _asked(WordGrams(Backoff.of(model), numbers, end, unknown))


def _asked(grams: WordGrams) -> Language:
    """A model as a search asks it."""
    model = grams.model
    return Language(model, grams.numbers, (model.begin,), grams.end, grams.unknown, model.order)


def read_language(path: Path, alphabet: Alphabet, lower: bool) -> Language:
    """The model of an ARPA file, for the words of it that can be written; in lower case if the transcripts are.

    Raises:
        DataError: no ARPA file, or one that has none of the words that can be written.
        OptionError: an alphabet of byte pairs, which are no words.
    """
    if alphabet.token == "subword":
        raise OptionError("an ARPA file lists words, and a model with token=subword is steered by its byte pairs")
    grams = read_arpa(path)
    words = {tidy(word, lower): number for word, number in grams.numbers.items()}
    numbers = {word: number for word, number in words.items() if word and not alphabet.unseen(word)}
    if not numbers:
        raise DataError(f"{path} lists {len(words)} words, none of which this model can write")
    if alphabet.token == "word":
        numbers = {str(alphabet.numbers[word]): number for word, number in numbers.items()}
    return _asked(WordGrams(grams.model, numbers, grams.end, grams.unknown))


def write_language(path: Path, language: Language, alphabet: Alphabet) -> None:
    """Write a model as an ARPA file, words in their spelling."""
    assert isinstance(language.model, Backoff)
    names = dict(language.numbers)
    if alphabet.token != "character":
        names = {alphabet.symbols[int(symbol) - 1]: n for symbol, n in language.numbers.items()}
    write_arpa(path, WordGrams(language.model, names, language.end, language.unknown))
