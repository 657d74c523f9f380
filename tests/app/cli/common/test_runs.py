"""Common behaviour of all tasks' commands with runs."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from gruworks.app.cli.common.runs import begin, interruptible, load
from gruworks.app.cli.common.show import Show
from gruworks.errors import OptionError, RunError
from gruworks.tasks.forecast.config import Config
from gruworks.training.runs import RunFolder


def interrupted(run: Path) -> None:
    with interruptible(Show(), "forecast", run, "my file.csv", "--x", 1):
        raise KeyboardInterrupt


def test_ctrl_c_leaves_the_command_that_goes_on_or_says_that_there_is_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as left:
        interrupted(tmp_path)
    assert left.value.exit_code == 130
    assert "interrupted before the first checkpoint: there is nothing in" in capsys.readouterr().err
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "last.ckpt").write_text("")
    with pytest.raises(typer.Exit):
        interrupted(tmp_path)
    told = capsys.readouterr().err
    assert f"go on with: gruworks forecast fit 'my file.csv' --x 1 --resume {tmp_path}" in told


def test_resuming_takes_the_run_s_settings_and_refuses_others(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run", "forecast")
    run.write_json("config.json", Config(horizon=5).to_dict())
    forecaster, path = begin("forecast", Config(), run.path, None)
    assert (forecaster.config.horizon, path) == (5, run.path)
    with pytest.raises(OptionError, match="was fitted with horizon 5, not 6: leave the flag out or fit anew"):
        begin("forecast", Config(horizon=6), run.path, None)
    with pytest.raises(OptionError, match=r"--resume goes on in .*: leave out --out"):
        begin("forecast", Config(), run.path, tmp_path)


def test_a_file_is_no_run(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("")
    with pytest.raises(RunError, match=r"a.csv is a file, not a run folder; `gruworks forecast fit .*a.csv` makes one"):
        load("forecast", tmp_path / "a.csv")
