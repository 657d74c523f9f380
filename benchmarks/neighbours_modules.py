"""torch's own cases for GRU and GRUCell (torch.testing._internal.common_modules): what a torch module must do.

Run by run_neighbours.py with torch's classes and with ours: the entries name whichever stands in torch.nn.
"""

import copy
import io
import pickle
from typing import Any

import pytest
import torch
from torch.testing._internal.common_modules import ModuleErrorEnum, module_db

ENTRIES = [entry for entry in module_db if entry.module_cls in (torch.nn.GRU, torch.nn.GRUCell)]
NAMES = [entry.module_cls.__name__ for entry in ENTRIES]
doubles = pytest.mark.parametrize("entry", ENTRIES, ids=NAMES)


def cases(test: Any) -> Any:
    """Both classes, both types, training and evaluation."""
    types = pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
    return doubles(types(pytest.mark.parametrize("training", [True, False])(test)))


def samples(entry: Any, dtype: torch.dtype, training: bool, requires_grad: bool = False) -> Any:
    """The module of every case, made anew, with the arguments of its call."""
    for one in entry.module_inputs_func(entry, "cpu", dtype, requires_grad, training):
        torch.manual_seed(0)
        made, given = one.constructor_input, one.forward_input
        module = entry.module_cls(*made.args, **made.kwargs).to(dtype).train(training)
        yield module, given.args, given.kwargs, one


def tensors(results: Any) -> list[torch.Tensor]:
    return [leaf for leaf in torch.utils._pytree.tree_leaves(_unpacked(results)) if isinstance(leaf, torch.Tensor)]


def _unpacked(results: Any) -> Any:
    packed = torch.nn.utils.rnn.PackedSequence
    return [one.data if isinstance(one, packed) else one for one in (results if type(results) is tuple else [results])]


@cases
def test_forward(entry: Any, dtype: torch.dtype, training: bool) -> None:
    for module, args, kwargs, one in samples(entry, dtype, training):
        torch.manual_seed(1)
        found = module(*args, **kwargs)
        if one.reference_fn is not None and not getattr(module, "dropout", 0):
            expected = one.reference_fn(module, *args, **kwargs)
            torch.testing.assert_close(tensors(found), tensors(expected))


@cases
def test_equal_to_torchs_code(entry: Any, dtype: torch.dtype, training: bool) -> None:
    for module, args, kwargs, _ in samples(entry, dtype, training):
        if getattr(module, "dropout", 0) and training:
            continue
        theirs = next(c for c in type(module).__mro__ if c.__module__ == "torch.nn.modules.rnn")
        torch.testing.assert_close(tensors(module(*args, **kwargs)), tensors(theirs.forward(module, *args, **kwargs)))


@cases
def test_inputs_of_other_strides(entry: Any, dtype: torch.dtype, training: bool) -> None:
    def spread(leaf: Any) -> Any:
        plain = isinstance(leaf, torch.Tensor) and leaf.is_floating_point() and leaf.dim() > 1
        return torch.repeat_interleave(leaf, 2, dim=-1)[..., ::2].detach().requires_grad_() if plain else leaf

    for module, args, kwargs, _ in samples(entry, dtype, training, requires_grad=True):
        if (getattr(module, "dropout", 0) and training) or any(isinstance(a, tuple) for a in args):
            continue
        grads = []
        for given in (args, tuple(spread(a) for a in args)):
            module.zero_grad()
            results = tensors(module(*given, **kwargs))
            sum(result.square().sum() for result in results).backward()
            grads.append([result.detach() for result in results] + [p.grad.clone() for p in module.parameters()])
        torch.testing.assert_close(grads[1], grads[0])


@cases
def test_pickle_copy_save_and_repr(entry: Any, dtype: torch.dtype, training: bool) -> None:
    for module, args, kwargs, _ in samples(entry, dtype, training):
        file = io.BytesIO()
        torch.save(module, file)
        file.seek(0)
        for one in (pickle.loads(pickle.dumps(module)), copy.deepcopy(module), torch.load(file, weights_only=False)):
            assert type(one) is type(module)
            assert repr(one) == repr(module)
            for each in (module, one):
                torch.manual_seed(1)
                each.results = tensors(each(*args, **kwargs))
            torch.testing.assert_close(one.results, module.results, rtol=0, atol=0)


@cases
def test_factory_arguments(entry: Any, dtype: torch.dtype, training: bool) -> None:
    for module, _, _, one in samples(entry, dtype, training):
        made = one.constructor_input
        for device in ("cpu", "meta"):
            other = entry.module_cls(*made.args, **made.kwargs, device=device, dtype=dtype)
            assert {(p.device.type, p.dtype) for p in other.parameters()} == {(device, dtype)}
            assert list(other.state_dict()) == list(module.state_dict())
        other.to_empty(device="cpu").load_state_dict(module.state_dict())


@cases
def test_inputs_and_parameters_stay(entry: Any, dtype: torch.dtype, training: bool) -> None:
    for module, args, kwargs, _ in samples(entry, dtype, training):
        before = copy.deepcopy((tensors(args), list(module.parameters())))
        module(*args, **kwargs)
        torch.testing.assert_close((tensors(args), list(module.parameters())), before, rtol=0, atol=0)


@doubles
@pytest.mark.parametrize("second", [False, True])
def test_gradients_numerically(entry: Any, second: bool) -> None:
    check = torch.autograd.gradgradcheck if second else torch.autograd.gradcheck
    for module, args, kwargs, _ in samples(entry, torch.float64, False, requires_grad=True):
        if any(isinstance(a, tuple) for a in args) or kwargs:
            continue
        given = [a for a in args if isinstance(a, torch.Tensor)]
        named = dict(module.named_parameters())

        def call(*all_of_it: Any, module: Any = module, named: Any = named, count: int = len(given)) -> Any:
            parameters = dict(zip(named, all_of_it[count:], strict=True))
            return tuple(tensors(torch.func.functional_call(module, parameters, all_of_it[:count])))

        assert check(call, (*given, *named.values()), fast_mode=True, check_batched_grad=not second)


@doubles
def test_errors_are_of_the_type_that_torch_names(entry: Any) -> None:
    for one in entry.module_error_inputs_func(entry, "cpu", torch.float32, False, False):
        made, given = one.module_error_input.constructor_input, one.module_error_input.forward_input
        if one.error_on == ModuleErrorEnum.CONSTRUCTION_ERROR:
            with pytest.raises(one.error_type):
                entry.module_cls(*made.args, **made.kwargs)
        else:
            module = entry.module_cls(*made.args, **made.kwargs)
            with pytest.raises(one.error_type):
                module(*given.args, **given.kwargs)
