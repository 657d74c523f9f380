"""Several graphs and what is said of them in one folder, written whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

import gruworks
from gruworks.errors import ExportError, OptionError
from gruworks.interop.onnx_folder import Part, write
from gruworks.ops.backend import backend

if backend().name == "torch":
    pytest.skip(backend().reason, allow_module_level=True)


class Sum(torch.nn.Module):
    def forward(self, x: Any) -> Any:
        return x.cumsum(0)


class Fixed(torch.nn.Module):
    def forward(self, x: Any) -> Any:
        return x * len(x)  # len makes a number of a size


class Differs(torch.nn.Module):
    def forward(self, x: Any) -> Any:
        return x if torch.compiler.is_compiling() else x + 1e-4


def part(module: torch.nn.Module, name: str = "sum") -> Part:
    return Part(name, module.eval(), {"x": torch.randn(4, 2)}, ["y"], {"x": {0: "T"}}, [{"x": torch.randn(7, 2)}])


def test_a_folder_says_what_is_in_it(tmp_path: Path) -> None:
    assert write([part(Sum()), part(Sum(), "again")], {"task": "sums"}, tmp_path / "new" / "m")["sum"] < 1e-6
    says = json.loads((tmp_path / "new" / "m" / "model.json").read_text(encoding="utf-8"))
    assert says["task"] == "sums"
    assert says["versions"]["gruworks"] == gruworks.__version__
    assert says["graphs"]["again"]["file"] == "again.onnx"
    assert says["graphs"]["sum"]["inputs"] == {"x": {"type": "float32", "shape": ["T", 2]}}
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["m"]


def test_an_earlier_export_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    write([part(Sum(), "old")], {}, tmp_path / "m")
    write([part(Sum())], {}, tmp_path / "m")
    assert sorted(path.name for path in (tmp_path / "m").iterdir()) == ["model.json", "sum.onnx"]
    (tmp_path / "m" / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(OptionError, match="other files than an earlier export"):
        write([part(Sum())], {}, tmp_path / "m")
    with pytest.raises(OptionError, match="is a file"):
        write([part(Sum())], {}, tmp_path / "m" / "notes.txt")


@pytest.mark.parametrize(("module", "message"), [
    (Fixed(), r"two\.onnx: size T of x is fixed at 4"),
    (Differs(), r"two\.onnx: ONNX Runtime's outputs differ by .* from the module"),
])  # fmt: skip
def test_what_is_not_right_is_not_written(module: torch.nn.Module, message: str, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=message):
        write([part(Sum()), part(module, "two")], {}, tmp_path / "m")
    assert not list(tmp_path.iterdir())
