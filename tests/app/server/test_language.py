"""A sentence of another language than the model's is noted; a doubtful or a right one is not."""

from __future__ import annotations

import pytest

from gruworks.app.server.language import note, tell

SENTENCES = {
    "de": "Ich habe keine Zeit und bin müde.", "fr": "Où est la gare ?", "es": "¿Dónde está el baño?",
    "it": "Dove sono gli altri?", "nl": "Waar is het station?", "pt": "Não sei quem você é.",
    "en": "Where is the station?",
    "zh": "车站在哪里？", "ja": "駅はどこですか", "ko": "역이 어디예요?", "ru": "Где вокзал?",
    "ar": "أين المحطة؟", "el": "Πού είναι ο σταθμός;",
}  # fmt: skip


@pytest.mark.parametrize("language", SENTENCES)
def test_a_sentence_is_told_by_script_or_words(language: str) -> None:
    assert tell(SENTENCES[language]) == language


@pytest.mark.parametrize("text", ["", "GRU", "12 + 3 = 15", "Tom"])
def test_what_could_be_several_languages_is_not_guessed(text: str) -> None:
    assert tell(text) is None
    assert note(text, "en") == []


def test_a_note_names_both_languages() -> None:
    (found,) = note(SENTENCES["de"], "en")
    assert found == {"code": "other-language", "values": {"found": "de", "wanted": "en"}}
    assert note(SENTENCES["en"], "en") == []


def test_nothing_is_noted_for_a_language_that_is_not_known() -> None:
    assert note(SENTENCES["de"], "source") == []


@pytest.mark.parametrize("text", ["Good morning!", "It will rain tomorrow.", "I love you.", "Tom laughed.", "Help!"])
def test_everyday_english_is_not_doubted(text: str) -> None:
    assert note(text, "en") == []
