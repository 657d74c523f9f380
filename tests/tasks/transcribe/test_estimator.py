"""Transcriber: fit, transcribe, stream, align, evaluate, save, load; what is refused."""

from __future__ import annotations

import io
import json
import weakref
from pathlib import Path
from typing import Any

import numpy
import pytest
import soundfile
import torch

from fuzz.runs import reseal
from gruworks import Transcriber
from gruworks.errors import DataError, ExportError, NotFittedError, OptionError, RunError, TooShortError
from gruworks.tasks.transcribe import offline as offline_room
from gruworks.tasks.transcribe.audio import blocks
from gruworks.tasks.transcribe.data import Corpus
from gruworks.tasks.transcribe.manifest import Utterance
from tests.tasks.transcribe.conftest import RATE, SMALL, say, some_text, write


def test_it_learns_to_transcribe(streaming: Transcriber, spoken: Path) -> None:
    scores = streaming.evaluate(spoken / "test")
    assert scores.wer <= 0.1 < 0.8 < scores.baseline
    assert scores.latency is not None
    assert scores.latency.utterances == 12
    found = streaming.transcribe(spoken / "test" / "100.wav")
    assert str(found) == found.text == some_text(100)
    assert [word.text for word in found.words] == some_text(100).split()


def test_both_directions_learn_too(offline: Transcriber, spoken: Path) -> None:
    scores = offline.evaluate(spoken / "test")
    assert scores.cer < 0.6
    assert scores.latency is None
    assert offline.metrics["best_loss"] < 1.0


def test_times_are_those_of_the_sound(streaming: Transcriber) -> None:
    quiet = numpy.zeros(RATE, numpy.float32)
    found = streaming.transcribe(numpy.concatenate([quiet, say("bad", 3)]), rate=RATE)
    (word,) = found.words
    assert word.text == "bad"
    assert word.start == pytest.approx(1.08, abs=0.1)
    assert word.end == pytest.approx(1.42, abs=0.12)
    assert 0.5 < word.confidence <= 1


def test_a_known_text_is_aligned(streaming: Transcriber, offline: Transcriber) -> None:
    for transcriber in (streaming, offline):
        first, second = transcriber.align(say("ca dab", 5), "CA  dab", rate=RATE)
        assert (first.text, second.text) == ("ca", "dab")
        assert first.start < first.end <= second.start < second.end < 0.9
    with pytest.raises(DataError, match="'x' not in the vocabulary"):
        streaming.align(say("ca", 5), "cx", rate=RATE)
    with pytest.raises(TooShortError, match="can't hold"):
        streaming.align(say("ca", 5), "dab " * 20, rate=RATE)
    with pytest.raises(DataError, match="expected a text to align"):
        streaming.align(say("ca", 5), "  ", rate=RATE)


def test_a_list_gives_a_list(streaming: Transcriber, spoken: Path) -> None:
    files = [spoken / "test" / "100.wav", str(spoken / "test" / "101.wav")]
    assert [one.text for one in streaming.transcribe(files)] == [str(streaming.transcribe(file)) for file in files]


def test_a_beam_gives_alternatives_and_keeps_to_a_word_list(offline: Transcriber, spoken: Path) -> None:
    found = offline.transcribe(spoken / "test" / "100.wav", beam_size=8, n_best=4)
    assert len({found.text, *found.alternatives}) == 4
    closed = offline.transcribe(spoken / "test" / "100.wav", beam_size=8, words=("Dab", "cad"))
    assert set(closed.text.split()) <= {"dab", "cad"}
    everything = offline.evaluate(spoken / "test", beam_size=8, lexicon_only=True)
    assert {word for one in everything.worst for word in one.answer} <= {"*", *offline.vocabulary}


def test_the_language_model_helps(offline: Transcriber, spoken: Path) -> None:
    plain, guided = (offline.evaluate(spoken / "test", beam_size=8, lm_weight=weight) for weight in (0.0, 1.0))
    assert guided.wer < plain.wer


def test_hot_words_are_likelier(offline: Transcriber, spoken: Path) -> None:
    texts = [
        " ".join(offline.transcribe(file, beam_size=8, hot_words=("ca",), hot_bonus=bonus).text for file in files)
        for bonus in (0.0, 20.0)
        for files in [sorted((spoken / "test").glob("*.wav"))]
    ]
    assert texts[1].split().count("ca") > texts[0].split().count("ca")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"lexicon_only": True}, "set beam_size, for example --beam-size 16"),
        ({"beam_size": 2, "n_best": 3}, "n_best=3 needs a beam size of at least that"),
        ({"beams": 2}, "Options has no setting beams"),
    ],
)
def test_options_that_can_not_be_are_refused(streaming: Transcriber, options: Any, text: str) -> None:
    with pytest.raises(OptionError, match=text):
        streaming.transcribe(say("ab"), rate=RATE, **options)


def test_what_is_saved_answers_the_same(streaming: Transcriber, offline: Transcriber, tmp_path: Path) -> None:
    for name, transcriber in (("s", streaming), ("o", offline)):
        loaded = Transcriber.load(transcriber.save(tmp_path / name))
        assert loaded.transcribe(say("bad ab"), rate=RATE) == transcriber.transcribe(say("bad ab"), rate=RATE)
        assert loaded.vocabulary == transcriber.vocabulary
        assert loaded.config == transcriber.config


@pytest.mark.parametrize("damage", [{"texts": 3}, {"alphabet": {}}, {"rate": "x"}])
def test_a_damaged_codec_is_refused(streaming: Transcriber, tmp_path: Path, damage: dict[str, Any]) -> None:
    run = streaming.save(tmp_path / "run")
    codec = json.loads((run / "codec" / "codec.json").read_text())
    (run / "codec" / "codec.json").write_text(json.dumps(codec | damage))
    reseal(run)
    with pytest.raises(RunError, match=f"codec.json: {next(iter(damage))} (must be|lacks)"):
        Transcriber.load(run)


def test_a_fit_goes_on_where_it_was_stopped(spoken: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = SMALL | {"steps": 12, "validate_every": 4, "hidden_size": 4, "channels": 4, "speed": 0.1, "gain": 6.0}
    whole = Transcriber(**settings).fit(spoken / "train", out=tmp_path / "whole", quiet=True)

    draw, drawn = Corpus.draw, []

    def stop(self: Corpus, epoch: int, index: int) -> Any:
        drawn.append((epoch, index))
        if len(drawn) == 10:
            raise RuntimeError("stopped")
        return draw(self, epoch, index)

    monkeypatch.setattr(Corpus, "draw", stop)
    with pytest.raises(RuntimeError, match="stopped"):
        Transcriber(**settings).fit(spoken / "train", out=tmp_path / "part", quiet=True)
    monkeypatch.undo()
    resumed = Transcriber(**settings).fit(spoken / "train", out=tmp_path / "part", resume=True, quiet=True)
    for name, value in whole.model.state_dict().items():
        assert value.equal(resumed.model.state_dict()[name]), name


def test_the_latency_is_told(streaming: Transcriber) -> None:
    assert streaming.latency == pytest.approx(0.025 + 0.010 * (5 * 2 + 2 * 2 * 2))


def test_both_directions_refuse_to_stream_by_name(offline: Transcriber) -> None:
    with pytest.raises(OptionError, match=r"stream\(\) needs a causal model, and this one is bidirectional"):
        offline.stream()
    with pytest.raises(OptionError, match="latency needs"):
        offline.latency  # noqa: B018


def test_a_network_that_writes_nothing_is_said_to(spoken: Path) -> None:
    dumb = Transcriber(**SMALL | {"steps": 1, "validate_every": 1}).fit(spoken / "train", quiet=True)
    with torch.no_grad():
        dumb.model.head.bias[0] = 100.0
    (warning,) = dumb.evaluate(spoken / "test").warnings
    assert "too short" in warning


def test_a_missing_recording_is_told_with_its_line(streaming: Transcriber, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("file,text\nnowhere.wav,ab\n")
    for call in (streaming.evaluate, Transcriber(**SMALL).fit):
        with pytest.raises(DataError, match=r"a\.csv, line 2: .*nowhere\.wav does not exist"):
            call(tmp_path / "a.csv")


def test_nothing_goes_before_a_fit() -> None:
    for call in (
        lambda t: t.transcribe("a.wav"),
        lambda t: t.stream(),
        lambda t: t.evaluate("b"),
        lambda t: t.save("c"),
    ):
        with pytest.raises(NotFittedError):
            call(Transcriber())


def test_transcripts_with_unseen_characters_are_scored_as_errors(streaming: Transcriber, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", say("ab"), RATE)
    (tmp_path / "a.txt").write_text("äöü ab")
    scores = streaming.evaluate(tmp_path)
    assert scores.deletions + scores.substitutions >= 1
    assert scores.unknown == 0.5


@pytest.mark.parametrize("which", ["streaming", "offline"])
def test_other_rates_and_channels_are_heard_too(which: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    transcriber = request.getfixturevalue(which)
    high = say("dab ca", 4, 44_100)
    soundfile.write(tmp_path / "stereo.flac", numpy.stack([high, high], 1), 44_100)
    assert transcriber.transcribe(tmp_path / "stereo.flac").text
    samples = numpy.stack([high, high], 1)
    assert transcriber.transcribe(samples, rate=44_100).text


@pytest.mark.parametrize("which", ["streaming", "offline"])
def test_silence_is_no_text(which: str, request: pytest.FixtureRequest) -> None:
    transcriber = request.getfixturevalue(which)
    for beam in (1, 4):
        found = transcriber.transcribe(numpy.zeros(2 * RATE, numpy.float32), rate=RATE, beam_size=beam)
        if which == "streaming":
            assert (found.text, found.words) == ("", [])


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (None, "does not exist"),
        (b"", "can't be read as audio"),
        (b"this is text\n", "can't be read as audio"),
        ("empty", "has no samples"),
        ("short", "shorter than one frame"),
        ("nan", "sample 7 is nan; expected a finite number"),
    ],
)
def test_files_that_can_not_be_are_told_by_name(
    streaming: Transcriber, tmp_path: Path, content: Any, text: str
) -> None:
    file = tmp_path / "odd.wav"
    samples = {"empty": numpy.zeros(0), "short": numpy.zeros(50), "nan": numpy.full(4000, 0.1)}
    samples["nan"][7] = numpy.nan
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content is not None:
        soundfile.write(file, samples[content], RATE, subtype="FLOAT")
    with pytest.raises(DataError, match=rf"odd\.wav.*{text}"):
        streaming.transcribe(file)


def test_samples_need_their_rate(streaming: Transcriber) -> None:
    with pytest.raises(OptionError, match="samples need their sampling rate: rate=8000"):
        streaming.transcribe(say("ab"))
    with pytest.raises(DataError, match="expected samples, got an empty array"):
        streaming.transcribe(numpy.zeros(0, numpy.float32), rate=RATE)


@pytest.mark.parametrize("streaming_too", [True, False])
def test_half_an_hour_does_not_stand_in_memory(streaming_too: bool, tmp_path: Path) -> None:
    rate, seconds = 1000, 1800
    settings = SMALL | {"steps": 1, "bands": 4, "hidden_size": 4, "channels": 4, "layers": 1, "chunk": 100}
    transcriber = Transcriber(streaming=streaming_too, **settings).fit(write(tmp_path, range(3), rate), quiet=True)
    alive, most = [0], [0]

    class Block(numpy.ndarray):
        """An array that can be watched."""

    def gone() -> None:
        alive[0] -= 1

    def watched(path: Path, *rest: Any) -> Any:
        for piece in blocks(path, *rest):
            block = piece.view(Block)
            weakref.finalize(block, gone)
            alive[0] += 1
            most[0] = max(most[0], alive[0])
            yield block

    def noted(parts: Any, *rest: Any) -> Any:
        longest.append(sum(map(len, parts)))
        return concatenate(parts, *rest)

    soundfile.write(tmp_path / "long.wav", numpy.zeros(seconds * rate), rate)
    longest, concatenate = [0], numpy.concatenate
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(offline_room, "blocks", watched)
        patch.setattr(numpy, "concatenate", noted)
        transcriber.transcribe(tmp_path / "long.wav")
    assert 1 <= most[0] <= 3
    assert max(longest) < 5000  # frames: 50 s of 180,000


def test_given_features_are_learnt_and_streamed(spoken: Path, tmp_path: Path) -> None:
    from gruworks.tasks.transcribe.audio import read_audio
    from gruworks.tasks.transcribe.features import filter_bank

    for part, seeds in (("train", range(20)), ("test", range(100, 104))):
        (tmp_path / part).mkdir()
        for seed in seeds:
            frames = filter_bank(read_audio(spoken / part / f"{seed:03}.wav"), RATE, 16)
            if seed % 2:
                numpy.save(tmp_path / part / f"{seed:03}.npy", frames)
            else:
                head = numpy.array([frames.size], ">i4").tobytes()
                (tmp_path / part / f"{seed:03}.mfc").write_bytes(head + frames.astype(">f4").tobytes())
            (tmp_path / part / f"{seed:03}.txt").write_text(some_text(seed))
    settings = SMALL | {"steps": 10, "validate_every": 5, "coefficients": 16, "speed": 0.1}
    transcriber = Transcriber(streaming=True, **settings).fit(tmp_path / "train", quiet=True)
    assert transcriber.codec.rate is None
    assert transcriber.evaluate(tmp_path / "test").utterances == 4
    stream = transcriber.stream()
    stream.accept_features(numpy.load(tmp_path / "test" / "101.npy"))
    last = stream.finish()
    assert last.final == transcriber.transcribe(tmp_path / "test" / "101.npy").text
    with pytest.raises(DataError, match="use accept_features"):
        transcriber.stream().accept(numpy.zeros(100))
    with pytest.raises(DataError, match=r"expected features as in the fit, got audio"):
        transcriber.transcribe(spoken / "test" / "100.wav")


def test_light_units_and_an_attention_decoder_are_options(spoken: Path, tmp_path: Path) -> None:
    small = SMALL | {"steps": 4, "validate_every": 2, "layers": 1, "cell": "ligru", "attention": 0.3}
    fitted = Transcriber(**small, normalise="recording").fit(spoken / "train", quiet=True)
    loaded = Transcriber.load(fitted.save(tmp_path / "run"))
    samples = say("bad ab")
    answers = [one.transcribe(samples, rate=RATE, beam_size=8, lm_weight=0.0) for one in (fitted, loaded)]
    assert answers[0] == answers[1]
    alone = fitted.transcribe(samples, rate=RATE, beam_size=8, lm_weight=0.0, attention_weight=0.0)
    assert answers[0].score < alone.score  # a logarithm was added


@pytest.mark.parametrize("beam", [1, 4])
def test_a_recording_s_own_mean_streams_too(beam: int, spoken: Path) -> None:
    small = SMALL | {"normalise": "recording", "streaming": True, "steps": 60}
    fitted = Transcriber(**small).fit(spoken / "train", quiet=True)
    samples = numpy.concatenate([say("bad cad", 3), say("ab", 4)])
    stream = fitted.stream(beam_size=beam)
    for piece in numpy.split(samples, [100, 1717, 3000, 3001, 9000]):
        stream.accept(piece)
    stream.finish()
    whole = fitted.transcribe(samples, rate=RATE, beam_size=beam)
    assert [word for one in stream.segments for word in one.words] == whole.words
    assert "b" in whole.text
    assert [one.text for one in fitted.align(samples, "bad cad ab", rate=RATE)] == ["bad", "cad", "ab"]


def test_another_language_model_may_be_brought(streaming: Transcriber, tmp_path: Path) -> None:
    path = streaming.write_language(tmp_path / "own.arpa")
    samples = say("bad cad", 2)
    own = streaming.transcribe(samples, rate=RATE, beam_size=8)
    try:
        assert streaming.use_language(path).transcribe(samples, rate=RATE, beam_size=8).text == own.text
        streaming.use_language(["dab dab", "ca"])
        assert set(streaming.language.numbers) == {"dab", "ca"}
        assert set(streaming.transcribe(samples, rate=RATE, beam_size=8, lexicon_only=True).text.split()) <= {
            "dab",
            "ca",
        }
    finally:
        streaming.use_language(None)
    assert streaming.transcribe(samples, rate=RATE, beam_size=8) == own


@pytest.mark.parametrize("settings", [{"cell": "ligru"}, {"normalise": "recording"}])
def test_what_the_graphs_can_not_hold_is_refused(settings: dict[str, Any], spoken: Path, tmp_path: Path) -> None:
    small = SMALL | {"steps": 1, "validate_every": 1, "layers": 1}
    fitted = Transcriber(**small | settings).fit(spoken / "train", quiet=True)
    with pytest.raises(ExportError, match="can't be exported"):
        fitted.export(tmp_path / "graphs")


def test_units_may_be_words_or_byte_pairs(spoken: Path, tmp_path: Path) -> None:
    for token in ("word", "subword"):
        settings = SMALL | {"steps": 100, "validate_every": 50, "vocabulary_size": 9, "token": token, "layers": 1}
        transcriber = Transcriber(streaming=True, **settings).fit(spoken / "train", quiet=True)
        assert transcriber.evaluate(spoken / "test").cer < 0.9
        guided = transcriber.transcribe(
            say("dab"), rate=RATE, beam_size=4, n_best=2, hot_words=("dab",), hot_bonus=20.0
        )
        assert "dab" in guided.text.split()
        loaded = Transcriber.load(transcriber.save(tmp_path / token))
        assert loaded.transcribe(say("dab"), rate=RATE) == transcriber.transcribe(say("dab"), rate=RATE)


def test_what_can_not_be_learnt_is_left_out_or_refused(tmp_path: Path, spoken: Path) -> None:
    write(tmp_path / "some", range(6))
    (tmp_path / "some" / "003.txt").write_text("")
    (tmp_path / "some" / "004.txt").write_text("abcd " * 100)
    settings = SMALL | {"steps": 2, "validate_every": 1}
    transcriber = Transcriber(**settings).fit(tmp_path / "some", quiet=True)
    assert len(transcriber.fit_warnings) == 2  # the second is about the speakers
    assert "left out 2 recordings" in transcriber.fit_warnings[0]
    assert "the transcript is empty" in transcriber.fit_warnings[0]
    assert "steps; the transcript needs" in transcriber.fit_warnings[0]
    with pytest.raises(TooShortError, match="expected at least 2 usable recordings, got 1"):
        Transcriber(**settings).fit([Utterance(spoken / "train" / "000.wav", "ab", None, "here")], quiet=True)
    with pytest.raises(DataError, match="every transcript is empty"):
        Transcriber(**settings).fit([Utterance(spoken / "train" / "000.wav", " ", None, "here")] * 3, quiet=True)


def test_no_recordings_and_what_is_none(streaming: Transcriber) -> None:
    assert streaming.transcribe([]) == []
    for audio in (b"RIFF", io.BytesIO(b"RIFF"), bytearray(4)):
        with pytest.raises(DataError, match="expected a path, an array of samples, or a list of these, got"):
            streaming.transcribe(audio, rate=RATE)
    for rate in (0, -8000, "8000"):
        with pytest.raises(DataError, match="expected the sampling rate of the samples in Hz"):
            streaming.transcribe(numpy.zeros(800, numpy.float32), rate=rate)  # type: ignore[arg-type]


def test_a_closed_list_gives_listed_words_or_nothing(streaming: Transcriber) -> None:
    rng = numpy.random.default_rng(1)
    noises = [numpy.zeros(5 * RATE), *(rng.normal(0, level, 5 * RATE) for level in (1e-4, 1e-2, 0.1))]
    for samples in noises:
        for beam in (1 << 8, 4):
            found = streaming.transcribe(samples, rate=RATE, beam_size=beam, words=("cad", "dab"))
            assert set(found.text.split()) <= {"cad", "dab"}
            assert all(word.confidence >= 0.02 for word in found.words)
            assert " ".join(word.text for word in found.words) == found.text


def test_a_fit_ends_with_the_error_rates_of_its_validation_part(streaming: Transcriber, spoken: Path) -> None:
    metrics = streaming.metrics
    low, high = metrics["held_out_wer_interval"]
    assert 0 <= low <= metrics["held_out_wer"] <= high
    assert metrics["held_out_wer"] <= metrics["held_out_wer_greedy"]
    again = streaming.evaluate(spoken / "test", **metrics["options"])
    assert again.wer < 0.5
    given = Transcriber(**SMALL | {"steps": 2, "validate_every": 1}).fit(spoken / "train", spoken / "test", quiet=True)
    assert (given.metrics["validation"], given.metrics["held_out_recordings"]) == (12, 12)


def test_the_parts_of_a_folder_are_learnt_validated_and_tested(spoken: Path) -> None:
    told = Transcriber(**SMALL | {"steps": 2, "validate_every": 1}).fit(spoken, quiet=True)
    assert "50 files of the train part; left out: 12 of test" in told.fit_warnings[0]
    assert told.evaluate(spoken).utterances == 12
