"""`gruworks lab trace` of runs, text and numbers through a fresh unit."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.numpy

from gruworks.lab.gates import memory_length


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_text_through_a_fresh_unit(gruworks: Callable[..., tuple[int, str, str]]) -> None:
    status, out, err = gruworks("lab", "trace", "--text", "ab\nab", "--hidden", 3, "--json", "--out", "t")
    assert status == 0, err
    shown = json.loads(out)
    assert shown["reads"] == ["a", "b", "\\n", "a", "b"]
    arrays = safetensors.numpy.load(Path(shown["arrays"]).read_bytes())
    assert arrays["update"].tolist() == shown["z_t"]
    assert [unit["memory (steps)"] for unit in shown["units"]] == pytest.approx(memory_length(arrays["update"]))
    assert Path("t/gates.png").stat().st_size > 5_000


def test_a_trained_run(gruworks: Callable[..., tuple[int, str, str]], fitted: Path) -> None:
    status, out, err = gruworks("lab", "trace", "--run", fitted, "--out", "t")
    assert status == 0, err
    assert "the GRU of a forecaster" in out
    assert "the first 40 of" in out
    assert "memory" in out


def test_numbers_through_a_fresh_unit_and_a_trained_one(gruworks: Callable[..., tuple[int, str, str]]) -> None:
    status, out, _ = gruworks("lab", "trace", "1", "2", "3", "--fresh", "--hidden", 2, "--out", "t", "--quiet")
    assert status == 0
    assert "an untrained GRU of 2 units" in out
    status, out, _ = gruworks("lab", "trace", "1", "2", "3", "--out", "t", "--json")
    assert len(json.loads(out)["units"]) == 8


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "not nothing"),
        (["1", "2", "3", "--text", "a"], "not numbers and --text"),
        (["--run", "nowhere"], "nowhere does not exist"),
        (["--text", ""], "one character or more"),
        (["--fresh", "x"], "got 'x'"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    gruworks: Callable[..., tuple[int, str, str]], arguments: list[str], said: str
) -> None:
    status, _, err = gruworks("lab", "trace", *arguments)
    assert status == 2
    assert said in err
    assert len(err.splitlines()) == 1
