"""Keras files that are hostile: a WeightsError, nothing read from elsewhere, no memory that it only claims."""

from __future__ import annotations

import json
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy
import pytest

from gruworks.errors import WeightsError
from gruworks.interop import find, keras
from gruworks.ops.weights import GRUWeights
from tests.interop.conftest import FIXTURES

CELL = "layers/gru/cell/vars"
File = Any


def _refused(path: Path, message: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(WeightsError, match=message) as refused:
            find(path)
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()
    assert path.name in str(refused.value)


def _arrays() -> list[Any]:
    return keras.to_weights(GRUWeights.random(3, 4).astype(numpy.float32))


def _with(file: File, kernel: Callable[[File], None]) -> None:
    group = file.create_group(CELL)
    _, group["1"], group["2"] = _arrays()
    kernel(group)


def _external(group: File) -> None:
    group.create_dataset("0", (3, 12), "f4", external=[("/etc/passwd", 0, h5py.h5f.UNLIMITED)])


def _virtual(group: File) -> None:
    layout = h5py.VirtualLayout((3, 12), "f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (3, 12))
    group.create_virtual_dataset("0", layout)


def _set(name: str, value: Any) -> Callable[[File], None]:
    return lambda group: group.__setitem__(name, value)


def _made(**options: Any) -> Callable[[File], None]:
    return lambda group: group.create_dataset("0", **options)


@pytest.mark.parametrize(
    ("kernel", "message"),
    [
        (_external, "refers to data in another file"),
        (_virtual, "refers to data in another file"),
        (_set("0", h5py.ExternalLink("/etc/passwd", "x")), "layers/gru/cell/vars/0 is a ExternalLink; links are not"),
        (_set("0", h5py.SoftLink("/nowhere")), "is a SoftLink; links are not followed"),
        (_set("0", h5py.SoftLink(f"/{CELL}/0")), "is a SoftLink"),
        (_set("0", h5py.SoftLink(f"/{CELL}/1")), "is a SoftLink"),
        (lambda group: group.__setitem__("loop", group), "has several paths or contains itself"),
        (lambda group: group.__setitem__("root", group.file["/"]), "has several paths or contains itself"),
        (lambda group: group.create_group("a").__setitem__("1", group["1"]), "has several paths"),
        (lambda group: group.create_group("/".join("a" * 50)), "is nested deeper than 32"),
        (_made(data=numpy.ones((3, 12), "u1")), "has type uint8; expected floating-point"),
        (_made(data=numpy.ones((3, 12), "i4")), "has type int32"),
        (_made(data=numpy.ones((3, 12), "c8")), "has type complex64"),
        (_made(data=numpy.ones((3, 12), "g")), "expected floating-point numbers"),
        (_made(data=numpy.full((3, 12), b"x")), r"has type \|S1"),
        (_made(data=numpy.zeros((3, 12), [("a", "f4"), ("b", "f4")])), "expected floating-point"),
        (_made(shape=(3, 12), dtype=h5py.string_dtype()), "has type object"),
        (_made(shape=(3, 12), dtype=h5py.vlen_dtype("f4")), "has type object"),
        (_made(shape=(3, 12), dtype=h5py.ref_dtype), "has type object"),
        (_made(shape=(3, 12), dtype=h5py.opaque_dtype("M8[s]")), "expected floating-point"),
        (_made(shape=(3, 12), dtype="f4", chunks=(1, 12), fillvalue=1), "shape needs 144 bytes"),
        (_made(shape=(10**9, 12), dtype="f4", chunks=(1000, 12)), "shape needs 48,000,000,000 bytes"),
        (_made(shape=(10**9, 12), dtype="f4"), "shape needs 48,000,000,000 bytes"),
        (_made(data=numpy.ones((3, 12), "f4"), compression="gzip"), "is compressed: .* h5repack -f NONE"),
        (_made(data=numpy.ones((3, 12), "f4"), compression="lzf", shuffle=True), "is compressed"),
        (_made(data=numpy.ones((3, 12), "f4"), scaleoffset=3), "is compressed"),
    ],
)
def test_arrays_that_are_elsewhere_larger_or_of_another_type_are_refused(
    kernel: Callable[[File], None], message: str, tmp_path: Path
) -> None:
    with h5py.File(tmp_path / "m.weights.h5", "w") as file:
        _with(file, kernel)
        if "0" not in file[CELL]:
            file[CELL]["0"] = _arrays()[0]
    _refused(tmp_path / "m.weights.h5", message)


@pytest.mark.parametrize("shape", [(0, 12), (3, 0), (), (3, 12, 1), (12,), None])
def test_arrays_of_other_sizes_are_no_gru(shape: tuple[int, ...] | None, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "m.weights.h5", "w") as file:
        _with(file, _made(data=h5py.Empty("f4") if shape is None else numpy.ones(shape, "f4")))
    _refused(tmp_path / "m.weights.h5", "has no GRU layer")


@pytest.mark.parametrize("stored", ["contiguous", "chunked", "big_endian", "half"])
def test_arrays_that_the_file_stores_whole_are_read(stored: str, tmp_path: Path) -> None:
    options = {"chunked": {"chunks": (1, 4)}, "big_endian": {"dtype": ">f4"}, "half": {"dtype": "f2"}}.get(stored, {})
    with h5py.File(tmp_path / "m.weights.h5", "w") as file:
        for name, array in zip("012", _arrays(), strict=True):
            file.create_dataset(f"{CELL}/{name}", data=array, **options)
    (stack,) = find(tmp_path / "m.weights.h5")
    assert stack.dtype == numpy.dtype("f2" if stored == "half" else "f4")
    assert numpy.allclose(stack.weights[0][0].w_ih, GRUWeights.random(3, 4).w_ih, atol=1e-3)


@pytest.mark.parametrize(
    "value",
    [1, 2.5, numpy.ones(3), [b"a", b"b"], numpy.zeros(2, "S9"), numpy.array([(1, 2.0)], "i4,f4")],
)
def test_attributes_that_are_no_text_are_refused(value: Any, tmp_path: Path) -> None:
    for owner, name in (("layers/gru/vars", "name"), ("/", "model_config")):
        path = tmp_path / f"{name}.h5"
        with h5py.File(path, "w") as file:
            _with(file, _set("0", _arrays()[0]))
            file.require_group(owner).attrs[name] = value
        _refused(path, f"the attribute '{name}' of .* (is not|must be) a")


def _config(**changed: Any) -> dict[str, Any]:
    with zipfile.ZipFile(FIXTURES / "two.keras") as archive:
        return {**json.loads(archive.read("config.json")), **changed}


def _layers(*layers: Any) -> dict[str, Any]:
    return _config(config={"name": "m", "layers": list(layers)})


def _gru(**settings: Any) -> dict[str, Any]:
    layer = _config()["config"]["layers"][1]
    return {**layer, "config": {**layer["config"], **settings}}


CONFIGS = [
    (None, "must be an object with class_name"),
    (1, "must be an object"),
    ([], "must be an object"),
    ("x", "must be an object"),
    ({}, "must be an object"),
    (_config(config=None), "must be an object"),
    (_config(config=[]), "no layer of the model configuration"),
    (_config(config={"layers": {"a": 1}}), "no layer of the model configuration"),
    (_layers(None, 1, "x", [], {}), "no layer of the model configuration"),
    (_layers({"class_name": ["GRU"], "config": {}}), "no layer of the model configuration"),
    (_layers({"class_name": "GRU", "config": []}), "has recurrent_activation='linear'"),
    (_layers({"class_name": "GRU"}), "has recurrent_activation='linear'"),
    (_layers(_gru(), {"class_name": "Bidirectional", "config": {"layer": _gru(), "merge_mode": {}}}), "merge_mode={}"),
    (_layers({"class_name": "Bidirectional", "config": {"layer": 1}}), "no layer of the model configuration"),
    (_layers(_gru(activation={"class_name": "function", "config": ["tanh"]})), "has activation="),
    (_layers(_gru(activation=[])), "has activation='\\[\\]'"),
    (_layers(_gru(recurrent_activation=1e400)), "has recurrent_activation='Infinity'"),
    (_layers(_gru(units=9)), "expected units=9, .* got units=4"),
    (_layers(_gru(units=True)), "no layer|expected units"),
    (_layers(_gru(use_bias=False)), "use_bias=False, got units=4, use_bias=True"),
    (_layers(_gru(reset_after=False)), "belongs to reset='after'"),
    (_layers({"class_name": "CuDNNGRU", "config": {"name": "fast"}}), "'CuDNNGRU'|no layer"),
]


@pytest.mark.parametrize(("config", "message"), CONFIGS)
def test_descriptions_that_are_damaged_are_refused(config: Any, message: str, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "inner.h5", "w") as file:
        _with(file, _set("0", _arrays()[0]))
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        archive.write(tmp_path / "inner.h5", "model.weights.h5")
        archive.writestr("config.json", json.dumps(config))
    _refused(tmp_path / "m.keras", message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "is not JSON"),
        (b"{", "is not JSON"),
        (b"\xff", "is not UTF-8"),
        (b'{"config": ' * 100, "deeper than 64"),
        (b"[" * 60_000, "deeper than 64"),
        (b'{"class_name": "Sequential", "config": {"layers": "\\ud800"}}', "half of a surrogate pair"),
        (b'{"config": ' + b"9" * 5000 + b"}", "is not JSON"),
    ],
)
def test_descriptions_that_are_no_json_are_refused(text: bytes, message: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(FIXTURES / "two.keras") as old, zipfile.ZipFile(tmp_path / "m.keras", "w") as new:
        new.writestr("model.weights.h5", old.read("model.weights.h5"))
        new.writestr("config.json", text)
    _refused(tmp_path / "m.keras", f"the model configuration of .*{message}")
    with h5py.File(tmp_path / "m.h5", "w") as file:
        _with(file, _set("0", _arrays()[0]))
        file.attrs["model_config"] = numpy.bytes_(text) if text else h5py.Empty("S1")
    with pytest.raises(WeightsError, match=r"m\.h5"):
        find(tmp_path / "m.h5")


@pytest.mark.parametrize("member", ["model.weights.h5", "config.json"])
@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_members_are_not_unpacked_beyond_a_bound(method: int, member: str, tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    with zipfile.ZipFile(FIXTURES / "two.keras") as old, zipfile.ZipFile(path, "w") as new:
        for name in ("model.weights.h5", "config.json"):
            new.writestr(name, bytes(2**26) if name == member else old.read(name), method if name == member else None)
    _refused(path, f"{member} .*(at most|compressed by method)")


def test_an_archive_that_was_packed_again_is_read(tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    with zipfile.ZipFile(FIXTURES / "two.keras") as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
    assert len(find(path)) == 2


def test_names_that_are_not_unicode_are_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "m.weights.h5", "w") as file:
        for name, array in zip("012", _arrays(), strict=True):
            file[b"layers/\xff\xfe/cell/vars/" + name.encode()] = array
    _refused(tmp_path / "m.weights.h5", "is not a complete Keras file")
