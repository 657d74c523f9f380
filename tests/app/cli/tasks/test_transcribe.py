"""`gruworks transcribe`: fit, run, evaluate, check, live; --json, --quiet, --out; what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy
import pytest
import soundfile

from gruworks import Transcriber
from tests.app.conftest import Answer
from tests.tasks.transcribe.conftest import RATE, SMALL, write

Call = Callable[..., Answer]
TINY = SMALL | {"steps": 4, "validate_every": 2, "hidden_size": 4, "channels": 4, "layers": 1}
FLAGS = [part for name, value in TINY.items() for part in (f"--{name.replace('_', '-')}", str(value))]


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of eight recordings."""
    return write(tmp_path_factory.mktemp("spoken") / "train", range(8))


@pytest.fixture(scope="module")
def run(spoken: Path) -> Path:
    """A streaming run, hardly fitted; tests read it only."""
    return Transcriber(streaming=True, **TINY).fit(spoken, quiet=True).save(spoken.parent / "run")


def test_a_fit_leaves_a_run(spoken: Path, gruworks: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    status, out, err = gruworks("transcribe", "fit", spoken, *FLAGS)
    assert status == 0, err
    (made,) = (tmp_path / "runs").iterdir()
    assert f"gruworks transcribe run runs/{made.name} " in out
    assert "learning to transcribe, 7 recordings" in err
    status, out, err = gruworks("transcribe", "fit", spoken, *FLAGS, "--out", "mine", "--json")
    assert (status, err) == (0, "")
    assert json.loads(out)["metrics"]["validation"] == 1
    status, _, err = gruworks("transcribe", "fit", spoken, "--resume", "mine", "--out", "x")
    assert (status, err.count("\n")) == (2, 1)


def test_recordings_of_one_name_have_files_of_their_own(
    run: Path, spoken: Path, gruworks: Call, tmp_path: Path
) -> None:
    files = [tmp_path / "a" / "1.wav", tmp_path / "b" / "1.wav", tmp_path / "b" / "1.flac", tmp_path / "b" / "2.wav"]
    for number, file in enumerate(files):
        file.parent.mkdir(exist_ok=True)
        soundfile.write(file, *soundfile.read(spoken / f"00{number}.wav"))
    out = tmp_path / "out"
    status, _, err = gruworks("transcribe", "run", run, *files, "--out", out)
    assert status == 0, err
    assert sorted(one.name for one in out.iterdir()) == ["a_1.wav.txt", "b_1.flac.txt", "b_1.wav.txt", "b_2.wav.txt"]
    gruworks("transcribe", "run", run, files[1], files[2], "--out", tmp_path / "two")
    assert sorted(one.name for one in (tmp_path / "two").iterdir()) == ["1.flac.txt", "1.wav.txt"]


def test_a_bad_file_costs_itself_alone(run: Path, spoken: Path, gruworks: Call, tmp_path: Path) -> None:
    (tmp_path / "bad.wav").write_text("no sound")
    files = [spoken / "000.wav", tmp_path / "bad.wav", spoken / "001.wav"]
    status, out, err = gruworks("transcribe", "run", run, *files, "--json")
    assert status == 2
    assert [("error" in one, "text" in one) for one in json.loads(out)["transcripts"]] == [
        (False, True), (True, False), (False, True)
    ]  # fmt: skip
    assert "bad.wav can't be read as audio" in err
    status, out, err = gruworks("transcribe", "run", run, *files, "--format", "srt")
    assert (status, out.count("# ")) == (2, 2)
    assert err.splitlines()[-1] == "gruworks: 1 of 3 recordings could not be transcribed"


def test_recordings_are_transcribed(run: Path, spoken: Path, gruworks: Call, tmp_path: Path) -> None:
    files = [spoken / "000.wav", spoken / "001.wav"]
    expected = [one.to_dict() for one in Transcriber.load(run).transcribe(files, beam_size=4)]
    status, out, err = gruworks("transcribe", "run", run, *files, "--beam-size", 4, "--json")
    assert (status, err) == (0, "")
    for found, wanted, file in zip(json.loads(out)["transcripts"], expected, files, strict=True):
        assert found == {"file": str(file), **json.loads(json.dumps(wanted))}
    status, out, _ = gruworks("transcribe", "run", run, *files, "--quiet")
    assert [line.split(":")[0] for line in out.splitlines()] == [str(file) for file in files]
    for form, beginning in (("srt", ""), ("vtt", "WEBVTT\n"), ("text", "")):
        status, out, err = gruworks("transcribe", "run", run, *files, "--format", form, "--out", tmp_path / "texts")
        assert status == 0, err
        suffix = "txt" if form == "text" else form
        assert (tmp_path / "texts" / f"000.{suffix}").read_text().startswith(beginning)


def test_an_evaluation_is_shown_and_written(run: Path, spoken: Path, gruworks: Call, tmp_path: Path) -> None:
    status, out, err = gruworks("transcribe", "evaluate", run, spoken, "--out", tmp_path)
    assert status == 0, err
    assert "word error rate (WER)" in out
    assert "reference   " in out
    written = json.loads((tmp_path / "evaluation.json").read_text())
    status, out, _ = gruworks("transcribe", "evaluate", run, spoken, "--json")
    clocked = {"real_time_factor": 0, "latency": None, "peak_memory": 0}
    assert json.loads(out) | clocked == written | clocked
    wait = written["latency"]
    assert wait["utterances"] == 8
    assert 0 < wait["first_p50"] <= wait["first_p95"]
    assert 0 < wait["final_p50"] <= wait["final_p95"] < 60
    assert written["peak_memory"] > 50


def test_a_text_is_aligned(run: Path, spoken: Path, gruworks: Call) -> None:
    status, out, err = gruworks("transcribe", "align", run, spoken / "000.wav", "bad cab", "--json")
    assert (status, err) == (0, "")
    words = json.loads(out)["words"]
    assert [one["text"] for one in words] == ["bad", "cab"]
    assert words[0]["end"] <= words[1]["start"]
    status, _, err = gruworks("transcribe", "align", run, spoken / "000.wav", "xyz")
    assert status == 2
    assert "not in the vocabulary" in err


def test_a_language_model_goes_out_and_in_as_arpa(run: Path, spoken: Path, gruworks: Call, tmp_path: Path) -> None:
    path = tmp_path / "own.arpa"
    status, _, err = gruworks("transcribe", "language", run, "--out", path)
    assert (status, err) == (0, "")
    assert path.read_text().startswith("\\data\\")
    same = [
        gruworks("transcribe", "run", run, spoken / "000.wav", "--beam-size", "8", *more)
        for more in ((), ("--arpa", path))
    ]
    assert same[0] == same[1]
    assert same[0][0] == 0
    status, _, err = gruworks("transcribe", "run", run, spoken / "000.wav", "--arpa", path)
    assert status == 2
    assert "--arpa needs a beam" in err
    path.write_text("nothing")
    status, _, err = gruworks("transcribe", "evaluate", run, spoken, "--beam-size", "8", "--arpa", path)
    assert status == 2
    assert "no ARPA file" in err


def test_a_check_says_what_is_wrong(
    spoken: Path, gruworks: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")  # a table folds its cells on a narrow screen, whatever the length of the paths
    assert gruworks("transcribe", "check", spoken, "--quiet") == (0, "", "")
    for part in ("train", "test"):
        write(tmp_path / "parts" / part, range(3) if part == "train" else range(30, 33))
    status, out, _ = gruworks("transcribe", "check", tmp_path / "parts")
    assert "3 files of the train part; left out: 3 of test" in out
    assert "3 recordings" in out
    (tmp_path / "parts" / "train" / "lost.txt").write_text("bad")
    status, out, _ = gruworks("transcribe", "check", tmp_path / "parts", "--json")
    assert [one["kind"] for one in json.loads(out)["findings"]].count("left out") == 1
    other = write(tmp_path / "other", range(30, 33))
    (other / "031.wav").write_text("no sound")
    status, out, _ = gruworks("transcribe", "check", other, "--test", spoken)
    assert status == 1
    assert "unreadable" in out
    assert "031.wav can't be read as audio" in out
    status, out, _ = gruworks("transcribe", "check", spoken, "--test", spoken, "--json")
    assert status == 1
    assert {one["kind"] for one in json.loads(out)["findings"]} == {"shared file", "shared text"}


def test_live_plays_a_file(run: Path, spoken: Path, gruworks: Call) -> None:
    status, out, err = gruworks("transcribe", "live", run, spoken / "000.wav", "--json")
    assert (status, err) == (0, "")
    found = json.loads(out)
    expected = Transcriber.load(run).transcribe(spoken / "000.wav")
    assert " ".join(one["text"] for one in found["segments"]) == expected.text
    assert found["seconds"] == pytest.approx(soundfile.info(spoken / "000.wav").duration, abs=1e-3)
    status, out, err = gruworks("transcribe", "live", run, spoken / "000.wav")
    assert (status, err) == (0, "")
    assert "algorithmic latency" in out


def test_what_is_refused_is_one_line(run: Path, spoken: Path, gruworks: Call, tmp_path: Path) -> None:
    samples = numpy.full(4000, numpy.nan)
    soundfile.write(tmp_path / "nan.wav", samples, RATE, subtype="FLOAT")
    (tmp_path / "m.jsonl").write_text('{"audio_filepath": "a.wav", "text": "x"}\n{')
    both = Transcriber(**TINY).fit(spoken, quiet=True).save(tmp_path / "both")
    for arguments, text in {
        ("run", run, tmp_path / "nan.wav"): "expected a finite number",
        ("run", run, tmp_path / "none.wav"): "does not exist",
        ("run", tmp_path / "nan.wav", tmp_path / "nan.wav"): "is a file, not a run folder",
        ("fit", tmp_path / "m.jsonl"): "line 2: not JSON",
        ("check", tmp_path / "m.jsonl"): "line 2: not JSON",
        ("live", both, spoken / "000.wav"): "bidirectional",
        ("run", run, spoken / "000.wav", "--lexicon-only"): "--beam-size 16",
        ("evaluate", run, tmp_path / "none"): "does not exist",
    }.items():
        status, out, err = gruworks("transcribe", *arguments)
        assert (status, out, err.count("\n")) == (2, "", 1), err
        assert err.startswith("gruworks: ")
        assert text in err
