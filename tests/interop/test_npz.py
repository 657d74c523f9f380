"""Flax' and Equinox' trees in .npz files; hostile ones are a WeightsError."""

from __future__ import annotations

import io
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy
import pytest

from gruworks.errors import WeightsError
from gruworks.interop import find, load_gru
from gruworks.interop import flax as trees
from gruworks.ops.weights import GRUWeights
from tests.interop.conftest import FIXTURES, same_bits


@pytest.mark.parametrize("name", ["nnx_4", "linen_4", "equinox_4"])
def test_cells_written_by_the_frameworks_are_found(name: str) -> None:
    (stack,) = find(FIXTURES / f"{name}.npz")
    assert (stack.name, stack.input_size, stack.hidden_size, stack.reset) == ("", 3, 4, "after")
    assert load_gru(FIXTURES / f"{name}.npz")[""].hidden_size == 4


@pytest.mark.parametrize("mark", [".", "/"])
@pytest.mark.parametrize("save", [numpy.savez, numpy.savez_compressed])
def test_cells_in_a_tree_have_its_names(mark: str, save: Any, tmp_path: Path) -> None:
    weights = GRUWeights.random(3, 4)
    tree = trees.to_linen(weights)
    flat = {mark.join(("model", "cell", a, b)): array for a, part in tree.items() for b, array in part.items()}
    save(tmp_path / "m.npz", **flat, **{f"model{mark}head": numpy.ones(3)})
    (stack,) = find(tmp_path / "m.npz")
    assert stack.name == "model/cell"
    assert same_bits(stack.weights[0][0].w_ih, weights.w_ih)


def _npy(array: Any, **pickled: Any) -> bytes:
    stream = io.BytesIO()
    numpy.lib.format.write_array(stream, numpy.asarray(array), **pickled)
    return stream.getvalue()


def _claims(header: str) -> bytes:
    text = header.encode() + b" " * (-len(header) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"text",
        _npy(numpy.array([{}, None]), allow_pickle=True),
        _npy(numpy.ones((12, 3), int)),
        _npy(numpy.array(["a", "b"])),
        _npy(numpy.zeros(2, [("a", "f4"), ("b", "f8")])),
        _claims("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000, 1000), }"),
        _claims("{'descr': '<f4', 'fortran_order': False, 'shape': (-1, -4), }") + bytes(16),
        _claims("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 4611686018427387904, 4), }"),
        _claims("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }") + bytes(8),
        _claims("{'descr': [[[[" + "[" * 5000),
        _claims("__import__('os').system('exit 1')"),
    ],
)
def test_arrays_that_are_none_or_lie_are_refused(content: bytes, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "m.npz", "w") as archive:
        archive.writestr("weight_ih.npy", content)
        archive.writestr("weight_hh.npy", _npy(numpy.ones((12, 4))))
    tracemalloc.start()
    with pytest.raises(WeightsError, match=r"m\.npz|weight_ih"):
        find(tmp_path / "m.npz")
    assert tracemalloc.get_traced_memory()[1] < 2**23
    tracemalloc.stop()


def test_files_of_another_kind_are_said(tmp_path: Path) -> None:
    (tmp_path / "m.npz").write_bytes(b"text")
    with pytest.raises(WeightsError, match=r"m\.npz is not a complete \.npz file"):
        find(tmp_path / "m.npz")
    for names, message in (
        (["a"], "has no GRU cell"),
        (["a", "a/b"], "an array and a tree"),
        (["a", "a"], "twice"),
        (["/".join("a" * 99)], "deeper than 64"),
    ):
        with (
            zipfile.ZipFile(tmp_path / "m.npz", "w") as archive,
            pytest.warns() if names == ["a", "a"] else pytest.MonkeyPatch.context(),
        ):
            for name in names:
                archive.writestr(f"{name}.npy", _npy(numpy.ones(3)))
        with pytest.raises(WeightsError, match=message):
            find(tmp_path / "m.npz")
    with zipfile.ZipFile(tmp_path / "m.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", _npy(numpy.zeros(2**24)))
    with pytest.raises(WeightsError, match=r"unpacks to .* at most"):
        find(tmp_path / "m.npz")
