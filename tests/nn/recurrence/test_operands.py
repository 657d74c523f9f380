"""Every public operation with operands of every kind: torch's numbers, or a GruworksError."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode

from gruworks import GRU, GRUCell
from gruworks.errors import DeviceError, GruworksError
from tests.nn.recurrence import operand_cases as cases
from tests.nn.recurrence.operand_cases import Operation

torch.manual_seed(0)
OPERATIONS = dict(itertools.chain(cases.modules(), cases.functions(), cases.arrays()))
OURS = ("GRU", "gru_layer", "step", "gates", "log_scan")  # torch's own operations read freed memory


def tensors(result: Any) -> list[Tensor]:
    if isinstance(result, tuple):
        return [tensor for part in result for tensor in tensors(part)]
    return [torch.as_tensor(result)]


def same(mine: Tensor, expected: Tensor) -> bool:
    if mine.is_nested:  # a nested input has a nested output, here of rows of one length
        mine = torch.stack(mine.unbind())
    return mine.device == expected.device and mine.shape == expected.shape and torch.allclose(mine, expected, atol=1e-6)


def answers(operation: Operation, operand: str, kind: str, given: Any, expected: list[Tensor]) -> str:
    """Error description for this operand, or nothing."""
    try:
        found = tensors(operation.call(**{**operation.operands, operand: given}))
    except GruworksError:
        return ""
    except RuntimeError as error:
        return "" if "storage of size 0" in str(error) else f"{operand} {kind}: {type(error).__name__}: {error}"
    except Exception as error:
        return f"{operand} {kind}: {type(error).__name__}: {error}"
    if kind == "None":
        return "" if operand in operation.optional else f"{operand} None: answered"
    return "" if all(map(same, found, expected)) else f"{operand} {kind}: answered with other numbers"


@pytest.mark.parametrize("name", OPERATIONS)
def test_numbers_or_an_error_of_ours(name: str) -> None:
    operation, wrong = OPERATIONS[name], []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = tensors(operation.call(**operation.operands))
        for operand, good in operation.operands.items():
            for kind, given in cases.variants(good):
                if kind == "freed" and (name == "GRUStream" or not name.startswith(OURS)):
                    continue
                if operand in operation.tensors and not isinstance(given, Tensor):
                    continue
                wrong.append(answers(operation, operand, kind, given, expected))
                if kind in ("meta", "mkldnn"):
                    with torch.no_grad():
                        wrong.append(answers(operation, operand, kind, given, expected))
    assert not any(wrong), "\n".join(filter(None, wrong))


@pytest.mark.parametrize("reset", ["after", "before"])
@pytest.mark.parametrize("lengths", [None, [5, 0, 3]])
def test_a_module_on_meta_gives_shapes(reset: Any, lengths: Any) -> None:
    gru = GRU(2, 4, 2, bidirectional=True, reset=reset, device="meta")
    output, final = gru(torch.zeros(5, 3, 2, device="meta"), lengths=lengths)
    assert (output.shape, final.shape, output.device.type) == ((5, 3, 8), (4, 3, 4), "meta")
    assert GRUCell(2, 4, reset=reset, device="meta")(torch.zeros(3, 2, device="meta")).shape == (3, 4)


def test_fake_tensors_give_shapes() -> None:
    with FakeTensorMode():
        output, final = GRU(2, 4)(torch.zeros(5, 3, 2))
        ragged, _ = GRU(2, 4)(torch.zeros(5, 3, 2), lengths=torch.tensor([5, 0, 3]))
    assert (output.shape, final.shape, ragged.shape) == ((5, 3, 4), (1, 3, 4), (5, 3, 4))


def test_the_error_names_operand_devices_and_remedy() -> None:
    with pytest.raises(DeviceError, match=r"hx must be on the weights' device cpu, not on meta; move .*hx.to\('cpu'\)"):
        GRU(2, 4)(torch.zeros(5, 3, 2), torch.zeros(1, 3, 4, device="meta"))
    with pytest.raises(RuntimeError, match="input must be on the weights' device"):
        GRU(2, 4)(torch.zeros(5, 3, 2, device="meta"))
    with pytest.raises(DeviceError, match="lengths must be on x's device cpu or on the cpu"):
        GRU(2, 4)(torch.zeros(5, 3, 2), lengths=torch.zeros(3, dtype=torch.int64, device="meta"))
    with pytest.raises(TypeError, match=r"input must be a torch\.Tensor, not numpy\.ndarray"):
        GRU(2, 4)(torch.zeros(5, 3, 2).numpy())
