"""A comparison: equal parameters, every seed, one table; run twice it trains nothing anew."""

from __future__ import annotations

import json
import statistics
from dataclasses import replace
from pathlib import Path

import pytest

from gruworks.errors import OptionError
from gruworks.lab.compare import compare, markdown, run_all, table
from gruworks.lab.settings import FIT, Experiment, Study

STUDY = Study(length=5, test_rows=20, training=replace(FIT, steps=4, validate_every=2, batch_size=4, warm_up=1))


def test_each_cell_and_seed_is_trained_at_equal_parameters(tmp_path: Path) -> None:
    result = compare(STUDY, ["rnn", "gru", "mingru"], 2, 400, tmp_path, jobs=1)
    assert result == json.loads((tmp_path / "compare.json").read_text())
    for name, cell in result["cells"].items():
        assert abs(cell["parameters"] - 400) < 40
        runs = [json.loads((tmp_path / f"{name}-{seed}" / "metrics.json").read_text()) for seed in range(2)]
        assert cell["test"] == [one["test"] for one in runs]
        assert cell["test"][0] != cell["test"][1]
        assert cell["spread"] == pytest.approx(abs(cell["test"][0] - cell["test"][1]) / 2)
        assert cell["curve"]["mean"][-1] == pytest.approx(
            statistics.fmean(one["curve"]["val_loss"][-1] for one in runs)
        )
    rows = table(result)
    assert [(row["cell"], row["engine"].split()[0]) for row in rows][:2] == [("rnn", "equations"), ("rnn", "torch's")]
    assert [row["cell"] for row in rows] == ["rnn", "rnn", "gru", "gru", "mingru"]
    assert all(row["µs/step"] > 0 and row["bytes/step"] > 0 for row in rows)
    assert (tmp_path / "compare.md").read_text() == markdown(rows)
    weights = tmp_path / "gru-0" / "weights.safetensors"
    before = weights.stat().st_mtime_ns
    again = compare(STUDY, ["rnn", "gru", "mingru"], 2, 400, tmp_path, jobs=1)
    assert weights.stat().st_mtime_ns == before
    assert again["cells"]["gru"]["test"] == result["cells"]["gru"]["test"]


def test_processes_give_what_one_process_gives(tmp_path: Path) -> None:
    planned = [Experiment.of(STUDY, "gru", hidden) for hidden in (3, 4)]
    alone = run_all([(one, tmp_path / f"a{i}") for i, one in enumerate(planned)], jobs=1)
    together = run_all([(one, tmp_path / f"b{i}") for i, one in enumerate(planned)], jobs=2)
    assert [one["test"] for one in alone] == [one["test"] for one in together]
    assert [one["hidden"] for one in together] == [3, 4]


def test_what_cannot_be_compared_is_refused(tmp_path: Path) -> None:
    for cells, seeds, said in (
        (["gur"], 1, "no cell 'gur'"),
        ([], 1, "at least one cell"),
        (["gru"], 0, "one seed"),
    ):
        with pytest.raises(OptionError, match=said):
            compare(STUDY, cells, seeds, 400, tmp_path)
    assert not list(tmp_path.iterdir())
