"""One door: the suffix says the format; the public names are there, and their examples run."""

from __future__ import annotations

import doctest
import importlib
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import gruworks
from gruworks import interop
from gruworks.errors import OptionError, WeightsError
from tests.tolerances import FLOAT32_OUTPUT

MODULES = (
    "stack",
    "files",
    "torch",
    "keras",
    "keras_config",
    "keras_file",
    "keras_layers",
    "hdf5",
    "onnx",
    "onnx_graph",
    "onnx_write",
    "flax",
)


@pytest.mark.parametrize("suffix", [".onnx", ".keras", ".weights.h5", ".safetensors"])
@pytest.mark.parametrize("reset", ["after", "before"])
@pytest.mark.filterwarnings("ignore:GRU .* assumed:UserWarning")
def test_every_format_gives_back_what_it_was_given(suffix: str, reset: str, tmp_path: Path) -> None:
    gru = gruworks.GRU(3, 4, reset=reset)
    interop.save_gru(gru, tmp_path / f"m{suffix}")
    (stack,) = interop.find(tmp_path / f"m{suffix}")
    (loaded,) = interop.load_gru(tmp_path / f"m{suffix}").values()
    assert (stack.reset, loaded.training) == (reset, False)
    x = torch.randn(5, 2, 3)
    output = loaded(x.transpose(0, 1))[0].transpose(0, 1) if loaded.batch_first else loaded(x)[0]
    torch.testing.assert_close(output, gru(x)[0], atol=FLOAT32_OUTPUT, rtol=0)


def test_unknown_suffixes_are_named(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"m\.pb has an unknown extension: use one of \.keras"):
        interop.find(tmp_path / "m.pb")
    with pytest.raises(OptionError, match=r"m\.pt: a GRU is written as"):
        interop.save_gru(gruworks.GRU(3, 4), tmp_path / "m.pt")


def test_public_names() -> None:
    assert interop.__all__ == sorted(interop.__all__)
    assert all(getattr(interop, name).__doc__ for name in interop.__all__)
    with pytest.raises(AttributeError, match="it has: Stack, find"):
        interop.lstm  # noqa: B018


@pytest.mark.parametrize("name", [*MODULES, "equinox", "onnx_export"])
def test_examples_in_docstrings_run(name: str) -> None:
    assert doctest.testmod(importlib.import_module(f"gruworks.interop.{name}")).failed == 0


def test_reading_weights_needs_no_torch() -> None:
    path = Path(__file__).parent / "fixtures" / "two.keras"
    script = f"import sys; from gruworks.interop import find; print(len(find({str(path)!r})), 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["2", "False"]


def test_sizes_that_do_not_fit_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    one, other = gruworks.GRUWeights.random(3, 4), gruworks.GRUWeights.random(3, 5)
    for weights in (((one,), (other,)), ((one, other),), ((one, gruworks.GRUWeights.random(3, 4, "before")),)):
        with pytest.raises(WeightsError, match="must"):
            interop.save_gru(interop.Stack("x", weights), tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())
