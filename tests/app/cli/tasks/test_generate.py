"""`gruworks generate`: fit, write, score, evaluate, play; --json, --quiet, --out; what is refused; Ctrl-C and kill."""

from __future__ import annotations

import io
import json
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import gruworks.tasks.generate.fitting as fitting
from gruworks import Generator
from gruworks.data.text import Document
from gruworks.tasks.generate.verse.rhyme import rhyme_table
from tests.app.conftest import Answer, start
from tests.tasks.generate.conftest import TINY, poems, prose

Call = Callable[..., Answer]
FLAGS = [part for name, value in TINY.items() for part in (f"--{name.replace('_', '-')}", str(value))]


@pytest.fixture
def novel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`novel.txt` in an empty working folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "novel.txt").write_text(prose())
    return tmp_path / "novel.txt"


@pytest.fixture(scope="package")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder; tests read it only."""
    return Generator(**TINY).fit([Document(prose())], quiet=True).save(tmp_path_factory.mktemp("runs") / "run")


def test_a_fit_leaves_a_run_and_shows_samples_on_the_way(novel: Path, gruworks: Call) -> None:
    status, out, err = gruworks("generate", "fit", novel, *FLAGS)
    assert status == 0
    (run,) = (novel.parent / "runs").iterdir()
    assert run.name.startswith("generate-")
    assert f"gruworks generate write runs/{run.name} " in out
    assert "learning to write" in err
    assert len(err) > 4 * 100
    assert len(Generator.load(run).write(length=9)) == 9


def test_json_is_all_that_json_prints(novel: Path, gruworks: Call, written: Path) -> None:
    for arguments in (
        ("fit", novel, *FLAGS),
        ("write", written, "--prompt", "the", "--length", "9", "--n-samples", "2"),
        ("score", written, "the cat"),
        ("evaluate", written, novel),
    ):
        status, out, err = gruworks("generate", *arguments, "--json")
        assert (status, err) == (0, "")
        values = json.loads(out)
        if arguments[0] == "write":
            assert [len(one) for one in values["texts"]] == [9, 9]
        if arguments[0] == "score":
            assert [symbol for symbol, _ in values["log_probabilities"]] == list("the cat")
        if arguments[0] == "evaluate":
            assert values["perplexity"] < values["unigram_perplexity"]


def test_write_prints_streams_and_files_the_same_text(novel: Path, gruworks: Call, written: Path) -> None:
    arguments = ("generate", "write", written, "--prompt", "the", "--length", "30", "--quiet", "--out", "text.txt")
    status, plain, err = gruworks(*arguments)
    assert (status, err) == (0, "")
    assert (novel.parent / "text.txt").read_text() + "\n" == plain
    assert gruworks(*arguments, "--stream") == (0, plain, "")
    assert plain == "the" + Generator.load(written).write("the", length=30) + "\n"
    assert len(plain) == 3 + 30 + 1


def test_score_reads_standard_input(
    novel: Path, gruworks: Call, written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("the cat"))
    status, out, _ = gruworks("generate", "score", written, "-")
    assert status == 0
    assert "7 tokens, 7 characters; perplexity" in out


def test_evaluate_stands_beside_naive_models(novel: Path, gruworks: Call, written: Path) -> None:
    status, out, _ = gruworks("generate", "evaluate", written, novel, "--out", "scores")
    assert status == 0
    for text in ("GRU", "5-gram", "unigram", "perplexity", "bits per character", "0 unknown"):
        assert text in out
    assert json.loads((novel.parent / "scores" / "evaluation.json").read_text())["unknown"] == 0


def test_play_goes_on_with_what_was_typed_and_chosen(
    novel: Path, gruworks: Call, written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("the \n2\n红\n\n"))
    status, out, err = gruworks("generate", "play", written, "--length", "12", "--n-samples", "2", "--quiet")
    assert status == 0
    first, second = Generator.load(written).write_many("the ", length=12, n_samples=2)
    assert f"[1] {first}" in out
    assert f"[2] {second}" in out
    assert out.endswith(f"the {second}\n")
    assert out.count("[1]") == 3
    assert "has no '红'" in err


def test_poems_are_written_to_a_title(novel: Path, gruworks: Call) -> None:
    rows = [{"title": one.title, "lines": one.text.split()} for one in poems()]
    Path("poems.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert gruworks("generate", "fit", "poems.jsonl", *FLAGS, "--out", "poet", "--quiet")[0] == 0
    status, out, _ = gruworks("generate", "write", "poet", "--title", "春", "--quiet", "--seed", "1")
    assert status == 0
    assert 0 < len(out) < 100
    status, out, err = gruworks("generate", "verse", "poet", "--form", "lushi7")  # so few characters don't rhyme
    assert (status, out) == (2, "")
    assert err.count("\n") == 1


def test_verse_is_written_as_lines(novel: Path, gruworks: Call) -> None:
    characters = "".join(list(rhyme_table().readings)[::20])
    texts = [{"lines": list(characters[i : i + 4])} for i in range(len(characters) - 4)]
    Path("poems.jsonl").write_text("\n".join(map(json.dumps, texts)))
    flags = [*FLAGS, "--steps", "2", "--validate-every", "1", "--out", "poet", "--quiet"]
    assert gruworks("generate", "fit", "poems.jsonl", *flags)[0] == 0
    verse = ("generate", "verse", "poet", "--form", "jueju5", "--count", "2")
    status, out, err = gruworks(*verse, "--quiet")
    assert (status, err) == (0, "")
    assert [len(line) for line in out.split("\n")] == [5, 5, 5, 5, 0, 5, 5, 5, 5, 0]
    assert ["\n".join(poem) for poem in json.loads(gruworks(*verse, "--json")[1])["poems"]] == out.strip().split("\n\n")


BAD: dict[str, tuple[bytes | None, str]] = {
    "missing": (None, "there is no file bad.txt"),
    "empty": (b"", "bad.txt is empty: expected a file with training text"),
    "short": (b"too short", "9 tokens to learn from are not more than one window of 16"),
    "binary": (b"\x89PNG\0\0", "bad.txt is a binary file, not a text"),
    "latin": (b"caf\xe9" * 100, "bad.txt, line 1: not UTF-8 (byte 0xe9 at column 4)"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_one_line_and_status_2(name: str, novel: Path, gruworks: Call) -> None:
    content, message = BAD[name]
    if content is not None:
        Path("bad.txt").write_bytes(content)
    status, out, err = gruworks("generate", "fit", "bad.txt", *FLAGS)
    assert (status, out) == (2, "")
    assert err.startswith(f"gruworks: {message}")
    assert err.count("\n") == 1
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["write", "RUN", "--length", "0"], "Options.length must be between 1 and"),
        (["write", "RUN", "--temperature", "-1"], "Options.temperature must be between 0.0 and 100.0, not -1.0"),
        (["write", "RUN", "--prompt", "红"], "the fitted text has no '红'"),
        (["write", "RUN", "--stream", "--n-samples", "2"], "--stream shows one sampled text"),
        (["write", "RUN", "--stream", "--json"], "--stream shows one sampled text"),
        (["write", "novel.txt"], "novel.txt is a file, not a run folder; `gruworks generate fit novel.txt` makes one"),
        (["write", "nowhere"], "nowhere does not exist"),
        (["write", "EMPTY"], "is not a run folder (it has no run.json)"),
        (["score", "RUN", ""], "there is no text to score"),
        (["evaluate", "RUN", "novel.txt", "novel.txt"], "evaluate takes TEXT, or a run folder and TEXT"),
        (["fit", "novel.txt", "--resume", "RUN", "--out", "x"], "leave out --out"),
        (["fit", "novel.txt", "--resume", "RUN", "--seed", "9"], "was fitted with seed 0, not 9"),
        (["evaluate", "RUN", "novel.txt", "--kernel-size", "9"], "was fitted with kernel_size 4, not 9"),
        (["fit", "novel.txt", "--resume", "RUN"], "has no checkpoint to resume from"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_status_2(
    arguments: list[str], message: str, novel: Path, written: Path, gruworks: Call, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    places = {"RUN": str(written), "EMPTY": str(tmp_path / "empty")}
    if arguments[-1] == "RUN" and "--resume" in arguments:  # resuming asks for the same data
        places["RUN"] = str(Generator.load(written).save(tmp_path / "saved"))
        fitted = Generator.load(written)
        facts = json.loads((tmp_path / "saved" / "run.json").read_text())
        (tmp_path / "saved" / "run.json").write_text(json.dumps(facts | {"data": fitted.source}))
    status, out, err = gruworks("generate", *(places.get(part, part) for part in arguments))
    assert (status, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_ctrl_c_ends_in_one_line_and_status_130(novel: Path, gruworks: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    real, steps = fitting.text_loss, 0

    def interrupted(model: Any, batch: Any, state: Any) -> Any:
        nonlocal steps
        steps += model.training
        if steps == 25:
            raise KeyboardInterrupt
        return real(model, batch, state)

    monkeypatch.setattr(fitting, "text_loss", interrupted)
    status, out, err = gruworks("generate", "fit", "novel.txt", *FLAGS, "--out", "a run", "--quiet")
    assert (status, out) == (130, "")
    assert err == (
        "gruworks: interrupted; a run can be used as it is; go on with: "
        "gruworks generate fit novel.txt --resume 'a run'\n"
    )
    monkeypatch.setattr(fitting, "text_loss", real)
    status, resumed, err = gruworks("generate", "fit", "novel.txt", "--resume", "a run", "--quiet")
    assert (status, err) == (0, "")
    assert resumed == "run    a run\n"
    gruworks("generate", "fit", "novel.txt", *FLAGS, "--out", "whole", "--quiet")
    metrics = [json.loads(Path(run, "metrics.json").read_text()) for run in ("a run", "whole")]
    assert metrics[0] | {"minutes": 0} == metrics[1] | {"minutes": 0}


def test_a_run_is_continued_on_a_new_text_with_new_characters(novel: Path, gruworks: Call) -> None:
    gruworks("generate", "fit", "novel.txt", *FLAGS, "--out", "first", "--quiet")
    Path("more.txt").write_text("ωμέγα " * 100, encoding="utf-8")
    short = ["--steps", "4", "--validate-every", "2", "--quiet"]
    status, _, err = gruworks("generate", "fit", "more.txt", "--continue", "first", *short, "--out", "second")
    assert (status, err) == (0, "")
    assert gruworks("generate", "write", "second", "--prompt", "ω", "--length", "3", "--quiet")[0] == 0
    status, _, err = gruworks("generate", "fit", "more.txt", "--continue", "first", "--hidden-size", "7", *short)
    assert status == 2
    assert "was fitted with hidden_size" in err


def test_a_fit_that_was_killed_goes_on_to_the_same_model(novel: Path, gruworks: Call) -> None:
    """SIGKILL once the first checkpoint stands: nothing of the process may tidy up."""
    flags = [*FLAGS, "--steps", "100", "--patience", "400"]
    process = start("generate", "fit", novel, *flags, "--out", novel.parent / "run", cwd=novel.parent)
    while not (novel.parent / "run" / "checkpoints" / "last.ckpt").is_file():
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    status, _, err = gruworks("generate", "write", "run")
    assert status == 0
    assert "the fit of run was interrupted: these are its best weights so far" in err
    assert gruworks("generate", "fit", novel, "--resume", "run", "--quiet")[0] == 0
    assert gruworks("generate", "fit", novel, *flags, "--out", "whole", "--quiet")[0] == 0
    weights = [(novel.parent / name / "weights.safetensors").read_bytes() for name in ("run", "whole")]
    assert weights[0] == weights[1]
