"""The state dict in a .safetensors or .pt file: no code, and no memory beyond what the file has."""

from __future__ import annotations

import pickletools
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gruworks.errors import WeightsError
from gruworks.files import MIB, bounded_member, bounded_zip, regular_file

__all__ = ["read_state"]

LEGACY = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."  # what such a file begins with
SLACK, FACTOR = 32 * MIB, 8  # tensors that share memory may have so many bytes, and so many for each of the file
PICKLE = 8 * MIB  # of a .pt file: names, shapes and places of its tensors
NAMES = {
    "collections OrderedDict", "collections Counter", "builtins set", "builtins complex",
    "torch Size", "torch device", "torch.serialization _get_layout", "torch.nn.parameter Parameter",
}  # fmt: skip
REBUILT = (
    "tensor",
    "tensor_v2",
    "tensor_v3",
    "parameter",
    "parameter_with_state",
    "sparse_tensor",
    "meta_tensor_no_storage",
)


def read_state(path: str | Path) -> dict[str, Any]:
    """The tensors of the state dict in a .safetensors or .pt file, by name.

    Raises:
        WeightsError: a file that is no such file, is cut off, holds code, is compressed, or was written by a torch
            older than 1.6, whose format says sizes that nothing bounds.
    """
    path = regular_file(path, WeightsError)
    state = _safetensors(path) if path.suffix == ".safetensors" else _torch(path)
    tensors = {_printable(key): value for key, value in state.items() if isinstance(value, Tensor)}
    total = sum(one.numel() * one.element_size() for one in tensors.values() if _is_whole(one))
    if total > SLACK + FACTOR * path.stat().st_size:
        raise WeightsError(f"{path} has tensors of {total:,} bytes, which share their memory: far more than the file")
    return tensors


def _is_whole(tensor: Tensor) -> bool:
    """True where it has memory for all its numbers; others are refused where they are a GRU's."""
    if tensor.layout is not torch.strided or tensor.is_meta or tensor.is_nested:
        return False
    return tensor.numel() * tensor.element_size() <= tensor.untyped_storage().nbytes()


def _safetensors(path: Path) -> dict[str, Tensor]:
    import safetensors.torch

    try:
        return dict(safetensors.torch.load_file(path))
    except Exception as error:  # its own errors, and what torch raises for types that it hasn't
        raise _damaged(path, error) from error


def _torch(path: Path) -> dict[str, Any]:
    _inspect(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on tensor kinds that `find` refuses by name
            state = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:  # the restricted unpickler raises whatever the calls in the file raise
        raise _damaged(path, error) from error
    state = state.get("state_dict", state) if isinstance(state, dict) else None
    if not isinstance(state, dict) or not all(isinstance(key, str) for key in state):
        raise WeightsError(f"{path} holds no state dict (names to tensors): save model.state_dict()")
    return state


def _inspect(path: Path) -> None:
    """Refuse what torch.load would allocate without a bound: compressed members, and calls that make tensors by size.

    With `mmap=True` a tensor's memory is a piece of the file, whatever the pickle says of its size.
    """
    with path.open("rb") as file:
        legacy = file.read(len(LEGACY)) == LEGACY
    if legacy:
        raise WeightsError(
            f"{path} is in the format of torch 1.5 and older: torch.save(torch.load({path.name!r}), {path.name!r}) "
            "writes today's"
        )
    with bounded_zip(path, error=WeightsError, kind=f"{path.suffix} file of plain tensors") as archive:
        packed = [
            entry.filename
            for entry in archive.infolist()
            if entry.compress_type or entry.file_size != entry.compress_size
        ]
        if packed:
            raise WeightsError(f"{path} holds {packed[0]} compressed; torch.save stores its members as they are")
        pickles = [name for name in archive.namelist() if name.count("/") == 1 and name.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise WeightsError(
                f"{path} is no whole {path.suffix} file of plain tensors: it has {len(pickles)} data.pkl"
            )
        content = bounded_member(archive, pickles[0], PICKLE, WeightsError)
    for name in _called(path, content):
        if not _is_known(name):
            raise WeightsError(
                f"{path} is no whole {path.suffix} file of plain tensors: it calls {name.replace(' ', '.')!r}; save "
                "model.state_dict() of a float model"
            )


def _called(path: Path, content: bytes) -> set[str]:
    """The functions and classes that a pickle names. torch's unpickler knows one opcode that does."""
    try:
        return {str(argument) for opcode, argument, _ in pickletools.genops(content) if opcode.name == "GLOBAL"}
    except Exception as error:  # pickletools raises ValueError, and what its decoding raises
        raise _damaged(path, error) from error


def _is_known(name: str) -> bool:
    module, _, attribute = name.partition(" ")
    storage = module == "torch" and attribute.endswith("Storage")
    dtype = isinstance(getattr(torch, attribute, None), torch.dtype) if module == "torch" else False
    return name in NAMES or storage or dtype or name in {f"torch._utils _rebuild_{kind}" for kind in REBUILT}


def _damaged(path: Path, error: Exception) -> WeightsError:
    reason = (str(error).split("\n")[0] or type(error).__name__)[:300]
    return WeightsError(f"{path} is no whole {path.suffix} file of plain tensors: {reason}")


def _printable(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode()
