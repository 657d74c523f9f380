"""`gruworks forecast`: fit, predict, evaluate; --json, --quiet, --debug, --out; what is refused; Ctrl-C and kill."""

from __future__ import annotations

import hashlib
import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pandas
import polars
import pytest

import gruworks.tasks.forecast.fitting as fitting
from gruworks import Forecaster
from tests.app.conftest import FLAGS, Answer, start
from tests.tasks.forecast.conftest import TINY, wavy

Call = Callable[..., Answer]


def test_a_fit_leaves_a_run_a_table_and_a_picture(csv: Path, gruworks: Call) -> None:
    status, out, err = gruworks("forecast", "fit", csv, *FLAGS)
    assert status == 0
    (run,) = (csv.parent / "runs").iterdir()
    assert run.name.startswith("forecast-")
    assert f"gruworks forecast predict runs/{run.name}" in out
    assert "learning y, 5 ahead" in err  # the progress bar
    written = pandas.read_csv(run / "forecast.csv")
    assert list(written.columns) == ["unique_id", "ds", "y_hat", "y_hat-lo-80", "y_hat-hi-80"]
    assert written["ds"].tolist() == [f"2020-05-{day}" for day in range(20, 25)]
    assert all(day in out for day in written["ds"])
    assert (run / "forecast.png").stat().st_size > 10_000
    assert written["y_hat"].tolist() == pytest.approx(Forecaster.load(run).predict()["y_hat"].tolist())


def test_json_is_all_that_json_prints(csv: Path, gruworks: Call, fitted: Path) -> None:
    for arguments in (
        ("fit", csv, *FLAGS, "--out", "mine"),
        ("predict", fitted, "--out", "mine"),
        ("predict", fitted, csv, "--out", "mine"),
        ("evaluate", csv, *FLAGS, "--origins", "2"),
    ):
        status, out, err = gruworks("forecast", *arguments, "--json")
        assert (status, err) == (0, "")
        values = json.loads(out)
        if arguments[0] == "evaluate":
            assert values["origins"] == 2
            assert {"GRU", "last value"} <= {score["model"] for score in values["scores"]}
        else:
            assert [row["ds"] for row in values["forecast"]] == [f"2020-05-{day}" for day in range(20, 25)]
            assert values["metrics"]["trained"] is True


def test_quiet_prints_the_answer_alone(csv: Path, gruworks: Call) -> None:
    status, out, err = gruworks("forecast", "fit", csv, *FLAGS, "--out", "mine", "--quiet")
    assert (status, err) == (0, "")
    assert len(out.splitlines()) == 2 + 5
    assert "next" not in out
    assert (csv.parent / "mine" / "run.json").is_file()


def test_predict_goes_on_from_newer_rows(csv: Path, gruworks: Call, fitted: Path) -> None:
    wavy(150).to_csv(csv, index=False)
    status, out, _ = gruworks("forecast", "predict", fitted, csv, "--mean", "--out", "there", "--json")
    assert status == 0
    assert json.loads(out)["forecast"][0]["ds"] == "2020-05-30"
    assert "y_hat-mean" in json.loads(out)["forecast"][0]
    assert sorted(path.name for path in (csv.parent / "there").iterdir()) == ["forecast.csv", "forecast.png"]


def test_evaluate_names_the_season_and_who_is_better(csv: Path, gruworks: Call) -> None:
    status, out, _ = gruworks("forecast", "evaluate", csv, *FLAGS, "--details", "--out", "scores")
    assert status == 0
    assert json.loads((csv.parent / "scores" / "evaluation.json").read_text())["mase_season"] == 7
    for text in ("MASE (7)", "last value", "mean of the last 5", "seasonal naive (7)", "80 % coverage", "lag 7"):
        assert text in out
    assert "rolling origins: 7, from 2020-04-14 to 2020-05-14; steps ahead: 5" in out
    assert "the best naive forecast" in out


def test_evaluate_uses_a_run_on_rows_that_it_has_not_seen(csv: Path, gruworks: Call, fitted: Path) -> None:
    status, _, err = gruworks("forecast", "evaluate", fitted, csv)
    assert status == 2
    assert "140 rows, of which the fit has seen 140, are too few" in err
    wavy(150).to_csv(csv, index=False)
    status, out, _ = gruworks("forecast", "evaluate", fitted, csv, "--json")
    assert (status, json.loads(out)["origins"]) == (0, 2)


def test_a_constant_series_is_evaluated(csv: Path, gruworks: Call) -> None:
    wavy(60).assign(y=5.0).to_csv(csv, index=False)
    status, out, _ = gruworks("forecast", "evaluate", csv, "--details")
    assert status == 0
    assert "autoregression alone has no skill over the best naive forecast" in out
    status, out, _ = gruworks("forecast", "evaluate", csv, "--json")
    assert json.loads(out, parse_constant=pytest.fail)["scores"][0]["mase"] is None


def test_a_run_that_was_fitted_on_polars_is_printed(tmp_path: Path, gruworks: Call) -> None:
    run = Forecaster(horizon=2).fit(polars.DataFrame({"ds": [1, 2, 3], "y": [1.0, 2.0, 3.0]})).save(tmp_path / "run")
    status, out, _ = gruworks("forecast", "predict", run)
    assert status == 0
    assert "4.000" in out


def test_evaluate_opens_with_a_plain_sentence(csv: Path, gruworks: Call) -> None:
    _, out, _ = gruworks("forecast", "evaluate", csv, *FLAGS)
    assert out.startswith("On the last 35 days the forecast was off by ")
    assert "rolling origins" not in out


def test_a_table_without_default_names_is_fitted_and_the_columns_are_named(csv: Path, gruworks: Call) -> None:
    wavy(200).rename(columns={"ds": "day", "y": "sales"}).to_csv(csv, index=False)
    status, out, _ = gruworks("forecast", "fit", csv, "--horizon", "3", "--steps", "20", "--out", "run")
    assert status == 0
    assert "'day' as the time (--time), 'sales' as the target (--target)" in out
    assert "network counts" not in out  # a detail
    assert (csv.parent / "run" / "curve.png").read_bytes().startswith(b"\x89PNG")
    status, out, _ = gruworks("forecast", "report", "run", "--language", "zh")
    assert status == 0
    assert '<html lang="zh-CN">' in (csv.parent / "run" / "report.html").read_text(encoding="utf-8")


BAD = {
    "missing": ("there is no file data.csv", None),
    "folder": ("data.csv is a folder, not a CSV file", "folder"),
    "empty": ("data.csv is empty", ""),
    "header": ("data.csv has no rows below its header", "ds,y\n"),
    "text": ("data.csv, line 3: y is 'warm', not a number", "ds,y\n2020-01-01,1\n2020-01-02,warm\n2020-01-03,2\n"),
    "date": ("data.csv, line 3: ds is 'x', not a date", "ds,y\n2020-01-01,1\nx,1\n2020-01-03,2\n"),
    "column": ("data.csv has no column 'ds' for the time; it has: shop, y", "shop,y\na,1\n"),
    "ragged": ("data.csv is not a well-formed CSV", "ds,y\n2020-01-01,1\n2020-01-02,1,5\n2020-01-03,2\n"),
}


@pytest.mark.parametrize("verb", ["fit", "evaluate"])
@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_one_line_and_status_2(name: str, verb: str, csv: Path, gruworks: Call) -> None:
    message, content = BAD[name]
    csv.unlink()
    if content == "folder":
        csv.mkdir()
    elif content is not None:
        csv.write_text(content)
    status, out, err = gruworks("forecast", verb, "data.csv")
    assert (status, out) == (2, "")
    if content == "folder" and verb == "evaluate":
        message = "data.csv is a folder: name the CSV to evaluate on, after the run"
    assert err.startswith(f"gruworks: {message}")
    assert err.count("\n") == 1
    assert not (csv.parent / "runs").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fit", "data.csv", "--horizon", "0"], "Config.horizon must be between 1 and 10000, not 0"),
        (["fit", "data.csv", "--out", "."], "exists already and is not an empty folder"),
        (["fit", "data.csv", "--resume", "nowhere"], "nowhere does not exist"),
        (["fit", "data.csv", "--resume", "RUN", "--out", "x"], "leave out --out"),
        (["fit", "data.csv", "--resume", "RUN", "--horizon", "9"], "was fitted with horizon 5, not 9"),
        (["fit", "data.csv", "--resume", "RUN", "--seed", "9"], "was fitted with seed 0, not 9"),
        (["fit", "data.csv", "--resume", "RUN"], "has no checkpoint to resume from"),
        (["predict", "data.csv"], "data.csv is a file, not a run folder; `gruworks forecast fit data.csv` makes one"),
        (["predict", "nowhere"], "nowhere does not exist"),
        (["predict", "RUN", "nowhere.csv"], "there is no file nowhere.csv"),
        (["predict", "RUN", "--out", "data.csv"], "can't write to data.csv"),
        (["evaluate", "RUN"], "is a folder: name the CSV to evaluate on, after the run"),
        (["evaluate", "data.csv", "data.csv"], "evaluate takes FILE.csv, or a run folder and FILE.csv"),
        (["evaluate", "RUN", "data.csv", "--horizon", "9"], "was fitted with horizon 5, not 9"),
        (["evaluate", "data.csv", "--origins", "0"], "Options.origins must be at least 1, not 0"),
        (["evaluate", "data.csv", "--origins", "99"], "140 rows, are too few for 99 rolling origins of 14 steps each"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_status_2(
    arguments: list[str], message: str, csv: Path, fitted: Path, gruworks: Call, tmp_path: Path
) -> None:
    if "--resume" in arguments and "RUN" in arguments:  # resuming asks for the same data, so here for the same run
        run = Forecaster.load(fitted).save(tmp_path / "saved")
        facts = json.loads((run / "run.json").read_text())
        facts["data"] = {"sha256": hashlib.sha256(csv.read_bytes()).hexdigest(), "rows": 140, "licence": None}
        (run / "run.json").write_text(json.dumps(facts))
    else:
        run = fitted
    status, out, err = gruworks("forecast", *(str(run) if part == "RUN" else part for part in arguments))
    assert (status, out) == (2, "")
    assert message in err
    assert err.startswith("gruworks: ")
    assert err.count("\n") == 1


def test_a_flag_that_says_what_the_run_says_is_taken(csv: Path, gruworks: Call, fitted: Path) -> None:
    wavy(150).to_csv(csv, index=False)
    status, _, _ = gruworks("forecast", "evaluate", fitted, csv, "--horizon", "5", "--json")
    assert status == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["forecast", "fit", "data.csv", "--horizon", "abc"], "--horizon"),
        (["forecast", "fit", "data.csv", "--reset", "never"], "--reset"),
        (["forecast", "fit", "data.csv", "--colour", "red"], "No such option: --colour"),
        (["forecast", "fit"], "Missing argument"),
        (["forecast", "paint"], "No such command 'paint'"),
        (["paint"], "No such command 'paint'"),
    ],
)
def test_a_wrong_call_is_status_2(arguments: list[str], message: str, csv: Path, gruworks: Call) -> None:
    status, out, err = gruworks(*arguments)
    assert (status, out) == (2, "")
    assert message in err
    assert "Traceback" not in err


def test_debug_shows_where_an_error_comes_from(csv: Path) -> None:
    process = start("forecast", "fit", "nowhere.csv", "--debug", cwd=csv.parent)
    out, err = process.communicate()
    assert (process.returncode, out) == (1, "")
    assert err.startswith("Traceback")
    assert "reading.py" in err
    assert "there is no file nowhere.csv" in err.splitlines()[-1]


def test_ctrl_c_ends_in_one_line_and_status_130(csv: Path, gruworks: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    real, steps = fitting.quantile_loss, 0

    def interrupted(model: Any, batch: Any) -> Any:
        nonlocal steps
        steps += model.training
        if steps == limit:
            raise KeyboardInterrupt
        return real(model, batch)

    monkeypatch.setitem(fitting.LOSSES, "encoder", interrupted)
    before, limit = signal.getsignal(signal.SIGINT), 25
    status, out, err = gruworks("forecast", "fit", "data.csv", *FLAGS, "--out", "a run", "--quiet")
    assert (status, out) == (130, "")
    assert err == (
        "gruworks: interrupted; a run can be used as it is; go on with: "
        "gruworks forecast fit data.csv --resume 'a run'\n"
    )
    assert signal.getsignal(signal.SIGINT) is before

    monkeypatch.setitem(fitting.LOSSES, "encoder", real)
    status, resumed, err = gruworks("forecast", "fit", "data.csv", "--resume", "a run", "--quiet")
    assert (status, err) == (0, "")
    assert resumed == gruworks("forecast", "fit", "data.csv", *FLAGS, "--out", "whole", "--quiet")[1]

    steps, limit = 0, 5
    monkeypatch.setitem(fitting.LOSSES, "encoder", interrupted)
    status, _, err = gruworks("forecast", "fit", "data.csv", *FLAGS, "--out", "early", "--quiet")
    assert status == 130
    assert err == "gruworks: interrupted before the first checkpoint: there is nothing in early to go on from\n"


def test_a_fit_that_was_killed_goes_on_to_the_same_forecast(csv: Path, gruworks: Call) -> None:
    """SIGKILL once the first checkpoint stands: nothing of the process may tidy up."""
    flags = [*FLAGS[:2], "--hidden-size", "6", "--window", "64", "--batch-size", "4", "--validate-every", "5"]
    flags += ["--steps", "100", "--patience", "400"]
    process = start("forecast", "fit", csv, *flags, "--out", csv.parent / "run", cwd=csv.parent)
    while not (csv.parent / "run" / "checkpoints" / "last.ckpt").is_file():
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert json.loads((csv.parent / "run" / "run.json").read_text())["state"] == "fitting"
    status, _, err = gruworks("forecast", "predict", "run")
    assert status == 0
    assert err.startswith("gruworks: the fit of run was interrupted: these are its best weights so far, of step")

    status, resumed, err = gruworks("forecast", "fit", csv, "--resume", "run", "--quiet")
    assert (status, err) == (0, "")
    assert resumed == gruworks("forecast", "fit", csv, *flags, "--out", "whole", "--quiet")[1]
    weights = [(csv.parent / name / "weights.safetensors").read_bytes() for name in ("run", "whole")]
    assert weights[0] == weights[1]


def test_the_terminal_s_ctrl_c_reaches_the_fit(csv: Path) -> None:
    flags = ["--steps", "100000", "--patience", "100000", "--validate-every", "5", "--window", "64", "--quiet"]
    process = start("forecast", "fit", "data.csv", *flags, "--out", "run", cwd=csv.parent)
    while not (csv.parent / "run" / "checkpoints" / "last.ckpt").is_file():
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert (process.returncode, out) == (130, "")
    assert err == (
        "gruworks: interrupted; run can be used as it is; go on with: gruworks forecast fit data.csv --resume run\n"
    )


def test_the_settings_are_the_ones_of_the_flags(csv: Path, gruworks: Call) -> None:
    gruworks("forecast", "fit", csv, *FLAGS, "--no-season", "--reset", "before", "--out", "run", "--quiet")
    config = json.loads((csv.parent / "run" / "config.json").read_text())
    assert (config["horizon"], config["season"], config["reset"]) == (5, False, "before")
    assert {name: value for name, value in (config | config["training"]).items() if name in TINY} == TINY


def test_levels_are_asked_for_on_the_command_line(fitted: Path, gruworks: Call, tmp_path: Path) -> None:
    status, out, _ = gruworks("forecast", "predict", fitted, "--level", "50,95", "--out", tmp_path / "there", "--json")
    assert status == 0
    row = json.loads(out)["forecast"][0]
    assert row["y_hat-lo-95"] <= row["y_hat-lo-50"] <= row["y_hat"] <= row["y_hat-hi-50"] <= row["y_hat-hi-95"]
    status, _, err = gruworks("forecast", "predict", fitted, "--level", "many")
    assert (status, "is not a list of percentages" in err) == (2, True)


def test_explain_says_what_moved_the_forecast(fitted: Path, gruworks: Call) -> None:
    status, out, _ = gruworks("forecast", "explain", fitted, "--step", "1", "--json")
    assert status == 0
    found = json.loads(out)
    assert found["baseline"] + sum(found["inputs"].values()) == pytest.approx(found["forecast"], abs=1e-3)
    status, out, _ = gruworks("forecast", "explain", fitted)
    assert "where nothing has moved" in out


def test_a_report_is_one_page(csv: Path, fitted: Path, gruworks: Call) -> None:
    status, _, err = gruworks("forecast", "report", fitted, "--out", "report.html")
    assert (status, err) == (0, "")
    page = (csv.parent / "report.html").read_text()
    assert "on the rows that the fit held out" in page
    assert "which the fit did not train on, the forecast was off by" in page
    wavy(150).to_csv(csv, index=False)
    status, _, _ = gruworks("forecast", "report", fitted, csv, "--out", "report.html")
    assert "on rows after the fit" in (csv.parent / "report.html").read_text()


def test_covariates_ahead_come_from_a_file(csv: Path, gruworks: Call) -> None:
    frame = wavy(140).assign(sale=["yes", "no"] * 70)
    frame.to_csv(csv, index=False)
    status, out, err = gruworks("forecast", "fit", csv, *FLAGS, "--future", "sale", "--out", "mine")
    assert (status, err.count("Error")) == (0, 0)
    assert "its forecast needs the covariates ahead" in out
    ahead = wavy(145)[140:].assign(sale="no").drop(columns="y")
    ahead.to_csv(csv.parent / "ahead.csv", index=False)
    status, out, _ = gruworks("forecast", "predict", "mine", "--future", "ahead.csv", "--json")
    assert status == 0
    assert len(json.loads(out)["forecast"]) == 5
    status, _, err = gruworks("forecast", "predict", "mine")
    assert status == 2
    assert "has no future covariates (sale)" in err


def test_update_stores_the_rows_of_a_file(csv: Path, gruworks: Call, fitted: Path, tmp_path: Path) -> None:
    run = Forecaster.load(fitted).save(tmp_path / "run")
    wavy(141)[140:].to_csv(csv, index=False)
    status, out, err = gruworks("forecast", "update", run, csv)
    assert (status, err) == (0, "")
    assert "141 rows, up to 2020-05-20" in out
    status, out, _ = gruworks("forecast", "predict", run, "--json")
    assert (status, json.loads(out)["forecast"][0]["ds"]) == (0, "2020-05-21")


def test_predict_tells_how_the_file_was_read(csv: Path, gruworks: Call, fitted: Path) -> None:
    wavy(150)[140:][::-1].to_csv(csv, index=False, sep=";", date_format="%d.%m.%Y", decimal=",")
    status, out, err = gruworks("forecast", "predict", fitted, csv, "--out", "there")
    assert (status, err) == (0, "")
    assert "data.csv was read with separator ';', dates as DD/MM/YYYY (--date-format), decimal comma (--decimal)" in out
    assert "the rows were not in order of time: they are sorted" in out


def test_check_shows_what_is_understood(csv: Path, gruworks: Call) -> None:
    frame = wavy(150).rename(columns={"ds": "day", "y": "sold"}).drop(index=range(20, 25)).assign(shop="x")
    frame.to_csv(csv, index=False, date_format="%d %b %Y")
    status, out, err = gruworks("forecast", "check", csv)
    assert (status, err) == (0, "")
    for text in ("day: dates (DD Mon YYYY)", "sold: numbers", "shop: words", "--time 'day' --target 'sold'",
                 "frequency  daily", "dates as DD Mon YYYY (--date-format)"):  # fmt: skip
        assert text in out
    status, out, _ = gruworks("forecast", "check", csv, "--json")
    (series,) = json.loads(out)["series"]
    assert (series["rows"], series["missing"], series["longest_gap"]) == (150, 5, 5)
    assert series["seasons"] == ["week (7)"]
    assert not (csv.parent / "runs").exists()


def test_a_narrow_terminal_shows_whole_rows_and_says_how_many_follow(
    csv: Path, gruworks: Call, fitted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    status, out, _ = gruworks("forecast", "predict", fitted, "--level", "80,95", "--out", "there")
    assert status == 0
    assert "2020-05-20" in out
    assert "…" not in out
    monkeypatch.setattr("gruworks.app.cli.tasks.forecast.MOST_ROWS", 3)
    _, out, _ = gruworks("forecast", "predict", fitted, "--out", "there")
    assert "... and 2 more rows in there/forecast.csv" in out


def test_decompose_writes_a_table_and_a_picture(csv: Path, gruworks: Call) -> None:
    assert gruworks("forecast", "fit", csv, *FLAGS, "--out", "run")[0] == 0
    status, out, _ = gruworks("forecast", "decompose", "run")
    assert status == 0
    assert "trend" in out
    table = pandas.read_csv(csv.parent / "run" / "components.csv")
    assert numpy.allclose(table.drop(columns=["unique_id", "ds", "y"]).sum(axis=1), table["y"])
    assert (csv.parent / "run" / "components.png").read_bytes().startswith(b"\x89PNG")
