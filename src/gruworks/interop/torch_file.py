"""Reading of untrusted .safetensors and .pt files: no code is run, and memory is bounded by the file size."""

from __future__ import annotations

import pickletools
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gruworks.errors import WeightsError
from gruworks.files import MIB, bounded_member, bounded_zip, regular_file
from gruworks.interop.stack import printable

__all__ = ["read_state"]

LEGACY = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."  # first bytes of files of torch 1.5 and older
SLACK, FACTOR = 32 * MIB, 8  # limit of the bytes of all tensors: SLACK + FACTOR * size of the file
PICKLE = 8 * MIB  # limit of the pickle with names and shapes of the tensors
NAMES = {
    "collections OrderedDict", "collections Counter", "builtins set", "builtins complex",
    "torch Size", "torch device", "torch.serialization _get_layout", "torch.nn.parameter Parameter",
}  # fmt: skip
REBUILT = (
    "tensor", "tensor_v2", "tensor_v3", "parameter", "parameter_with_state", "sparse_tensor", "meta_tensor_no_storage"
)  # fmt: skip


def read_state(path: str | Path) -> dict[str, Any]:
    """Read the tensors of the state dict in a .safetensors or .pt file, by name.

    Raises:
        WeightsError: the file is of another format, incomplete, compressed, holds code, or was written by torch 1.5 or
            older, whose format has unbounded sizes.
    """
    path = regular_file(path, WeightsError)
    state = _safetensors(path) if path.suffix == ".safetensors" else _torch(path)
    tensors = {printable(key): value for key, value in state.items() if isinstance(value, Tensor)}
    total = sum(one.numel() * one.element_size() for one in tensors.values() if _is_whole(one))
    if total > SLACK + FACTOR * path.stat().st_size:
        raise WeightsError(f"{path} has tensors of {total:,} bytes that share memory: too large for a file of its size")
    return tensors


def _is_whole(tensor: Tensor) -> bool:
    """True if the tensor has memory for all its numbers; `find` refuses others."""
    if tensor.layout is not torch.strided or tensor.is_meta or tensor.is_nested:
        return False
    return tensor.numel() * tensor.element_size() <= tensor.untyped_storage().nbytes()


def _safetensors(path: Path) -> dict[str, Tensor]:
    import safetensors.torch

    try:
        return dict(safetensors.torch.load_file(path))
    except Exception as error:  # errors of safetensors, and of torch for unknown types
        raise _damaged(path, error) from error


def _torch(path: Path) -> dict[str, Any]:
    _inspect(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about kinds of tensors that `find` refuses
            state = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:  # the restricted unpickler passes on errors of the calls in the file
        raise _damaged(path, error) from error
    state = state.get("state_dict", state) if isinstance(state, dict) else None
    if not isinstance(state, dict) or not all(isinstance(key, str) for key in state):
        raise WeightsError(f"{path} has no state dict of names and tensors: save model.state_dict()")
    return state


def _inspect(path: Path) -> None:
    """Refuse files from which torch.load would allocate unbounded memory: compressed members, unexpected calls.

    With `mmap=True` the memory of a tensor is part of the file, whatever size the pickle states.
    """
    with path.open("rb") as file:
        if file.read(len(LEGACY)) == LEGACY:
            save = f"torch.save(torch.load({path.name!r}), {path.name!r})"
            raise WeightsError(f"{path} is in the format of torch 1.5 and older: convert it with {save}")
    with bounded_zip(path, error=WeightsError, kind=f"{path.suffix} file of plain tensors") as archive:
        for entry in archive.infolist():
            if entry.compress_type or entry.file_size != entry.compress_size:
                raise WeightsError(f"{path} has {entry.filename} compressed, unlike files of torch.save")
        pickles = [name for name in archive.namelist() if name.count("/") == 1 and name.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise _damaged(path, f"it has {len(pickles)} data.pkl")
        content = bounded_member(archive, pickles[0], PICKLE, WeightsError)
    for name in _called(path, content):
        if not _is_known(name):
            raise _damaged(path, f"it calls {name.replace(' ', '.')!r}; save model.state_dict() of a float model")


def _called(path: Path, content: bytes) -> set[str]:
    """The functions and classes that a pickle names; torch's unpickler supports only the opcode GLOBAL."""
    try:
        return {str(argument) for opcode, argument, _ in pickletools.genops(content) if opcode.name == "GLOBAL"}
    except Exception as error:  # ValueError of pickletools, and decoding errors
        raise _damaged(path, error) from error


def _is_known(name: str) -> bool:
    module, _, attribute = name.partition(" ")
    storage = module == "torch" and attribute.endswith("Storage")
    dtype = isinstance(getattr(torch, attribute, None), torch.dtype) if module == "torch" else False
    return name in NAMES or storage or dtype or name in {f"torch._utils _rebuild_{kind}" for kind in REBUILT}


def _damaged(path: Path, error: Exception | str) -> WeightsError:
    reason = (str(error).split("\n")[0] or type(error).__name__)[:300]
    return WeightsError(f"{path} is not a complete {path.suffix} file of plain tensors: {reason}")
