"""`gruworks translate`: fit, run, evaluate, score, explain, play; streaming; what is refused; Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gruworks import Translator
from gruworks.app.cli.tasks import translate as command
from gruworks.errors import DataError
from tests.app.conftest import Answer, start
from tests.tasks.translate.conftest import SHORT, TINY, toy

Call = Callable[..., Answer]
FLAGS = [part for name, value in SHORT.items() for part in (f"--{name.replace('_', '-')}", str(value))]
SOURCES, WANTED = map(list, zip(*toy(1), strict=True))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on the toy language; tests read it only."""
    return Translator(**TINY).fit(toy(), quiet=True).save(tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture
def pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`pairs.tsv`, `a.de` and `a.en` in an empty working folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pairs.tsv").write_text("".join(f"{s}\t{t}\n" for s, t in toy(1)), encoding="utf-8")
    (tmp_path / "a.de").write_text("\n".join(SOURCES) + "\n", encoding="utf-8")
    (tmp_path / "a.en").write_text("\n".join(WANTED) + "\n", encoding="utf-8")
    return tmp_path / "pairs.tsv"


def test_a_fit_leaves_a_run_and_says_what_next(pairs: Path, gruworks: Call) -> None:
    status, out, err = gruworks("translate", "fit", "a.de", "a.en", "--validation-pairs", pairs, *FLAGS)
    assert status == 0
    (made,) = (pairs.parent / "runs").iterdir()
    assert made.name.startswith("translate-")
    assert f"gruworks translate run runs/{made.name}" in out
    assert "36 pairs to learn from, 36 to validate on" in out
    assert "learning de → en" in err  # the progress bar
    assert Translator.load(made).fitted


def test_json_is_all_that_json_prints(pairs: Path, run: Path, gruworks: Call) -> None:
    for arguments in (
        ("fit", pairs, *FLAGS, "--out", "mine"),
        ("evaluate", run, pairs),
        ("score", run, "a.de", "a.en"),
        ("explain", run, SOURCES[0], "--out", "mine"),
    ):
        status, out, err = gruworks("translate", *arguments, "--json")
        assert (status, err) == (0, ""), arguments
        assert isinstance(json.loads(out), dict)


def test_a_file_is_translated_line_by_line(pairs: Path, run: Path, gruworks: Call) -> None:
    Path("lines.txt").write_text(f"{SOURCES[0]}\n\n{SOURCES[-1]}\n", encoding="utf-8")
    status, out, err = gruworks("translate", "run", run, "lines.txt")
    first, last = Translator.load(run).translate([SOURCES[0], SOURCES[-1]])
    assert (status, out, err) == (0, f"{first}\n\n{last}\n", "")
    status, out, _ = gruworks("translate", "run", run, "lines.txt", "--n-best", "3", "--with", run)
    assert out.splitlines()[0].startswith(f"1 ||| {first} ||| -0.")
    assert "2 |||  ||| 0.000000" in out
    status, out, _ = gruworks("translate", "run", run, "lines.txt", "--json")
    assert [json.loads(line)["line"] for line in out.splitlines()] == [1, 2, 3]


def test_check_tells_what_a_fit_would_drop(pairs: Path, gruworks: Call) -> None:
    status, out, err = gruworks("translate", "check", pairs)
    assert (status, err) == (0, "")
    assert "36 pairs, 0 of them to be dropped" in out
    with pairs.open("a", encoding="utf-8") as file:
        file.write(f"ein Hund\t\n{SOURCES[0]}\t{WANTED[0]}\n")
    status, out, err = gruworks("translate", "check", pairs, "--test", pairs)
    assert (status, err) == (1, "")
    assert "pair 37, with an empty side: ein Hund ||| " in out
    assert "pair 38, occurs more than once" in out
    status, out, _ = gruworks("translate", "check", pairs, "--json")
    assert [one["pair"] for one in json.loads(out)["findings"]] == [37, 38]


def test_lists_are_ranked_anew_by_another_run(pairs: Path, run: Path, gruworks: Call) -> None:
    poor = Translator(**SHORT).fit(toy(1), quiet=True).save(pairs.parent / "poor")
    status, out, err = gruworks("translate", "tune", poor, pairs, "--by", run, "--lists", "4", "--out", "ranks.json")
    assert (status, err) == (0, "")
    assert f"log p(en | de) by {run}" in out
    assert "gruworks translate rescore ranks.json" in out
    Path("lines.txt").write_text(f"{SOURCES[0]}\n\n{SOURCES[-1]}\n", encoding="utf-8")
    status, out, err = gruworks("translate", "rescore", "ranks.json", "lines.txt")
    first, empty, last = out.splitlines()
    assert (status, err, empty) == (0, "", "")
    lists = Translator.load(poor).n_best([SOURCES[0], SOURCES[-1]], n_best=4, beam_size=5)
    assert [text in {one.text for one in found} for text, found in zip((first, last), lists, strict=True)] == [True] * 2
    status, out, _ = gruworks("translate", "tune", poor, pairs, "--by", run, "--lists", "4", "--json")
    assert json.loads(out)["bleu"].keys() == {"before", "after"}


def test_samples_are_scored_too(pairs: Path, run: Path, gruworks: Call) -> None:
    status, out, _ = gruworks("translate", "run", run, "a.de", "--sample", "--json")
    assert status == 0
    assert json.loads(out.splitlines()[0])["answers"][0]["score"] < 0


def test_the_filter_answers_each_line_as_it_comes(run: Path) -> None:
    process = start("translate", "run", run, stdin=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    expected = Translator.load(run).translate(SOURCES[:2])
    for line, answer in zip(SOURCES[:2], expected, strict=True):
        process.stdin.write(line + "\n")
        process.stdin.flush()
        assert process.stdout.readline() == answer + "\n"  # before the next line is given
    out, err = process.communicate("\n" + SOURCES[0])  # no line end at the end
    assert (out, err, process.returncode) == (f"\n{expected[0]}\n", "", 0)


def test_arriving_lines_keep_their_order_whatever_the_pieces() -> None:
    text = "ä\n\nb\r\nlast"
    reading, writing = os.pipe()
    for piece in (text.encode()[:1], text.encode()[1:4], text.encode()[4:]):
        os.write(writing, piece)
    os.close(writing)
    assert [line for lines in command._arriving(reading) for line in lines] == ["ä", "", "b", "last"]
    os.close(reading)


def test_lines_before_a_broken_one_are_answered() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"one\ntwo\n\xff\nfour\n")
    os.close(writing)
    arriving = command._arriving(reading)
    assert next(arriving) == ["one", "two"]
    with pytest.raises(DataError, match="standard input, line 3: not UTF-8"):
        next(arriving)
    os.close(reading)


def test_evaluate_prints_scores_lengths_and_the_worst(pairs: Path, run: Path, gruworks: Call) -> None:
    status, out, _ = gruworks("translate", "evaluate", run, "a.de", "a.en", "--out", "mine", "--beam-size", "2")
    assert status == 0
    assert all(word in out for word in ("BLEU", "chrF", "copied source", "tok:13a", "1-10", "worst by chrF"))
    assert json.loads(Path("mine/evaluation.json").read_text())["sentences"] == len(SOURCES)
    status, out, err = gruworks("translate", "evaluate", run, "a.en", "a.de")
    assert (status, out) == (2, "")
    assert "are given as de and en: give a.de first" in err


def test_score_prints_a_number_a_pair(pairs: Path, run: Path, gruworks: Call) -> None:
    status, out, _ = gruworks("translate", "score", run, pairs)
    expected = Translator.load(run).score(toy(1))
    assert status == 0
    assert [float(line) for line in out.split()] == pytest.approx(expected, abs=1e-5)


def test_explain_draws_a_picture(pairs: Path, run: Path, gruworks: Call) -> None:
    status, out, _ = gruworks("translate", "explain", run, "Katze singt .", "--out", "mine")
    assert status == 0
    assert "source" in out
    assert Path("mine/attention.png").stat().st_size > 3000


def test_play_answers_until_an_empty_line(run: Path, gruworks: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    typed: Iterator[str] = iter([SOURCES[0], "Ωμέγα", "", "never read"])
    monkeypatch.setattr("builtins.input", lambda prompt: next(typed))
    status, out, _ = gruworks("translate", "play", run)
    assert status == 0
    assert f"en> {Translator.load(run).translate(SOURCES[0])}" in out
    assert "a script that the fit has not seen" in out
    assert next(typed) == "never read"


def test_remarks_go_to_standard_error_once(pairs: Path, run: Path, gruworks: Call) -> None:
    _, out, err = gruworks("translate", "run", run, "a.en")
    assert err == "gruworks: these lines look like en: this run translates de to en\n"
    assert len(out.splitlines()) == len(WANTED)
    assert gruworks("translate", "run", run, "a.en", "--quiet")[2] == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "RUN", "a.de", "--beam-size", "0"), "beam_size must be between 1 and 1000, not 0"),
        (("run", "RUN", "broken.txt"), "broken.txt, line 2: not UTF-8"),
        (("run", "RUN", "missing.txt"), "can't read missing.txt"),
        (("run", "nowhere", "a.de"), "nowhere does not exist"),
        (("fit", "a.de", "short.en"), "a.de has 36 lines and short.en has 1"),
        (("fit", "a.de", "a.en", "a.en"), "got 3 paths"),
        (("fit", "a.de"), "a.de is one file"),
        (("fit", "pairs.tsv", "--resume", "RUN", "--out", "x"), "leave out --out"),
        (("fit", "pairs.tsv", "--resume", "RUN", "--hidden-size", "7"), "was fitted with hidden_size 32, not 7"),
        (("explain", "RUN", " "), "an empty line"),
    ],
)
def test_what_is_refused_in_one_line(
    pairs: Path, run: Path, gruworks: Call, arguments: tuple[str, ...], message: str
) -> None:
    Path("broken.txt").write_bytes(b"ok\nna\xefve\n")
    Path("short.en").write_text("one\n")
    status, out, err = gruworks("translate", *(str(run) if part == "RUN" else part for part in arguments))
    assert (status, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_ctrl_c_says_how_to_go_on(pairs: Path, gruworks: Call) -> None:
    flags = [*FLAGS, "--steps", "100000", "--patience", "100000"]
    process = start("translate", "fit", "a.de", "a.en", *flags, "--out", "mine", "--quiet", cwd=pairs.parent)
    last = pairs.parent / "mine" / "checkpoints" / "last.ckpt"
    ends = time.monotonic() + 120
    while not last.is_file() and time.monotonic() < ends:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "go on with: gruworks translate fit a.de a.en --resume mine" in err
