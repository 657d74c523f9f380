"""Translator: it translates, keeps order and empty lines, explains, scores; folders; what is refused."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy
import pytest

from fuzz.runs import reseal
from gruworks import Translator
from gruworks.errors import DataError, NotFittedError, OptionError, RunError
from gruworks.tasks.translate.config import Options
from tests.tasks.translate.conftest import SHORT, TINY, toy

SOURCES, WANTED = map(list, zip(*toy(1), strict=True))


def test_it_translates_what_it_learnt(trained: Translator) -> None:
    answers = trained.translate(SOURCES)
    right = sum(a == w for a, w in zip(answers, WANTED, strict=True))
    assert right > 0.9 * len(WANTED)
    assert trained.translate(SOURCES[0]) == answers[0]


def test_order_and_empty_lines_are_kept(trained: Translator) -> None:
    lines = [SOURCES[0], "", "   ", SOURCES[-1], SOURCES[1]]
    answers = trained.translate(lines, batch=2)
    assert answers[1:3] == ["", ""]
    assert [answers[0], *answers[3:]] == trained.translate([SOURCES[0], SOURCES[-1], SOURCES[1]])
    assert trained.translate([]) == []


def test_n_best_answers_differ_and_fall(trained: Translator) -> None:
    (found,) = trained.n_best([SOURCES[0]], n_best=4, beam_size=6)
    assert 1 < len(found) <= 4
    assert len({one.text for one in found}) == len(found)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    assert all(one.log_probability < 0 for one in found)


def test_a_prefix_and_samples(trained: Translator) -> None:
    assert trained.translate(SOURCES[0], prefix="a big").startswith("a big")
    first = trained.translate(SOURCES, sample=True, temperature=3.0)
    assert first == trained.translate(SOURCES, sample=True, temperature=3.0)
    assert first != trained.translate(SOURCES, sample=True, temperature=3.0, seed=1)


def test_a_line_of_ten_thousand_words_is_translated_in_pieces(trained: Translator) -> None:
    answer = trained.translate("Hund rennt . " * 3333)
    assert answer.count("dog") > 3000
    trained.translate("Hund rennt " * 333)
    assert trained.warnings == ["1 line with a sentence of more than 100 subwords: translated in parts"]


def test_a_line_of_sentences_is_translated_sentence_by_sentence(trained: Translator) -> None:
    parts = [f"{line[0].upper()}{line[1:]}" for line in SOURCES[:3]]
    lines = [" ".join(parts), "", SOURCES[0]]
    whole = trained.translate(lines)
    assert whole == [" ".join(trained.translate(parts)), "", WANTED[0]]
    assert trained.translate("\n".join(lines)) == "\n".join(whole)
    (found, *_) = trained.n_best(lines, n_best=3, prefix="a big")
    assert len(found) == 3
    assert found[0].text.startswith("a big")
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)


def test_a_model_of_lines_with_several_sentences_translates_them_whole(tmp_path: Path) -> None:
    pairs = [*toy(1), *((f"{s} Und {s}", f"{t} And {t}") for s, t in toy(1))]
    fitted = Translator(**SHORT).fit(pairs, quiet=True)
    assert not fitted.codec.splits
    assert not Translator.load(fitted.save(tmp_path / "run")).codec.splits


def test_a_script_that_was_not_seen_stays_as_it_is(trained: Translator) -> None:
    assert trained.translate(["Ωμέγα γράμμα", SOURCES[0]])[0] == "Ωμέγα γράμμα"
    assert trained.warnings == ["1 line in a script that the fit has not seen: left unchanged"]


def test_the_wrong_direction_is_remarked_and_not_evaluated(trained: Translator) -> None:
    trained.translate(WANTED[:1])
    assert trained.warnings == []  # a few words are no evidence
    trained.translate(WANTED[:10])
    assert trained.warnings == ["these lines look like en: this run translates de to en"]
    with pytest.raises(DataError, match="the sides look swapped: this run translates de to en"):
        trained.evaluate(list(zip(WANTED, SOURCES, strict=True)))
    trained.translate(SOURCES)
    assert trained.warnings == []


def test_a_fit_ends_with_the_scores_of_its_validation_part(trained: Translator) -> None:
    assert trained.metrics["held_out_bleu"] > 50
    assert trained.metrics["held_out_chrf"] > 50
    assert "tok:13a" in trained.metrics["bleu_signature"]
    assert trained.tokenizer == "13a"


def test_evaluation(trained: Translator) -> None:
    found = trained.evaluate([*toy(1), ("", "nothing")])
    assert found.sentences == len(SOURCES)
    assert found.bleu > 80 > found.copy_bleu


def test_score_is_a_log_probability(trained: Translator) -> None:
    right, wrong, empty, other = trained.score(
        [(SOURCES[0], WANTED[0]), (SOURCES[0], WANTED[-1]), ("", "x"), (SOURCES[0], "")]
    )
    assert 0 > right > wrong
    assert empty == other == -math.inf


def test_explain_shows_where_it_looked(trained: Translator) -> None:
    shown = trained.explain("Katze singt .")
    assert shown.text == trained.translate("Katze singt .")
    assert shown.source[-1] == shown.target[-1] == "</s>"
    assert shown.weights.shape == (len(shown.target), len(shown.source))
    assert numpy.allclose(shown.weights.sum(1), 1, atol=1e-5)
    assert trained.explain("Katze singt .", "dog runs .").text == "dog runs ."
    with pytest.raises(DataError, match="an empty line"):
        trained.explain(" ")


def test_a_run_folder_gives_the_same_answers(trained: Translator, tmp_path: Path) -> None:
    again = Translator.load(trained.save(tmp_path / "run"))
    assert again.translate(SOURCES[:5]) == trained.translate(SOURCES[:5])
    assert again.metrics["pairs"]["train"] == trained.metrics["pairs"]["train"]
    assert trained.translate(SOURCES[:5], ensemble=[again]) == trained.translate(SOURCES[:5])


def test_an_ensemble_needs_one_vocabulary(trained: Translator) -> None:
    other = Translator(**SHORT).fit(toy(1)[:20], quiet=True)
    with pytest.raises(OptionError, match="an ensemble's translators need one vocabulary"):
        trained.translate(SOURCES[0], ensemble=[other])


def test_the_fit_says_what_it_dropped_and_how_large_the_vocabulary_is() -> None:
    fitted = Translator(**SHORT).fit([*toy(2), ("", "x")], validation=toy(1), quiet=True)
    size = fitted.metrics["vocabulary"][0]
    assert fitted.fit_warnings == [
        f"{len(toy(2))} pairs to learn from, {len(toy(1))} to validate on; {size} subwords for both sides",
        f"dropped 1 of {len(toy(2)) + 1} pairs: 1 with an empty side",
    ]


@pytest.mark.parametrize("changes", [{"shared": False}, {"layers": 2}, {"reset": "before"}, {"lowercase": True}])
def test_every_kind_of_model_goes_through_its_folder(changes: dict[str, object], tmp_path: Path) -> None:
    fitted = Translator(**SHORT | changes).fit(toy(1), quiet=True)  # type: ignore[arg-type]
    again = Translator.load(fitted.save(tmp_path / "run"))
    assert again.score(toy(1)[:3]) == fitted.score(toy(1)[:3])


def test_cho_2014_is_fitted_saved_and_has_no_attention(tmp_path: Path) -> None:
    settings = SHORT | {"model": "cho2014", "maxout": 8, "optimizer": "adadelta", "learning_rate": 1.0}
    fitted = Translator(**settings).fit(toy(1), quiet=True)
    again = Translator.load(fitted.save(tmp_path / "run"))
    assert again.translate(SOURCES[:3]) == fitted.translate(SOURCES[:3])
    with pytest.raises(OptionError, match="no attention to show"):
        again.explain(SOURCES[0])


def test_what_is_refused(trained: Translator) -> None:
    with pytest.raises(NotFittedError):
        Translator().translate("x")
    with pytest.raises(OptionError, match="beam_size must be between 1 and 1000, not 0"):
        trained.translate("x", beam_size=0)
    with pytest.raises(OptionError, match="give options or single ones"):
        trained.translate("x", options=Options(), beam_size=1)
    with pytest.raises(DataError, match="line 2: expected a string to translate, got int"):
        trained.translate(["a", 2])  # type: ignore[list-item]


def test_half_a_fit_is_none(tmp_path: Path) -> None:
    translator = Translator(**SHORT)
    with pytest.raises(DataError):
        translator.fit([("", "")], quiet=True)
    assert not translator.fitted


def test_a_damaged_run_is_refused(trained: Translator, tmp_path: Path) -> None:
    run = trained.save(tmp_path / "run")
    codec = json.loads((run / "codec" / "codec.json").read_text())
    (run / "codec" / "codec.json").write_text(json.dumps({"source": {"model": 3}}))
    reseal(run)
    with pytest.raises(RunError, match=r"is damaged: codec/codec[.]json: source lacks normalizer"):
        Translator.load(run)
    (run / "codec" / "codec.json").write_text(json.dumps(codec))
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps(config | {"hidden_size": 33}))
    reseal(run)
    with pytest.raises(RunError, match=r"doesn't fit config\.json"):
        Translator.load(run)


def test_settings_are_named() -> None:
    assert Translator(**TINY).config.training.steps == TINY["steps"]
    with pytest.raises(OptionError, match="Config has no setting hidden"):
        Translator(hidden=3)
