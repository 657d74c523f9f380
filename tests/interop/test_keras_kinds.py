"""Files of every kind of model, written by Keras 3 and 2.15: the facts of their layers, or a refusal by name.

The archives are made by benchmarks/exchange_kinds.py.
"""

from __future__ import annotations

import re
import warnings
import zipfile
from pathlib import Path

import numpy
import pytest
import torch

from gruworks.errors import WeightsError
from gruworks.interop import find, load_gru
from tests.interop.conftest import FIXTURES
from tests.tolerances import FLOAT32_OUTPUT

VERSIONS = ("keras2", "keras3")
REFUSED = {
    "object": "layer 'odd' of .* has activation='.*LeakyReLU",
    "unmerged": "layer 'odd' of .* has merge_mode=None",
    "exchanged": "layer 'odd' of .* has go_backwards=True in its forward layer",
    "subclassed": "no layer of the model configuration matches it",
    "own_layer": "no layer of the model configuration matches it",
    "own_cell": "no layer of the model configuration matches it",
    "own_gru": "no layer of the model configuration matches it",
}
WARNED = {
    "distributed": "is wrapped in TimeDistributed 'slices'",
    "masking": "masks steps (Masking 'zeros')",
    "embedding": "masks steps (Embedding 'table'",
    "mask": "masks steps (mask= of 'given')",
    "stateful": "stateful=True",
}


def _kept(suffix: str) -> list[tuple[str, str]]:
    found = []
    for version in VERSIONS:
        with zipfile.ZipFile(FIXTURES / f"{version}_kinds.zip") as archive:
            found += [(version, name.removesuffix(suffix)) for name in archive.namelist() if name.endswith(suffix)]
    return found


WHOLE = [
    (version, kind, suffix)
    for suffix in (".keras", ".h5")
    for version, kind in _kept(suffix)
    if not kind.endswith(".weights")
]


def _file(version: str, name: str, folder: Path) -> Path:
    with zipfile.ZipFile(FIXTURES / f"{version}_kinds.zip") as archive:
        return Path(archive.extract(name, folder))


@pytest.mark.parametrize(("version", "kind", "suffix"), [one for one in WHOLE if one[1] not in REFUSED])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_layers_compute_what_keras_computed(version: str, kind: str, suffix: str, tmp_path: Path) -> None:
    loaded = load_gru(_file(version, kind + suffix, tmp_path))
    seen = dict(numpy.load(_file(version, f"{kind}.npz", tmp_path)))
    expected = [name.removeprefix("x/") for name in seen if name.startswith("x/")]
    if kind == "nested" and suffix == ".keras":  # a layer that two models share is written once
        expected.remove("encoder/deep")
    assert sorted("+".join(expected).split("+")) == sorted(loaded)
    for name in expected:
        y = torch.from_numpy(seen[f"x/{name}"])
        for part in name.split("+"):
            y, _ = loaded[part](y)
        assert numpy.abs(y.detach().numpy() - seen[f"y/{name}"]).max() < FLOAT32_OUTPUT
        assert numpy.abs(seen[f"y/{name}"]).max() > 0.1


@pytest.mark.parametrize(("version", "kind", "suffix"), [one for one in WHOLE if one[1] in REFUSED])
def test_layers_that_cannot_be_computed_are_refused_by_name(
    version: str, kind: str, suffix: str, tmp_path: Path
) -> None:
    with pytest.raises(WeightsError, match=REFUSED[kind]):
        find(_file(version, kind + suffix, tmp_path))


@pytest.mark.parametrize(("version", "kind", "suffix"), [one for one in WHOLE if one[1] not in REFUSED])
def test_what_a_layer_alone_does_not_do_is_said(version: str, kind: str, suffix: str, tmp_path: Path) -> None:
    """Masks, a state that is carried, a wrapper: in the stack, in the module and as a warning; nothing elsewhere."""
    path = _file(version, kind + suffix, tmp_path)
    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("always")
        modules = load_gru(path)
    said = {sentence for stack in find(path) for sentence in stack.warnings}
    assert {sentence for module in modules.values() for sentence in module.load_warnings} == said
    assert all(any(sentence in str(one.message) for one in given) for sentence in said)
    assert len(given) == len([stack for stack in find(path) if stack.warnings])
    assert len(said) == (kind in WARNED)
    if kind in WARNED:
        assert WARNED[kind] in said.pop()


@pytest.mark.parametrize("version", VERSIONS)
def test_lengths_stand_in_for_a_mask_at_the_rows_ends(version: str, tmp_path: Path) -> None:
    """As the warning says; and with its lengths the last state is Keras', which goes through masked steps unchanged."""
    path = _file(version, "masking.keras", tmp_path)
    with pytest.warns(UserWarning, match="pass lengths= if they are padding"):
        gru = load_gru(path)["masked"]
    seen = numpy.load(_file(version, "masking.npz", tmp_path))
    padded = torch.from_numpy(seen["padded"])
    y, last = gru(padded, lengths=[3, 5])
    assert numpy.abs(last[0].detach().numpy() - seen["masked"][:, -1]).max() < FLOAT32_OUTPUT
    assert numpy.abs(y[0, :3].detach().numpy() - seen["masked"][0, :3]).max() < FLOAT32_OUTPUT


@pytest.mark.parametrize(("version", "kind"), _kept(".weights.h5"))
def test_what_a_file_of_weights_cannot_say_is_said_to_be_assumed(version: str, kind: str, tmp_path: Path) -> None:
    path = _file(version, f"{kind}.weights.h5", tmp_path)
    stacks = find(path)
    assert len(stacks) == (3 if kind == "merged" else 2)
    for stack in stacks:
        assert re.search(
            r"assumed: activation='tanh', recurrent_activation='sigmoid', go_backwards=False", *stack.warnings
        )
        assert ("merge_mode='concat'" in stack.warnings[0]) == (stack.directions == 2)
    with pytest.warns(UserWarning, match="assumed") as given:
        load_gru(path)
    assert len(given) == len(stacks)
    assert all(f"GRU {stack.name!r}" in str(one.message) for stack, one in zip(stacks, given, strict=True))
