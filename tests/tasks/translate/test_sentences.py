"""Sentences: what ends one, and what doesn't, in several languages."""

from __future__ import annotations

import pytest

from gruworks.tasks.translate.sentences import join_sentences, split_sentences


@pytest.mark.parametrize(
    ("language", "parts"),
    [
        ("en", ["I am hungry.", "Where is Tom?", "He is not here.", "What a day!", '"Yes."', "No."]),
        ("en", ["Mr. Smith paid $3.50 for No. 5 at 5 p.m. with J. R. Ewing, e.g. yesterday."]),
        ("en", ["It was 1998.", "He left.", "So did I.", "They came (late).", "Wait...", "What?!"]),
        ("en", ["1. First point of U.S. law."]),
        ("en", ["He said hello. then left."]),
        ("de", ["Am 3. Mai kam z.B. Dr. Weiß.", "Er blieb bis 1998.", "Gut!"]),
        ("fr", ["Où est M. Dupont ?", "Il est là !", "« Oui. »", "D'accord."]),
        ("es", ["¿Dónde está?", "¡Aquí!", "No lo sé."]),
        ("ru", ["Он ушёл.", "Где он?", "Не знаю."]),
        ("zh", ["我饿了。", "汤姆在哪里？", "他说：“不知道。”", "走吧！"]),
        ("ja", ["お腹がすいた。", "トムはどこ？", "「知らない。」", "そう。"]),
        ("hi", ["मैं भूखा हूँ।", "टॉम कहाँ है?"]),
        ("ar", ["أنا جائع.", "أين توم؟", "لا أعرف."]),
        ("en", ["A dog runs .", "A cat sleeps ."]),
    ],
)
def test_sentences_are_found_and_joined_again(language: str, parts: list[str]) -> None:
    line = join_sentences(parts)
    assert split_sentences(line, language) == parts
    assert line == ("" if language in ("zh", "ja") else " ").join(parts)


@pytest.mark.parametrize("line", ["", "...", "no stop", "http://a.b/c.d?e=F", "3.14", "?"])
def test_a_line_without_a_second_sentence_stays_whole(line: str) -> None:
    assert split_sentences(line) == [line]
