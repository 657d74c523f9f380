"""Keras' own files give Keras' own outputs, go back bit for bit, and what isn't a GRU here is named."""

from __future__ import annotations

import json
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy
import pytest
import torch

from gruworks import GRU
from gruworks.errors import WeightsError
from gruworks.interop import keras
from gruworks.interop.stack import Stack
from gruworks.ops.weights import GRUWeights
from tests.interop.conftest import FIXTURES, same_bits
from tests.tolerances import FLOAT32_OUTPUT

FILES = ("two.keras", "two.weights.h5", "two.h5")


@pytest.mark.parametrize("file", FILES)
@pytest.mark.filterwarnings("ignore:GRU .* assumed:UserWarning")
def test_a_model_gives_keras_own_outputs(file: str) -> None:
    """reset_after=True, and reset_after=False in both directions; the order of the gates, and [I, 3H] kernels."""
    seen = numpy.load(FIXTURES / "two.npz")
    layers = keras.load_gru(FIXTURES / file)
    assert sorted(layers) == ["both", "encoder"]
    assert (layers["encoder"].reset, layers["both"].reset, layers["both"].bidirectional) == ("after", "before", True)
    x = torch.from_numpy(seen["x"])
    for name in ("encoder", "both"):
        with torch.no_grad():
            x, _ = layers[name](x)
        assert numpy.abs(x.numpy() - seen[name]).max() < FLOAT32_OUTPUT
    assert not numpy.allclose(seen["encoder"], 0)


def test_a_backward_layer_and_a_mean_of_two_directions_are_keras() -> None:
    """go_backwards gives its outputs in reading order; merge_mode="ave" is the mean."""
    seen = numpy.load(FIXTURES / "backwards.npz")
    layers = keras.load_gru(FIXTURES / "backwards.keras")
    x = torch.from_numpy(seen["x"])
    for name in ("last_first", "mean"):
        with torch.no_grad():
            x, _ = layers[name](x)
        assert numpy.abs(x.numpy() - seen[name]).max() < FLOAT32_OUTPUT


@pytest.mark.parametrize("file", [*FILES, "backwards.keras"])
def test_back_into_the_file_gives_the_same_bits(file: str, tmp_path: Path) -> None:
    source, target = FIXTURES / file, tmp_path / file
    found = keras.find(source)
    emptied = tmp_path / f"empty_{file}"
    keras.write_back(source, [_changed(stack) for stack in found], emptied)
    assert not _same_arrays(source, emptied)
    keras.write_back(emptied, found, target)
    assert _same_arrays(source, target)
    if file.endswith(".keras"):
        assert zipfile.ZipFile(target).read("config.json") == zipfile.ZipFile(source).read("config.json")


def _changed(stack: Stack) -> Stack:
    weights = tuple(tuple(one.map(lambda a: a + 1) for one in layer) for layer in stack.weights)
    return Stack(stack.name, weights, stack.batch_first, stack.reverse, stack.reading_order, stack.merge)


def _same_arrays(one: Path, other: Path) -> bool:
    arrays = [{}, {}]
    for path, found in zip((one, other), arrays, strict=True):
        with keras.opened(path) as file:
            file.visititems(lambda n, o, into=found: into.update({n: o[()]}) if isinstance(o, h5py.Dataset) else None)
    assert arrays[0].keys() == arrays[1].keys()
    return all(same_bits(arrays[0][name], arrays[1][name]) for name in arrays[0])


@pytest.mark.parametrize("reset", ["after", "before"])
@pytest.mark.parametrize("bias", [True, False])
def test_theirs_ours_theirs_is_exact(reset: str, bias: bool) -> None:
    draw = numpy.random.default_rng(0).standard_normal
    shape = (2, 12) if reset == "after" else (12,)
    theirs = [draw((3, 12)), draw((4, 12)), *([draw(shape)] if bias else [])]
    if bias:
        theirs[2][..., 0] = -0.0
    ours = keras.from_weights(theirs, None if bias else reset)
    assert ours.reset == reset
    assert all(same_bits(a, b) for a, b in zip(theirs, keras.to_weights(ours), strict=True))


def test_two_biases_become_one_by_one_rounding() -> None:
    ours = GRUWeights.random(3, 4, "before").astype(numpy.float32)
    _, _, bias = keras.to_weights(ours)
    total = ours.b_ih.astype(float) + ours.b_hh.astype(float)
    z_r_h = numpy.concatenate([total[4:8], total[:4], total[8:]])
    assert same_bits(bias, z_r_h.astype(numpy.float32))


@pytest.mark.parametrize("suffix", ["keras", "weights.h5"])
@pytest.mark.parametrize("reset", ["after", "before"])
@pytest.mark.parametrize(("layers", "both"), [(1, False), (2, True)])
@pytest.mark.filterwarnings("ignore:GRU .* assumed:UserWarning")
def test_a_written_file_is_read_again(layers: int, both: bool, reset: str, suffix: str, tmp_path: Path) -> None:
    gru = GRU(3, 4, layers, batch_first=True, bidirectional=both, reset=reset)
    keras.save_gru(gru, tmp_path / f"m.{suffix}")
    x = torch.randn(2, 5, 3)
    expected, y = gru(x)[0], x
    for layer in keras.load_gru(tmp_path / f"m.{suffix}").values():
        y, _ = layer(y)
    torch.testing.assert_close(y, expected, atol=FLOAT32_OUTPUT, rtol=0)


def test_cells_in_a_stack_and_in_an_rnn_have_names(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "m.weights.h5", "w") as file:
        for path, width in (("layers/rnn/cell", 3), ("layers/rnn_1/cell/cells/gru_cell", 3)):
            for key, array in zip("012", keras.to_weights(GRUWeights.random(width, 2)), strict=True):
                file[f"{path}/vars/{key}"] = array
        file["layers/lstm/cell/vars/0"], file["layers/lstm/cell/vars/1"] = numpy.ones((3, 8)), numpy.ones((2, 8))
        file["layers/rnn"].create_group("vars").attrs["name"] = "reader"
    assert [stack.name for stack in keras.find(tmp_path / "m.weights.h5")] == ["reader", "rnn_1/gru_cell"]


@pytest.mark.parametrize("root", ["_layer_checkpoint_dependencies", "layers"])
def test_groups_of_older_versions_are_known(root: str, tmp_path: Path) -> None:
    """TensorFlow 2's two layouts: Keras 3's groups without names under another root, and weights by their names."""
    one, two = GRUWeights.random(3, 2), GRUWeights.random(3, 2, seed=1)
    paths = {f"{root}/gru/cell/vars": "012", f"{root}/gru_1/cell/vars": "012"}
    if root == "layers":
        names = ("kernel:0", "recurrent_kernel:0", "bias:0")
        paths = {"both/both/forward_gru/gru_cell_1": names, "both/both/backward_gru/gru_cell_2": names}
    with h5py.File(tmp_path / "m.h5", "w") as file:
        for (path, names), weights in zip(paths.items(), (one, two), strict=True):
            for key, array in zip(names, keras.to_weights(weights), strict=True):
                file[f"{path}/{key}"] = array
    found = keras.find(tmp_path / "m.h5")
    assert [stack.name for stack in found] == (["both"] if root == "layers" else ["gru", "gru_1"])
    weights = [weights for stack in found for weights in stack.each()]
    assert all(same_bits(mine.w_hh, theirs.w_hh) for mine, theirs in zip(weights, (one, two), strict=True))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"recurrent_activation": "relu"},
            "layer 'encoder' .* has recurrent_activation='relu'; supported are sigmoid, h",
        ),
        ({"activation": "elu"}, "layer 'encoder' .* has activation='elu'; supported are tanh, relu"),
        ({"reset_after": False}, r"layer 'encoder' .* a bias \[2, 12\] belongs to reset='after'"),
    ],
)
def test_a_layer_that_is_no_gru_here_is_named(change: dict[str, object], message: str, tmp_path: Path) -> None:
    _with_config(tmp_path / "m.keras", lambda config: config["layers"][1]["config"].update(change))
    with pytest.raises(WeightsError, match=message):
        keras.find(tmp_path / "m.keras")


def test_two_outputs_in_place_of_one_are_named(tmp_path: Path) -> None:
    _with_config(tmp_path / "m.keras", lambda config: config["layers"][2]["config"].update(merge_mode=None))
    with pytest.raises(WeightsError, match=r"layer 'both' .* merge_mode=None"):
        keras.find(tmp_path / "m.keras")


def _with_config(path: Path, change: object) -> None:
    with zipfile.ZipFile(FIXTURES / "two.keras") as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "config.json":
                model = json.loads(content)
                change(model["config"])
                content = json.dumps(model).encode()
            new.writestr(name, content)


def test_without_a_bias_the_form_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "m.weights.h5"
    keras.save_gru(GRU(3, 4, bias=False, batch_first=True, reset="before"), path)
    with pytest.raises(WeightsError, match="pass reset='after'"):
        keras.find(path)
    assert keras.find(path, "before")[0].reset == "before"


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.95])
def test_a_file_that_is_cut_off_is_said(file: str, share: float, tmp_path: Path) -> None:
    content = (FIXTURES / file).read_bytes()
    (tmp_path / file).write_bytes(content[: int(share * len(content))])
    with pytest.raises(WeightsError, match=r"two\..* is not a complete Keras file"):
        keras.find(tmp_path / file)


def test_files_without_gru_or_of_another_kind_are_said(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "dense.weights.h5", "w") as file:
        file["layers/dense/vars/0"], file["layers/dense/vars/1"] = numpy.ones((3, 9)), numpy.ones((3, 9))[0]
    with pytest.raises(WeightsError, match=r"dense\.weights\.h5 has no GRU layer"):
        keras.find(tmp_path / "dense.weights.h5")
    with pytest.raises(WeightsError, match="is not a file"):
        keras.find(tmp_path / "missing.keras")
    with pytest.raises(WeightsError, match="a SavedModel"):
        keras.find(tmp_path)
    with zipfile.ZipFile(tmp_path / "other.keras", "w") as archive:
        archive.writestr("readme", "nothing")
    with pytest.raises(WeightsError, match=r"it is not a \.keras archive"):
        keras.find(tmp_path / "other.keras")


def test_what_does_not_fit_into_a_file_is_said(tmp_path: Path) -> None:
    source = FIXTURES / "two.keras"
    encoder = keras.find(source)[1]
    assert encoder.name == "encoder"
    with pytest.raises(WeightsError, match="no GRU named 'decoder'"):
        keras.write_back(source, [replace(encoder, name="decoder")], tmp_path / "m.keras")
    wider = Stack("encoder", ((GRUWeights.random(3, 5),),))
    with pytest.raises(WeightsError, match=r"'encoder' .* has arrays of shapes"):
        keras.write_back(source, [wider], tmp_path / "m.keras")
    assert not (tmp_path / "m.keras").exists()
    shutil.copy(source, tmp_path / "same.keras")
    keras.write_back(tmp_path / "same.keras", [encoder], tmp_path / "same.keras")
    assert _same_arrays(source, tmp_path / "same.keras")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ([(3, 12), (4, 12), (3, 12)], r"a bias must be \[2, 3H\] or \[3H\]"),
        ([(3, 11), (4, 12), (2, 12)], "w_ih must be"),
        ([(3, 12), (5, 12), (2, 12)], "w_hh must be"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(arrays: list[tuple[int, ...]], message: str) -> None:
    with pytest.raises(WeightsError, match=message):
        keras.from_weights([numpy.ones(shape) for shape in arrays])


@pytest.mark.parametrize("reset", ["before", "after"])
def test_other_activations_are_written_and_read(reset: Any, tmp_path: Path) -> None:
    gru = GRU(3, 4, reset=reset, candidate_activation="relu", gate_activation="hard_sigmoid", batch_first=True)
    keras.save_gru(gru, tmp_path / "m.keras")
    (loaded,) = keras.load_gru(tmp_path / "m.keras").values()
    assert (loaded.candidate_activation, loaded.gate_activation) == ("relu", "hard_sigmoid")
    x = torch.randn(2, 5, 3)
    torch.testing.assert_close(loaded(x)[0], gru.eval()(x)[0])
    with pytest.raises(WeightsError, match=r"states no activations.*candidate_activation='relu'"):
        keras.save_gru(gru, tmp_path / "m.weights.h5")
