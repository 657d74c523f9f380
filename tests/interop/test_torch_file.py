""".pt and .safetensors files that are hostile or of unusual tensors: a WeightsError, and no memory that they claim."""

from __future__ import annotations

import json
import os
import struct
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from gruworks.errors import WeightsError
from gruworks.interop import load_gru

Rebuild = tuple[Any, tuple[Any, ...]]


def _state(**changed: Any) -> dict[str, Any]:
    return {**torch.nn.GRU(3, 4).state_dict(), **changed}


UNUSUAL = {
    "sparse": lambda w: w.to_sparse(),
    "csr": lambda w: w.to_sparse_csr(),
    "meta": lambda w: w.to("meta"),
    "quantised": lambda w: torch.quantize_per_tensor(w, 0.1, 0, torch.qint8),
    "float8": lambda w: w.to(torch.float8_e4m3fn),
    "integers": lambda w: w.to(torch.int32),
    "complex": lambda w: w.to(torch.complex64),
    "expanded": lambda w: w[:1, :1].expand(30_000, 10_000),
    "nested": lambda w: torch.nested.nested_tensor([w, w]),
}


@pytest.mark.parametrize("kind", UNUSUAL)
@pytest.mark.parametrize("name", ["weight_hh_l0", "bias_ih_l0"])
@pytest.mark.filterwarnings("ignore")  # torch's, on kinds that are beta or on their way out
def test_tensors_of_another_kind_are_refused_by_name(kind: str, name: str, tmp_path: Path) -> None:
    torch.save(_state(**{name: UNUSUAL[kind](torch.randn(12, 4))}), tmp_path / "m.pt")
    with pytest.raises(WeightsError, match=rf"m\.pt is not a complete|{name} (must be a plain tensor|has the shape)"):
        load_gru(tmp_path / "m.pt")


@pytest.mark.parametrize("kind", ["sparse", "meta", "integers", "expanded"])
def test_they_do_no_harm_beside_a_gru(kind: str, tmp_path: Path) -> None:
    torch.save(_state(**{"head.weight": UNUSUAL[kind](torch.randn(12, 4))}), tmp_path / "m.pt")
    assert list(load_gru(tmp_path / "m.pt")) == [""]


def test_narrow_and_negated_tensors_are_read(tmp_path: Path) -> None:
    state = _state()
    torch.save({key: value.bfloat16() for key, value in state.items()}, tmp_path / "m.pt")
    assert torch.equal(load_gru(tmp_path / "m.pt")[""].weight_hh_l0, state["weight_hh_l0"].bfloat16().float())
    torch.save(
        _state(weight_hh_l0=torch.complex(state["weight_hh_l0"], state["weight_hh_l0"]).conj().imag), tmp_path / "n.pt"
    )
    assert torch.equal(load_gru(tmp_path / "n.pt")[""].weight_hh_l0, -state["weight_hh_l0"])


class Call:
    def __init__(self, *call: Any) -> None:
        self.call = call

    def __reduce__(self) -> Rebuild:
        return self.call[0], self.call[1:]


@pytest.mark.parametrize(
    "call",
    [
        (os.system, "exit 1"),
        (bytearray, 10**9),
        (torch.Tensor, 30_000, 10_000),
        (torch.UntypedStorage, 10**9),
        (torch.FloatTensor, 30_000, 10_000),
        (torch.empty, 30_000, 10_000),
    ],
)
def test_what_a_pickle_calls_is_refused_before_it_is_called(call: tuple[Any, ...], tmp_path: Path) -> None:
    torch.save(_state(other=Call(*call)), tmp_path / "m.pt")
    tracemalloc.start()
    with pytest.raises(WeightsError, match="it calls '"):
        load_gru(tmp_path / "m.pt")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**22


def _rewritten(path: Path, change: Any, method: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(path) as old:
        members = {entry.filename: old.read(entry) for entry in old.infolist()}
    with zipfile.ZipFile(path, "w", method) as new:
        for name, content in change(members).items():
            new.writestr(name, content)


def test_a_size_that_the_file_has_not_is_refused(tmp_path: Path) -> None:
    """numel of a storage, and with it the shape of its tensor."""
    path = tmp_path / "m.pt"
    torch.save(_state(weight_hh_l0=torch.randn(60, 20), weight_ih_l0=torch.randn(60, 3)), path)

    def lie(members: dict[str, bytes]) -> dict[str, bytes]:
        name = next(name for name in members if name.endswith("data.pkl"))
        large = struct.pack("<i", 3 * 20_000 * 20_000)
        content = members[name].replace(b"M" + struct.pack("<H", 60 * 20), b"J" + large)
        content = content.replace(b"K\x3cK\x14\x86", b"M\x60\xeaM\x20\x4e\x86")  # (60, 20) is (60000, 20000)
        return {**members, name: content.replace(b"K\x14K\x01\x86", b"M\x20\x4eK\x01\x86")}

    _rewritten(path, lie)
    with pytest.raises(WeightsError, match=r"m\.pt is not a complete"):
        load_gru(path)


def test_compressed_members_are_refused_before_they_are_unpacked(tmp_path: Path) -> None:
    torch.save(_state(zeros=torch.zeros(2**22)), tmp_path / "m.pt")
    _rewritten(tmp_path / "m.pt", lambda members: members, zipfile.ZIP_DEFLATED)
    with pytest.raises(WeightsError, match=r"has m/.* compressed"):
        load_gru(tmp_path / "m.pt")


def test_many_names_of_one_tensor_are_not_copied(tmp_path: Path) -> None:
    shared = torch.zeros(1536, 512)
    torch.save({f"{i}.weight_{kind}_l0": shared for i in range(100) for kind in ("ih", "hh")}, tmp_path / "m.pt")
    with pytest.raises(WeightsError, match=r"m\.pt has tensors of .* that share memory"):
        load_gru(tmp_path / "m.pt")
    torch.save({f"{i}.weight_{kind}_l0": shared for i in range(2) for kind in ("ih", "hh")}, tmp_path / "m.pt")
    assert len(load_gru(tmp_path / "m.pt")) == 2


@pytest.mark.parametrize("name", ["archive/code.py", "data.pkl", "a/b/data.pkl"])
def test_archives_of_another_kind_are_refused(name: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "m.pt", "w") as archive:
        archive.writestr(name, "pass")
    with pytest.raises(WeightsError, match=r"it has 0 data\.pkl"):
        load_gru(tmp_path / "m.pt")


def test_files_of_old_versions_are_refused_with_what_to_do(tmp_path: Path) -> None:
    torch.save(_state(), tmp_path / "m.pt", _use_new_zipfile_serialization=False)
    with pytest.raises(
        WeightsError, match=r"torch 1\.5 and older: convert it with torch\.save\(torch\.load\('m\.pt'\)"
    ):
        load_gru(tmp_path / "m.pt")


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".safetensors", ".onnx", ".keras", ".h5", ".weights.h5", ".hdf5"])
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: Path(path).touch(), lambda path: None])
def test_what_is_no_regular_file_is_refused_in_every_format(suffix: str, make: Any, tmp_path: Path) -> None:
    make(tmp_path / f"m{suffix}")
    with pytest.raises(WeightsError, match=r"m\..* is not a (file|complete)"):
        load_gru(tmp_path / f"m{suffix}")


def _safetensors(header: Any, data: bytes = bytes(4 * 12 * 4)) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def _one(**changed: Any) -> dict[str, Any]:
    return {"weight_hh_l0": {"dtype": "F32", "shape": [12, 4], "data_offsets": [0, 192], **changed}}


@pytest.mark.parametrize(
    "content",
    [
        _safetensors(_one()),
        _safetensors(_one(dtype="F8_E4M3", shape=[12, 16])),
        _safetensors(_one(dtype="I64", shape=[12, 2])),
        _safetensors(_one(dtype="X")),
        _safetensors(_one(shape=[12, 4_000_000_000])),
        _safetensors(_one(shape=[2**62, 2**62])),
        _safetensors(_one(shape=[-12, 4])),
        _safetensors(_one(data_offsets=[0, 2**60])),
        _safetensors(_one(data_offsets=[192, 0])),
        _safetensors({**_one(), "weight_ih_l0": _one()["weight_hh_l0"]}),
        _safetensors(_one(shape="all")),
        _safetensors(b"[" * 10_000),
        _safetensors(b"null"),
        struct.pack("<Q", 2**63) + b"{}",
        struct.pack("<Q", 2**27) + b"{}",
    ],
)
def test_safetensors_that_lie_are_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "m.safetensors").write_bytes(content)
    with pytest.raises(WeightsError):
        load_gru(tmp_path / "m.safetensors")


def test_names_that_cannot_be_printed_are_spelt(tmp_path: Path) -> None:
    torch.save({f"\ud800.{key}": value for key, value in _state().items()}, tmp_path / "m.pt")
    assert list(load_gru(tmp_path / "m.pt")) == ["\\ud800"]
