"""Modules written as C compute what torch computes; int8 gives the same bits from every compiler."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch

from gruworks import GRU
from gruworks.errors import ExportError, OptionError
from gruworks.interop.c import Graph, Node, export
from gruworks.interop.c.compiler import compiler
from gruworks.interop.c.functions import Function, texts
from gruworks.interop.c.graph import chain
from gruworks.interop.c.javascript import interface, script, types
from gruworks.interop.c.network import Network
from gruworks.interop.c.program import Program
from tests.interop.c.machines import HOST
from tests.interop.c.models import MODELS, model

if compiler() is None:
    pytest.skip("no C compiler", allow_module_level=True)

nn = torch.nn
FEW = [machine for machine in HOST if machine.present and machine.name.endswith("-O3")]


@pytest.mark.parametrize("precision", ["float32", "int8"])
@pytest.mark.parametrize("name", MODELS)
def test_the_check_finds_the_outputs_of_torch(name: str, precision: Any, tmp_path: Path) -> None:
    found = export(model(name), tmp_path, name, precision=precision).largest_difference
    assert found is not None
    assert found <= (0 if precision == "int8" else 1e-5)


@pytest.mark.parametrize("machine", FEW, ids=lambda machine: f"{machine.name} {machine.flags}")
def test_without_warnings_and_the_same_bits_from_every_compiler(machine: Any, tmp_path: Path) -> None:
    for name in ("recognizer", "residual"):
        export(model(name), tmp_path, name, precision="int8", check=False)
        assert machine.run(tmp_path, name, tmp_path) == FEW[0].run(tmp_path, name, tmp_path)
    export(model("residual"), tmp_path, "plain", check=False)
    found = machine.run(tmp_path, "plain", tmp_path)
    assert found.largest <= 1e-6 * found.range


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_the_check_fails_for_another_weight(precision: Any, tmp_path: Path) -> None:
    export(model("residual"), tmp_path, "m", precision=precision)
    source = (tmp_path / "m.c").read_text()
    changed = re.sub(r"(gru_b_input_bias\[27\] = \{\n    )\S+f", r"\g<1>0.5f", source)
    assert changed != source
    from gruworks.interop.c.compiler import run_test

    (tmp_path / "m.c").write_text(changed)
    with pytest.raises(ExportError, match=r"reproduced.*largest difference"):
        run_test(tmp_path, "m", compiler() or [])


def test_int8_is_near_the_float32_original(tmp_path: Path) -> None:
    from gruworks.interop.c.graph import chain
    from gruworks.interop.c.network import Network
    from gruworks.interop.c.proof import record

    graph = chain(model("before")).eval()
    (_, exact), (_, rounded) = (record(graph, Network.of(graph, one)) for one in ("float32", "int8"))
    apart = max(abs(exact[name] - rounded[name]).max() for name in exact)
    assert 0 < apart < 0.05 * max(abs(one).max() for one in exact.values())


@pytest.mark.parametrize(
    ("module", "named"),
    [
        (nn.LSTM(3, 4), "LSTM"),
        (nn.Sequential(GRU(3, 4), nn.GELU()), "gelu_1.*GELU"),
        (GRU(3, 4, bidirectional=True), "one direction"),
        (GRU(3, 4, layer_norm=True), "layer_norm"),
        (GRU(3, 4, zoneout=0.1), "zoneout"),
        (nn.Sequential(nn.Conv1d(3, 4, 3, padding=1)), "padding=0"),
        (nn.Sequential(nn.Conv1d(3, 4, 3, dilation=2)), "dilation=1"),
        (nn.Sequential(nn.Conv1d(4, 4, 3, groups=2)), "groups of 1 or 4"),
        (nn.Sequential(GRU(3, 4), nn.Linear(5, 2)), "5 inputs, got 4"),
        (nn.Sequential(), "empty"),
        (nn.Sequential(nn.Tanh()), "input size"),
    ],
)
def test_what_c_has_no_counterpart_for_is_refused_before_anything_is_written(
    module: nn.Module, named: str, tmp_path: Path
) -> None:
    with pytest.raises(ExportError, match=named):
        export(module, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_values_of_two_rates_do_not_meet(tmp_path: Path) -> None:
    nodes = [Node("slow", nn.Conv1d(3, 3, 2, 2), ["x"]), Node("y", nn.Linear(6, 1), ["slow", "x"])]
    with pytest.raises(ExportError, match="y joins values of different rates: slow, x"):
        export(Graph({"x": 3}, nodes, ["y"]), tmp_path)


@pytest.mark.parametrize(
    ("inputs", "nodes", "outputs", "named"),
    [
        ({"x": 3}, [("y", ["z"])], ["y"], "y reads 'z'"),
        ({"x": 3}, [("y", ["x"])], ["x"], "outputs reads 'x'"),
        ({"x": 3}, [("y", [])], ["y"], "reads nothing"),
        ({"x": 3}, [("x", ["x"])], ["x"], "two nodes"),
        ({"x": 3}, [("float", ["x"])], ["float"], "word of C"),
        ({"x": 3}, [("dense", ["x"])], ["dense"], "word of C"),
        ({"größe": 3}, [("y", ["größe"])], ["y"], "identifier"),
    ],
)
def test_names_of_a_graph(inputs: Any, nodes: Any, outputs: Any, named: str) -> None:
    with pytest.raises(OptionError, match=named):
        Graph(inputs, [Node(name, nn.Linear(3, 3), read) for name, read in nodes], outputs)


@pytest.mark.parametrize("option", [{"name": "Model"}, {"name": "a-b"}, {"precision": "int4"}])
def test_options(option: Any, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="'"):
        export(model("gru"), tmp_path, **option)


def test_the_module_keeps_its_mode_and_the_header_says_the_sizes(tmp_path: Path) -> None:
    module = model("tokens").train()
    report = export(module, tmp_path, "words", precision="int8", check=False)
    assert module.training
    assert report.largest_difference is None
    text = (tmp_path / "words.h").read_text()
    assert f"Constants {report.constants:,} bytes, state {report.state:,} bytes" in text
    assert "void words_step(words_state *state, int32_t x, float linear_3[30]);" in text
    assert report.constants < sum(4 * weight.numel() for weight in module.parameters()) / 2


def test_another_type_is_rounded_to_float32(tmp_path: Path) -> None:
    module = model("gru").double()
    assert export(module, tmp_path).largest_difference is not None
    assert next(module.parameters()).dtype == torch.float64


def test_weights_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    module = model("residual")
    with torch.no_grad():
        module.nodes[1].module.weight_hh_l0[3, 2] = float("nan")
    with pytest.raises(ExportError, match=r"1\.weight_hh_l0 holds NaN"):
        export(module, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_shared_weights_are_written_once(tmp_path: Path) -> None:
    embedding, output = nn.Embedding(50, 20), nn.Linear(20, 50, bias=False)
    output.weight = embedding.weight
    report = export(nn.Sequential(embedding, output), tmp_path)
    assert report.constants == 4 * embedding.weight.numel()


ERRORS = """
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

$FUNCTIONS
static double worst[6];

static void found(int which, double ours, double exact, double unit)
{
    const double error = fabs(ours - exact) / unit;
    worst[which] = error <= worst[which] ? worst[which] : error;
}

int main(void)
{
    for (int i = -200000; i <= 200000; i++) {
        const float x = (float)i * 4.3e-4f, y = (float)exp((double)x);
        const double d = i * 3.4e-3;
        found(0, (double)float_exp(x), exp((double)x), exp((double)x));
        found(1, (double)float_tanh(x), tanh((double)x), 1.0);
        found(2, (double)sigmoid(x), 1.0 / (1.0 + exp(-(double)x)), 1.0);
        found(3, (double)float_log(y), log((double)y), fmax(1.0, fabs(log((double)y))));
        found(4, double_exp(d), exp(d), exp(d));
        found(5, double_log(exp(d)), log(exp(d)), fmax(1.0, fabs(d)));
    }
    for (int i = 0; i < 6; i++)
        printf("%g\\n", worst[i]);
    return 0;
}
"""


def test_functions_have_the_errors_that_their_comments_and_the_documentation_state(tmp_path: Path) -> None:
    names = ("float_exp", "float_tanh", "sigmoid", "float_log", "double_exp", "double_log")
    functions = texts([Function(name) for name in names], "float32")
    (tmp_path / "errors.c").write_text(ERRORS.replace("$FUNCTIONS", "\n".join(functions)))
    build = [*(compiler() or []), "-std=c99", "-O2", "errors.c", "-o", "errors", "-lm"]
    subprocess.run(build, cwd=tmp_path, check=True)
    told = subprocess.run(["./errors"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    errors = [float(line) for line in told.splitlines()]
    assert all(0 < error < 2e-7 for error in errors[:4])
    assert all(error < 1e-15 for error in errors[4:])


def test_javascript_has_the_methods_that_the_program_has() -> None:
    def made(module: torch.nn.Module) -> tuple[str, str]:
        found = interface(Program("tiny", "", Network.of(chain(module))))
        return script("tiny", found), types(found)

    plain, delaying = made(GRU(3, 4)), made(torch.nn.Conv1d(3, 4, 5, stride=2))
    assert "step(inputs: { x: ArrayLike<number> }): { gru_0: Float32Array };" in plain[1]
    assert "finish" not in plain[0] + plain[1]
    assert "| null;\n  finish(): { " in delaying[1]
    assert "  finish() {" in delaying[0]
    assert len(plain[0].splitlines()) <= 45
    assert '"x": ["Float32Array", ' in plain[0]
