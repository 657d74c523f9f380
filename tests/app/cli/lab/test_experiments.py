"""`gruworks lab compare`, `gradients` and `papers` as a person calls them, on tasks of a second."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gruworks.app.cli.lab import experiments
from gruworks.lab import papers
from tests.lab.test_papers import tiny_paper
from tests.lab.tracking.test_table import shortened

TINY = ["--length", "5", "--steps", "4", "--validate-every", "2", "--test-rows", "10", "--warm-up", "1", "--jobs", "1"]


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_compare_writes_all_three_and_goes_on(gruworks: Callable[..., tuple[int, str, str]]) -> None:
    call = ["lab", "compare", "--cells", "rnn, gru", "--seeds", 2, "--parameters", 200, *TINY, "--out", "here"]
    status, out, err = gruworks(*call)
    assert status == 0, err
    result = json.loads(Path("here/compare.json").read_text())
    assert list(result["cells"]) == ["rnn", "gru"]
    assert "native" in out
    assert f"{result['cells']['gru']['mean']:.3f}"[:5] in out
    assert Path("here/compare.png").stat().st_size > 10_000
    assert Path("here/compare.md").read_text().startswith("| cell |")
    status, out, _ = gruworks(*call, "--json")
    assert json.loads(out)["cells"]["gru"]["test"] == result["cells"]["gru"]["test"]


def test_gradients_are_tabled_and_drawn(gruworks: Callable[..., tuple[int, str, str]]) -> None:
    status, out, err = gruworks("lab", "gradients", "--hidden", 4, "--rows", 2, *TINY)
    assert status == 0, err
    assert [line.split()[0] for line in out.splitlines() if "trained" in line] == ["rnn", "lstm", "gru"]
    (folder,) = Path("runs").glob("lab-gradients-*")
    assert (folder / "gradients.png").stat().st_size > 10_000
    assert set(json.loads((folder / "gradients.json").read_text())["reaches"]) == {"rnn", "lstm", "gru", "held"}


def test_papers_prints_published_and_ours(
    gruworks: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(papers.PAPERS, "bai2018", tiny_paper())
    status, out, err = gruworks("lab", "papers", "bai2018", "--only", "adding", "--jobs", 1, "--out", "p")
    assert status == 0, err
    assert "published" in out
    assert "T = 100" in out
    assert Path("p/papers.md").exists()


def test_the_table_of_state_tracking_is_printed(
    gruworks: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    shortened(monkeypatch)
    call = ["lab", "papers", "tracking", "--only", "a5", "--cells", "rnn", "--jobs", 1, "--out", "t"]
    status, out, err = gruworks(*call)
    assert status == 0, err
    assert "a5" in out
    assert "Quick: one seed" in out
    assert Path("t/papers.md").exists()


def test_ctrl_c_says_how_to_go_on(
    gruworks: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from gruworks.lab import gradient_study

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(gradient_study, "reaches", interrupted)
    status, _, err = gruworks("lab", "gradients", *TINY, "--out", "g")
    assert status == 130
    assert "--out g goes on" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["compare", "--cells", "gur"], "there is no cell 'gur'; there are: rnn"),
        (["compare", "--task", "juggling"], "there is no task 'juggling'"),
        (["gradients", "--cells", ""], "got none"),
        (
            ["papers", "cho1999"],
            "there is no paper 'cho1999'; there are: chung2014, boulanger2012, cho2014, bai2018, tracking",
        ),
        (["compare", "--length", "1"], "length must be at least 2"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    gruworks: Callable[..., tuple[int, str, str]], arguments: list[str], said: str
) -> None:
    status, _, err = gruworks("lab", *arguments)
    assert status == 2
    assert said in err
    assert len(err.splitlines()) == 1


def test_the_picture_has_a_panel_a_question() -> None:
    curve = {"mean": [1.0, 0.1], "low": [1.0, 0.1], "high": [1.0, 0.2]}
    one = {"task": curve, "random": curve, "loss": [1.0, 0.5]}
    found = {"length": 1, "reaches": {"gru": {"initial": one, "trained": one, "test": 1.0}, "held": {"z = 1": curve}}}
    panels = experiments.panels_of_reach(found)
    assert [list(panel.curves) for panel in panels] == [["gru"], ["gru"], ["gru"], ["z = 1"]]
