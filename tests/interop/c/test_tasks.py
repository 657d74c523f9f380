"""Runs as C: what the program computes is what the estimator computes, on the recorded inputs of its test."""

from __future__ import annotations

import copy
import dataclasses
from pathlib import Path
from typing import Any

import numpy
import pytest
from typer.testing import CliRunner

from gruworks import Forecaster, Generator
from gruworks.app.cli.main import app
from gruworks.errors import ExportError, OptionError
from gruworks.interop.c.compiler import compiler
from gruworks.interop.c.generator import sample
from gruworks.ops.backend import backend
from gruworks.tasks import ready
from gruworks.tasks.exporting import export_c
from gruworks.tasks.forecast.combination.blending import Blend
from gruworks.tasks.forecast.combination.bounds import Bounds
from gruworks.tasks.forecast.combination.predictor import Member
from gruworks.tasks.forecast.features.smoothing import fit_smoothers
from tests.exported import exported

if compiler() is None or backend().name == "torch":
    pytest.skip("no C compiler, or no native kernel", allow_module_level=True)

KINDS = ["forecast", "forecast-plain", "generate", "generate-convolution", "transcribe-streaming"]
NAIVE = ["last value", "drift", "mean", "mean of the last 5", "seasonal naive (12)"]


@pytest.mark.parametrize("precision", ["float32", "int8"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_check_finds_the_estimators_outputs(kind: str, precision: Any, tmp_path: Path) -> None:
    report = export_c(exported(kind).estimator, tmp_path, "tiny", precision)
    assert report.largest_difference is not None
    assert report.largest_difference <= (1e-12 if precision == "int8" else 1e-4)


@pytest.mark.parametrize("naive", NAIVE)
@pytest.mark.parametrize("kind", ["forecast", "forecast-plain"])
def test_each_combination_of_a_forecast(kind: str, naive: str, tmp_path: Path) -> None:
    forecaster = forecaster_with(kind, Blend(0.4, naive))
    assert export_c(forecaster, tmp_path).largest_difference is not None
    forecaster.blend = Blend(0.0, naive)
    forecaster.bounds = Bounds(low=3.0, high=12.0)
    assert export_c(forecaster, tmp_path).largest_difference is not None


def test_exponential_smoothing_in_a_forecast(tmp_path: Path) -> None:
    forecaster = forecaster_with("forecast", Blend(0.4, "last value"))
    series = forecaster.streams.history[0]
    smoothers = fit_smoothers(series, [12])
    blend = Blend(0.3, "last value", smoothing={one.name: 0.1 for one in smoothers})
    forecaster.blend = blend
    begun = series.timestamps[smoothers[0].begin]
    forecaster.members = {(series.name, series.target): Member(blend, smoothers, begun)}
    assert export_c(forecaster, tmp_path).largest_difference is not None
    assert (tmp_path / "model.c").read_text().count("smoothing_ahead(&") == len(smoothers)


def forecaster_with(kind: str, blend: Blend) -> Any:
    """A copy of a fitted forecaster with another combination."""
    found = copy.deepcopy(exported(kind).estimator)
    found.blend, found.members = blend, {}
    return found


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        ("transcribe", "streaming=True"),
        ("generate-attention", "block 1: AttentionBlock"),
        ("translate", "forecast, generate and transcribe runs can"),
    ],
)
def test_runs_that_c_can_not_hold_are_refused_by_name(kind: str, named: str, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=named):
        export_c(exported(kind).estimator, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_climatology_with_autoregression_is_refused(tmp_path: Path) -> None:
    forecaster = Forecaster.load(ready.find("forecast").path)
    forecaster.blend, forecaster.members = Blend(0.5, "climatology + AR(1)"), {}
    with pytest.raises(ExportError, match=r"climatology \+ AR\(1\)"):
        export_c(forecaster, tmp_path)


def test_the_ready_forecaster_has_two_climatologies_where_they_differ(tmp_path: Path) -> None:
    assert export_c(Forecaster.load(ready.find("forecast").path), tmp_path).largest_difference is not None
    assert "climatology_step(season" in (tmp_path / "model.c").read_text()


def test_a_column_name_does_not_leave_its_comment(tmp_path: Path) -> None:
    forecaster = forecaster_with("forecast", Blend())
    forecaster.config = dataclasses.replace(forecaster.config, target="a */ int x; /*\n#error")
    assert export_c(forecaster, tmp_path).largest_difference is not None


def test_estimators_export_by_format(tmp_path: Path) -> None:
    generator: Generator = exported("generate").estimator
    assert set(generator.export(tmp_path, to="c")) == {"model"}
    with pytest.raises(OptionError, match="onnx, c"):
        generator.export(tmp_path, to="tflite")


def test_the_command(tmp_path: Path) -> None:
    run = ready.find("forecast").path
    options = ["--to", "c", "--precision", "int8", "--name", "seattle", "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, ["export", str(run), *options])
    assert done.exit_code == 0, done.output
    assert "constants" in done.output
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"seattle.h", "seattle.c", "seattle_test.c"}


def test_sampling() -> None:
    """The reference of the C's sampling follows the probabilities and the truncations."""
    scores, random, counts = numpy.log(numpy.array([0.5, 0.2, 0.05, 0.25], numpy.float32)), 1, numpy.zeros(4)
    for _ in range(4000):
        token, random = sample(scores, (1.0, 0, 1.0, 0.0), random, [2])
        counts[token] += 1
    numpy.testing.assert_allclose(counts / 4000, numpy.array([0.5, 0.2, 0, 0.25]) / 0.95, atol=0.03)

    def drawn(*how: Any) -> set[int]:
        return {sample(scores, how, seed, [])[0] for seed in range(1, 400)}

    assert drawn(1.0, 2, 1.0, 0.0) == {0, 3}
    assert drawn(1.0, 0, 0.7, 0.0) == {0, 3}
    assert drawn(1.0, 0, 1.0, 0.3) == {0, 1, 3}
    assert drawn(0.0, 0, 1.0, 0.0) == {0}
