"""Modules with quantized weights: against the float module, copies, state dicts, errors."""

from __future__ import annotations

import copy
import io
from typing import Any

import pytest
import torch

from gruworks import GRU
from gruworks.errors import DtypeError, OptionError, ShapeError
from gruworks.nn.quantized import QuantizedGRU, quantize
from tests import tolerances

FORMS: list[Any] = [
    {}, {"num_layers": 2, "bidirectional": True, "reset": "before"}, {"bias": False, "batch_first": True},
]  # fmt: skip


@pytest.mark.parametrize("precision", ["int8", "bfloat16"])
@pytest.mark.parametrize("form", FORMS)
def test_outputs_are_near_the_float_modules(form: Any, precision: Any) -> None:
    torch.manual_seed(0)
    gru = GRU(20, 32, **form).eval()
    small, x = quantize(gru, precision), torch.randn(5, 5, 20)
    h0, lengths = torch.randn(gru.num_layers * gru.directions, 5, 32), [5, 3, 0, 1, 5]
    for given in ((x,), (x, h0), (x, h0, lengths)):
        for found, true in zip(small(*given), gru(*given), strict=True):
            assert found.shape == true.shape
            assert not found.requires_grad
            assert 0 < (found - true).abs().max() < tolerances.INT8_STEP
    output, h_n = small(x[0], h0[:, 0])
    torch.testing.assert_close(output, small(x[:1] if gru.batch_first else x[0][:, None], h0[:, :1])[0].squeeze(
        0 if gru.batch_first else 1))  # fmt: skip
    assert h_n.shape == h0[:, 0].shape


def test_a_model_is_copied_with_every_gru_quantized() -> None:
    model = torch.nn.ModuleDict({"a": torch.nn.GRU(20, 8), "b": torch.nn.Sequential(GRU(20, 8))})
    made = quantize(model)
    assert isinstance(made["a"], QuantizedGRU)
    assert isinstance(made["b"][0], QuantizedGRU)
    assert type(model["a"]) is torch.nn.GRU
    with pytest.raises(OptionError, match=r"Linear contains no torch\.nn\.GRU"):
        quantize(torch.nn.Linear(2, 2))


def test_state_dicts_copies_and_files_keep_the_numbers() -> None:
    x = torch.randn(4, 2, 20)
    small, other = quantize(GRU(20, 8, 2)), quantize(GRU(20, 8, 2))
    true = small(x)[0]
    assert not torch.equal(other(x)[0], true)
    assert {t.dtype for name, t in small.state_dict().items() if name.startswith("weight") and "scale" not in name} == {
        torch.int8
    } | ({torch.float32} if small.hidden_size <= 16 else set())
    other.load_state_dict(small.state_dict())
    file = io.BytesIO()
    torch.save(small, file)
    file.seek(0)
    for one in (other, copy.deepcopy(small), torch.load(file, weights_only=False)):
        assert torch.equal(one(x)[0], true)
    assert "precision='int8'" in repr(small)


def test_a_compiled_model_runs_it_between_graphs() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(20, 20), quantize(GRU(20, 8)))
    x = torch.randn(4, 2, 20)
    compiled: Any = torch.compile(model, backend="eager")
    with torch.no_grad():
        assert torch.equal(compiled(x)[0], model(x)[0])


def test_what_isnt_supported_is_named() -> None:
    small = quantize(GRU(20, 8))
    with pytest.raises(DtypeError, match=r"torch\.float32 on the cpu, got torch\.float64"):
        small(torch.zeros(3, 2, 20, dtype=torch.float64))
    with pytest.raises(ShapeError, match=r"hx \[1, 2, 8\], got \[2, 2, 8\]"):
        small(torch.zeros(3, 2, 20), torch.zeros(2, 2, 8))
    with pytest.raises(OptionError, match=r"float32 input, not torch\.float64"):
        small.double()
    with pytest.raises(OptionError, match="float32 is what the module has"):
        quantize(GRU(20, 8), "float32")
    with pytest.raises(OptionError, match="layer_norm"):
        quantize(GRU(20, 8, layer_norm=True))
    options: dict[str, Any] = {
        "candidate_activation": "relu", "gate_activation": "hard_sigmoid", "learn_initial_state": True,
        "return_all_layers": True,
    }  # fmt: skip
    for name, value in options.items():
        with pytest.raises(OptionError, match=name):
            quantize(GRU(20, 8, **{name: value}))
