"""Generator: learns, writes, scores, evaluates, saves and loads; what it refuses."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from fuzz.runs import reseal
from gruworks import Generator
from gruworks.data.text import Document
from gruworks.errors import DataError, NotFittedError, OptionError, RunError
from gruworks.tasks import ready
from tests.tasks.generate.conftest import TINY, poems, prose


def test_it_learns_more_than_how_frequent_symbols_are(trained: Generator) -> None:
    found = trained.evaluate([Document(prose())])
    assert found.perplexity < 0.7 * found.unigram_perplexity
    assert found.symbols == len(prose()) - int(len(prose()) * 0.9)  # what the fit held out
    assert found.kneser_ney_perplexity is not None
    assert 1 < found.kneser_ney_perplexity < found.unigram_perplexity
    assert trained.evaluate([Document(prose(30))]).kneser_ney_perplexity is None  # what was learnt isn't at hand


def test_it_writes_what_was_asked_for(trained: Generator) -> None:
    assert len(trained.write("the", length=30)) == 30
    assert trained.write("the", length=30, seed=1) == trained.write("the", length=30, seed=1)
    assert trained.write("the", length=30, seed=1) != trained.write("the", length=30, seed=2)
    assert "".join(trained.stream("the", length=30, seed=1)) == trained.write("the", length=30, seed=1)
    many = trained.write_many("the", length=10, n_samples=3)
    assert [len(one) for one in many] == [10, 10, 10]
    assert len(set(many)) > 1


def test_temperature_zero_is_greedy(trained: Generator) -> None:
    greedy = trained.write("the", length=20, temperature=0.0)
    assert greedy == trained.write("the", length=20, temperature=0.0, seed=5)
    assert greedy == trained.write("the", length=20, top_k=1, seed=6)


def test_a_beam_finds_no_less_likely_text_than_greedy_choice(trained: Generator) -> None:
    greedy = trained.write("the", length=6, temperature=0.0)
    found = trained.write_many("the", length=6, beam_size=4, n_samples=2)
    likely = [sum(trained.score("the" + one).log_probabilities[3:]) for one in (greedy, *found)]
    assert likely[1] >= likely[0] - 1e-4
    assert likely[1] >= likely[2]


def test_it_stops_before_the_stop_text(trained: Generator) -> None:
    text = trained.write("the", length=200, stop=".", seed=3)
    assert "." not in text
    assert len(text) < 200


def test_a_score_is_the_sum_of_its_symbols(trained: Generator) -> None:
    text = "the cat sat"
    reading = trained.score(text)
    assert reading.symbols == list(text)
    parts = [trained.score(text[: i + 1]).log_probabilities[-1] for i in range(len(text))]
    assert reading.log_probabilities == pytest.approx(parts, abs=1e-4)
    assert reading.perplexity == pytest.approx(math.exp(-sum(parts) / len(parts)), rel=1e-4)
    assert trained.score("the cat sat").nats < trained.score("tta cet aht").nats


def test_documents_apart_end_themselves_and_follow_their_title(poet: Generator) -> None:
    poem = poet.write(length=500)
    assert 0 < len(poem) < 100
    assert poet.score("春山風雨來\n", title="春").log_probabilities != poet.score("春山風雨來\n").log_probabilities
    assert poet.write(title="春", temperature=0.0, length=3) != ""
    found = poet.evaluate(poems())
    assert found.symbols == 4 * 25  # the last tenth of 40 poems
    assert found.perplexity < found.unigram_perplexity


def test_the_title_guides_a_poem_and_is_read_in_both_scripts() -> None:
    generator = Generator.load(ready.find("generate").path)
    told = [generator.verse(title=title, seed=3) for title in ("思鄉", "思乡", "秋夜", "")]
    assert told[0] == told[1]
    assert generator.warnings == []
    assert len({str(poem) for poem in told}) == 3
    assert generator.verse(title="秋夜 moon", seed=3) == told[2]
    assert generator.warnings == ["the model does not know m o n of the title"]
    likelier = 0
    for title, other in (("春", "秋夜"), ("秋夜", "春"), ("邊塞", "梅花"), ("梅花", "邊塞")):
        for poem in generator.verse(4, title=title, form="jueju5", seed=1):
            own, others = (sum(generator.score("\n".join(poem), title=one).log_probabilities) for one in (title, other))
            likelier += own > others
    assert likelier >= 14  # of 16; without guidance 12


def test_verse_keeps_the_rules_whatever_was_learnt(trained: Generator, poet: Generator) -> None:
    from gruworks.tasks.generate.verse.checker import check
    from gruworks.tasks.generate.verse.rhyme import rhyme_table

    characters = "".join(list(rhyme_table().readings)[::20])
    documents = [Document("".join(f"{characters[i + j]}\n" for j in range(4))) for i in range(len(characters) - 4)]
    generator = Generator(**(TINY | {"steps": 2, "validate_every": 1})).fit(documents, quiet=True)
    written = generator.verse(3, form="jueju5", seed=1)
    assert written == generator.verse(3, form="jueju5", seed=1) != generator.verse(3, form="jueju5", seed=2)
    assert all(check(poem, "jueju5").ok for poem in written)
    with pytest.raises(OptionError, match="verse needs a character-level model, fitted on poems"):
        trained.verse()
    with pytest.raises(OptionError):  # its few characters don't rhyme
        poet.verse(form="lushi7")


def test_a_save_loads_to_the_same_text(trained: Generator, poet: Generator, tmp_path: Path) -> None:
    for name, one in (("trained", trained), ("poet", poet)):
        again = Generator.load(one.save(tmp_path / name))
        assert again.write(length=40) == one.write(length=40)
        assert again.config == one.config
        assert again.metrics == one.metrics


@pytest.mark.parametrize("token", ["byte", "subword"])
@pytest.mark.parametrize("between", ["none", "convolution", "attention"])
def test_other_units_and_blocks(token: str, between: str, tmp_path: Path) -> None:
    settings: dict[str, Any] = {
        **TINY,
        "token": token,
        "between": between,
        "steps": 4,
        "validate_every": 2,
        "vocabulary_size": 300,
    }
    generator = Generator(**settings, heads=2, window=8, reset="before").fit([Document(prose(200))], quiet=True)
    text = Generator.load(generator.save(tmp_path / "run")).write("the", length=20)
    assert text == generator.write("the", length=20)
    assert generator.score("the cat").characters == 7


def test_a_validation_text_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(prose())
    (tmp_path / "b.txt").write_text(prose(30))
    generator = Generator(**(TINY | {"steps": 4, "validate_every": 2}))
    generator.fit(tmp_path / "a.txt", validation=str(tmp_path / "b.txt"), out=tmp_path / "run", quiet=True)
    assert generator.metrics["best_loss"] > 0
    assert (tmp_path / "run" / "weights.safetensors").is_file()


def test_a_prompt_with_unknown_characters(trained: Generator) -> None:
    with pytest.raises(DataError, match="has no '红', 'Z': leave them out of the prompt, or fit with min_count=2"):
        trained.write("the 红Z", length=5)
    rare = Generator(**(TINY | {"steps": 4, "validate_every": 2}), min_count=2).fit(
        [Document("Q" + prose())], quiet=True
    )
    assert len(rare.write("the 红Z", length=5)) == 5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"length": 0}, "Options.length must be between 1 and"),
        ({"temperature": -0.5}, "Options.temperature must be between 0.0 and 100.0, not -0.5"),
        ({"top_p": 1.5}, "Options.top_p must be between"),
        ({"colour": 1}, "Options has no setting colour"),
        ({"n_samples": 2}, "write gives one text, not 2"),
        ({"title": "x"}, "a title is for models fitted on separate documents"),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, Any], message: str, trained: Generator) -> None:
    with pytest.raises(OptionError, match=message):
        trained.write("the", **options)


def test_a_stream_of_several_texts_is_refused(trained: Generator) -> None:
    with pytest.raises(OptionError, match="streaming generates one sampled text"):
        trained.stream("the", n_samples=2)


def test_narrow_weights_write_one_text_and_refuse_others(trained: Generator) -> None:
    text = trained.write(length=20, precision="int8", seed=3)
    assert text == "".join(trained.stream(length=20, precision="int8", seed=3))
    assert len(text) == 20
    with pytest.raises(OptionError, match="n_samples=1"):
        trained.write_many(n_samples=2, length=5, precision="int8")
    with pytest.raises(OptionError, match="beam_size=0"):
        trained.write_many(beam_size=2, length=5, precision="bfloat16")


def test_what_is_not_fitted_writes_nothing() -> None:
    for call in (lambda g: g.write("a"), lambda g: g.score("a"), lambda g: g.stream("a")):
        with pytest.raises(NotFittedError, match="this Generator is not fitted"):
            call(Generator())


def test_an_empty_text_has_no_score(trained: Generator) -> None:
    with pytest.raises(DataError, match="no text to score"):
        trained.score("")


def test_heads_must_divide() -> None:
    with pytest.raises(OptionError, match="heads \\(4\\) must divide hidden_size \\(6\\)"):
        Generator(hidden_size=6, between="attention")


DAMAGE: dict[str, tuple[str, bytes, str]] = {
    "no weights": ("weights.safetensors", b"", "weights.safetensors is damaged"),
    "other weights": ("config.json", b'{"hidden_size": 13}', "doesn't fit config.json"),
    "no vocabulary": ("codec/codec.json", b"{}", "codec.json lacks vocabulary, apart, many, source"),
    "no JSON": ("codec/codec.json", b"nonsense", "codec.json is damaged"),
    "counts": (
        "codec/codec.json",
        b'{"vocabulary": {"token": "byte", "symbols": ["a"], "counts": [1]},'
        b' "apart": true, "many": true, "source": {}}',
        "vocabulary.symbols must be a list of 5 to",
    ),
    "other task": (
        "run.json",
        b'{"format": 1, "task": "forecast", "state": "fitted"}',
        "is a run of the task 'forecast'",
    ),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_run_folder_is_said(name: str, trained: Generator, tmp_path: Path) -> None:
    run = trained.save(tmp_path / "run")
    file, content, message = DAMAGE[name]
    (run / file).write_bytes(content)
    reseal(run)
    with pytest.raises(RunError, match=message):
        Generator.load(run)


def test_a_given_validation_text_is_not_taken_from_the_fit_text(tmp_path: Path) -> None:
    for part, count in (("train", 60), ("valid", 20), ("test", 10)):
        (tmp_path / f"{part}.txt").write_text(prose(count))
    fitted = Generator(**TINY | {"steps": 4, "validate_every": 2}).fit(tmp_path, quiet=True)
    assert "left out: 1 of test, 1 of validation" in fitted.fit_warnings[0]
    assert fitted.evaluate(tmp_path).symbols == len(prose(10))
    with pytest.raises(DataError, match="the fit has seen all of this text"):
        fitted.evaluate(tmp_path / "train.txt")
    bits = fitted.metrics["bits_per_character"]
    assert bits == pytest.approx(fitted.metrics["best_loss"] / math.log(2), rel=0.01)
