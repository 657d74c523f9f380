"""The papers' tables: what is planned is what the papers have, and the table holds published and ours."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from gruworks.errors import OptionError
from gruworks.lab import papers
from gruworks.lab.papers import PAPERS, reproduce
from gruworks.lab.problems.synthetic import SYNTHETIC
from gruworks.lab.settings import Experiment
from gruworks.nn.cells import make

SIZES = {"adding": 70_000, "copy": 16_000, "jsb": 300_000, "nottingham": 1_000_000}


@pytest.mark.parametrize("row", PAPERS["bai2018"].rows, ids=lambda row: row.name)
def test_bai_has_the_papers_sizes(row: papers.Row) -> None:
    inputs, outputs = SYNTHETIC[row.name][1:3] if row.name in SYNTHETIC else (88, 88)
    for cell, H in row.hidden.items():
        count = sum(p.numel() for p in make(cell, inputs, H, device="meta").parameters()) + outputs * (H + 1)
        assert count == pytest.approx(SIZES[row.name], rel=0.02)


def test_chung_has_the_papers_units() -> None:
    for row in PAPERS["chung2014"].rows:
        assert row.hidden == {"rnn": 100, "gru": 46, "gru-before": 46, "lstm": 36}
        assert row.published["gru"] == row.published["gru-before"]
        assert row.full.task == row.name
        assert row.quick.training.steps < row.full.training.steps


def test_the_files_source_is_held_against_150_thousand_parameters() -> None:
    for row in PAPERS["boulanger2012"].rows:
        count = sum(p.numel() for p in make("gru", 88, row.hidden["gru"], device="meta").parameters())
        assert 140_000 < count + 88 * (row.hidden["gru"] + 1) <= 150_000
        assert row.published["rnn"] > row.published["rnn-rbm"]


def test_each_table_has_its_number() -> None:
    assert all(re.search(r"arXiv \d{4}\.\d{4,5}, table \d:", paper.title) for paper in PAPERS.values())


def test_the_plain_unit_has_no_gates_to_set() -> None:
    copy = PAPERS["bai2018"].rows[1].full
    assert copy.memory == Experiment.of(copy, "gru", 3).memory == 1000
    assert Experiment.of(copy, "rnn", 3).memory == 0


def test_only_the_gru_has_what_regularises_it() -> None:
    jsb = PAPERS["bai2018"].rows[2].full
    assert Experiment.of(jsb, "gru-before", 3).recurrent_dropout == jsb.recurrent_dropout > 0
    assert Experiment.of(jsb, "lstm", 3).recurrent_dropout == Experiment.of(jsb, "gru+attention", 3).weight_dropout == 0


def tiny_paper() -> papers.Paper:
    """Bai's table with an adding problem of five numbers, two steps long."""
    paper = PAPERS["bai2018"]
    row = paper.rows[0]
    tiny = replace(row.quick, length=5, first_length=0, memory=5, test_rows=20)
    tiny = replace(tiny, training=replace(tiny.training, steps=2, validate_every=1, warm_up=1))
    return replace(paper, rows=(replace(row, hidden={"gru": 3, "rnn": 4}, quick=tiny), *paper.rows[1:]))


def test_a_table_has_published_and_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(papers.PAPERS, "bai2018", paper := tiny_paper())
    result = reproduce("bai2018", tmp_path, quick=True, only=["adding"], jobs=1)
    gru, rnn = result["rows"]
    assert (gru["published"], rnn["published"]) == (5.3e-5, 0.177)
    assert gru["ours - published"] == gru["ours"] - 5.3e-5
    assert gru["ours"] == json.loads((tmp_path / "adding-gru" / "metrics.json").read_text())["test"]
    page = (tmp_path / "papers.md").read_text()
    assert "Quick" in page
    assert all(note in page for note in paper.notes)
    assert json.loads((tmp_path / "papers.json").read_text()) == result


def test_unknown_names_are_refused(tmp_path: Path) -> None:
    for given, said in (
        (
            {"name": "elman1990"},
            "no paper 'elman1990'; there are: chung2014, boulanger2012, cho2014, bai2018, tracking",
        ),
    ):
        with pytest.raises(OptionError, match=said):
            reproduce(out=tmp_path, **given)
    with pytest.raises(OptionError, match="has no mnist; it has: adding"):
        reproduce("bai2018", tmp_path, only=["mnist"])
    with pytest.raises(OptionError, match="has no tcn; it has: gru"):
        reproduce("bai2018", tmp_path, cells=["tcn"])
