"""Scores: sacreBLEU's own with its signature, Chinese without blanks, lengths, the worst, copying beside them."""

from __future__ import annotations

import importlib.util

import pytest
import sacrebleu

from gruworks.errors import DataError
from gruworks.tasks.translate.evaluation import score, tokenizer_for

SOURCES = ["ein Hund rennt schnell .", "eine Katze " + "sehr " * 12 + "müde ."]
REFERENCES = ["a dog runs fast .", "a very very tired cat sleeps here ."]
ANSWERS = ["a dog runs quick .", "a very very tired cat sleeps there ."]


def test_bleu_and_chrf_are_sacrebleus() -> None:
    found = score(SOURCES, REFERENCES, ANSWERS)
    assert found.bleu == sacrebleu.corpus_bleu(ANSWERS, [REFERENCES]).score
    assert found.chrf == sacrebleu.corpus_chrf(ANSWERS, [REFERENCES]).score
    assert found.copy_bleu == sacrebleu.corpus_bleu(SOURCES, [REFERENCES]).score
    assert "tok:13a" in found.bleu_signature
    assert "version:" in found.chrf_signature
    assert found.sentences == 2


def test_lengths_and_the_worst() -> None:
    found = score(SOURCES, REFERENCES, ANSWERS, worst=1)
    assert [(part.words, part.sentences) for part in found.by_length] == [("1-10", 1), ("11-20", 1)]
    assert found.by_length[0].bleu == sacrebleu.corpus_bleu(ANSWERS[:1], [REFERENCES[:1]]).score
    (worst,) = found.worst
    assert (worst.source, worst.answer) == (SOURCES[0], ANSWERS[0])
    assert found.to_dict()["worst"][0]["chrf"] == worst.chrf


def test_chinese_is_scored_without_blanks() -> None:
    assert tokenizer_for(["我 喜欢 狗 。"]) == "zh"
    assert tokenizer_for(REFERENCES) == "13a"
    found = score(["I like dogs ."], ["我 喜欢 狗 。"], ["我喜欢 狗。"])
    assert found.bleu == pytest.approx(100)
    assert found.chrf == pytest.approx(100)
    assert "tok:zh" in found.bleu_signature


JAPANESE = ["私は犬が好きです。", "東京都知事選挙開票速報を見た", "すし"]


def test_the_tokenizer_follows_the_language_and_not_the_part_of_a_file() -> None:
    expected = "ja-mecab" if importlib.util.find_spec("MeCab") else "char"
    assert {tokenizer_for(JAPANESE), tokenizer_for(JAPANESE, "ja"), tokenizer_for(["東京都"], "jpn")} == {expected}
    assert tokenizer_for(["ฉันชอบหมา"]) == tokenizer_for([""], "th") == "char"
    assert tokenizer_for(["abc"], "zh") == "zh"
    assert tokenizer_for(["나는 개를 좋아해요"]) in ("13a", "ko-mecab")
    assert tokenizer_for(["我 喜欢"], "en") == "zh"
    answers = [text[:-2] for text in JAPANESE]
    assert score(["a b c"] * 3, JAPANESE, answers).bleu > 30


def test_tokenised_text_is_scored_as_it_is() -> None:
    assert "tok:none" in score(SOURCES, REFERENCES, ANSWERS, tokenize="none").bleu_signature


def test_nothing_to_score_is_refused() -> None:
    with pytest.raises(DataError, match="expected at least one sentence pair"):
        score([], [], [])
