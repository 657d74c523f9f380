"""The models that the package brings: all there, small, with cards, and loadable."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy
import pandas
import pytest

from gruworks.data.samples import write
from gruworks.errors import OptionError
from gruworks.tasks import ready, registry
from gruworks.training.runs import FORMAT
from tests.tolerances import FORECAST_STREAM

MEGABYTES = 12


def test_all_are_there_and_small_together() -> None:
    assert [one.name for one in ready.present()] == [one.name for one in ready.READY]
    whole = sum(file.stat().st_size for file in ready.FOLDER.rglob("*") if file.is_file())
    assert whole < MEGABYTES * 1_000_000


@pytest.mark.parametrize("one", ready.READY, ids=lambda one: one.name)
def test_each_has_a_card_and_loads(one: ready.Ready) -> None:
    card = one.card()
    assert all(card[name] for name in ("about", "data", "licence", "figures", "limits"))
    assert set(card["zh"]) == {"about", "data", "licence", "limits"}
    assert registry.estimator(one.task).load(one.path).fitted


@pytest.mark.parametrize("one", ready.READY, ids=lambda one: one.name)
def test_each_is_of_the_newest_format_with_the_sum_of_every_file(one: ready.Ready) -> None:
    facts, files = json.loads((one.path / "run.json").read_text()), {}
    for path in one.path.rglob("*"):
        if path.is_file() and path.name != "run.json":
            files[path.relative_to(one.path).as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
    assert (facts["format"], facts["sha256"]) == (FORMAT, files)


@pytest.mark.parametrize("one", [one for one in ready.READY if "options" in one.card()], ids=lambda one: one.name)
def test_the_options_of_a_card_are_options_of_its_task(one: ready.Ready) -> None:
    assert registry.settings(one.task, "Options").from_flat(one.card()["options"])


def test_a_task_without_one_is_refused() -> None:
    with pytest.raises(OptionError, match="no ready model for nothing"):
        ready.find("nothing")


def test_the_ready_forecast_is_pinned() -> None:
    """Low, median and high at the first, second and last step ahead, as format 1 of the run folder gave them."""
    found = registry.estimator("forecast").load(ready.find("forecast").path).predict()
    assert found["ds"].astype(str).iloc[0] == "2016-01-01"
    rows = found[["y_hat-lo-80", "y_hat", "y_hat-hi-80"]].iloc[[0, 1, -1]].to_numpy()
    expected = [
        [4.586412404155743, 6.956345413407346, 9.801397874528016],
        [4.828466172725111, 7.810333077018963, 11.123820163497989],
        [5.884558541139029, 8.879891304257079, 14.065866191419536],
    ]
    assert rows == pytest.approx(numpy.array(expected), abs=FORECAST_STREAM)


def test_the_sample_digits_are_transcribed_as_the_docs_say(tmp_path: Path) -> None:
    folder, one = write("digits", tmp_path), ready.find("transcribe")
    table = pandas.read_csv(folder / "transcripts.csv")
    model = registry.estimator("transcribe").load(one.path)
    found = model.transcribe([folder / name for name in table["audio"]], **one.card()["options"])
    wrong = [name for name, text, said in zip(table["audio"], table["text"], found, strict=True) if said.text != text]
    assert len(table) == 32
    assert wrong == ["slt-4.flac", "slt-5.flac", "slt-6.flac"]
