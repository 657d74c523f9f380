"""`gruworks exchange`: layers are listed and converted; what can't be is one line and status 2."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import gruworks as package
from gruworks.interop import load_gru
from tests.app.conftest import Answer
from tests.tolerances import FLOAT32_OUTPUT

FIXTURES = Path(__file__).parents[2] / "interop" / "fixtures"


def test_inspect_lists_the_layers(gruworks: Callable[..., Answer]) -> None:
    status, out, err = gruworks("exchange", "inspect", FIXTURES / "two.keras", "--json")
    layers = {one["name"]: one for one in json.loads(out)["layers"]}
    assert (status, err) == (0, "")
    assert (layers["encoder"]["reset"], layers["both"]["directions"], layers["both"]["hidden"]) == ("after", 2, 5)
    assert (layers["both"]["candidate_activation"], layers["both"]["gate_activation"]) == ("tanh", "sigmoid")
    status, out, _ = gruworks("exchange", "inspect", FIXTURES / "two.keras")
    assert status == 0
    assert "encoder" in out
    assert "before" in out


def test_inspect_says_how_a_layer_reads(gruworks: Callable[..., Answer]) -> None:
    source = FIXTURES / "backwards.keras"
    out = gruworks("exchange", "inspect", source)[1]
    assert "backward" in out
    assert "2, ave" in out
    layers = {one["name"]: one for one in json.loads(gruworks("exchange", "inspect", source, "--json")[1])["layers"]}
    assert layers["last_first"]["reversed"] is True
    assert (layers["mean"]["directions"], layers["mean"]["merge"]) == (2, "ave")


def test_what_a_file_leaves_open_is_said(gruworks: Callable[..., Answer], tmp_path: Path) -> None:
    assumed = "both: a weights file has no model configuration; assumed: activation='tanh'"
    source = FIXTURES / "two.weights.h5"
    assert assumed in " ".join(gruworks("exchange", "inspect", source)[1].split())
    assert assumed in gruworks("exchange", "convert", source, tmp_path / "m.onnx", "--layer", "both", "--quiet")[1]
    for command in (("inspect", source), ("convert", source, tmp_path / "m.onnx", "--layer", "both")):
        said = json.loads(gruworks("exchange", *command, "--json")[1])
        said = said if command[0] == "convert" else said["layers"][0]
        assert "assumed: activation='tanh'" in said["warnings"][0]


@pytest.mark.parametrize("suffix", ["onnx", "safetensors", "keras", "weights.h5"])
@pytest.mark.filterwarnings("ignore:GRU .* assumed:UserWarning")
def test_convert_writes_the_same_function(suffix: str, gruworks: Callable[..., Answer], tmp_path: Path) -> None:
    target = tmp_path / f"m.{suffix}"
    status, out, err = gruworks("exchange", "convert", FIXTURES / "two.keras", target, "--layer", "encoder")
    assert (status, err) == (0, "")
    assert "encoder" in out
    (loaded,) = load_gru(target).values()
    original = load_gru(FIXTURES / "two.keras")["encoder"]
    x = torch.randn(2, 5, 3)
    batch_first = x if loaded.batch_first else x.transpose(0, 1)
    found = loaded(batch_first)[0] if loaded.batch_first else loaded(batch_first)[0].transpose(0, 1)
    torch.testing.assert_close(found, original(x)[0], atol=FLOAT32_OUTPUT, rtol=0)


def test_what_cannot_be_is_one_line(gruworks: Callable[..., Answer], tmp_path: Path) -> None:
    source = FIXTURES / "two.keras"
    for arguments, expected in (
        (("inspect", tmp_path / "missing.onnx"), "missing.onnx is not a file"),
        (("inspect", tmp_path / "table.csv"), "table.csv has an unknown extension: use one of .keras"),
        (("convert", source, tmp_path / "m.onnx"), "holds both, encoder: choose one with --layer"),
        (("convert", source, tmp_path / "m.onnx", "--layer", "x"), "none of them is 'x'"),
        (("convert", source, tmp_path / "m.txt", "--layer", "encoder"), "m.txt: a GRU is written as"),
    ):
        status, out, err = gruworks("exchange", *arguments)
        assert (status, out) == (2, "")
        assert err.startswith("gruworks: ")
        assert expected in err
    torch.save(torch.nn.Linear(2, 2).state_dict(), tmp_path / "m.pt")
    assert "holds no GRU layer" in gruworks("exchange", "inspect", tmp_path / "m.pt")[2]


def test_the_stored_form_is_asked_for(gruworks: Callable[..., Answer], tmp_path: Path) -> None:
    path = tmp_path / "m.weights.h5"
    from gruworks.interop import save_gru

    save_gru(package.GRU(3, 4, bias=False, reset="before"), path)
    assert gruworks("exchange", "inspect", path)[0] == 2
    assert "before" in gruworks("exchange", "inspect", path, "--reset", "before")[1]
