"""Files of the exchange formats to mutate: small valid ones, format-aware edits, and the use of what loads.

Each edit is a function of the file and the random numbers; an edit that doesn't fit the file becomes flipped bytes.
"""

from __future__ import annotations

import contextlib
import json
import random
import struct
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gruworks.errors import GruworksError, require

__all__ = ["mutate", "seeds", "use"]

NUMBERS: tuple[Any, ...] = (0, 1, -1, 2, 3, 255, 2**31 - 1, 2**31, 2**40, 2**62, 2**63 - 1)
VALUES: tuple[Any, ...] = (None, True, False, "", "x", "relu", "é", 1.5, [], {}, [[]], {"config": {}}, *NUMBERS)
Edit = Callable[[Path, random.Random], None]


def seeds(folder: Path) -> list[Path]:
    """Small valid files of PyTorch, Keras, ONNX, Flax and Equinox, written into the folder.

    Raises:
        MissingExtraError: h5py or onnx is not installed.
    """
    import torch

    from gruworks import GRU
    from gruworks.interop import save_gru

    folder.mkdir(parents=True, exist_ok=True)
    for module in ("h5py", "onnx"):
        require(module, "exchange")
    plain, both = GRU(2, 3, batch_first=True), GRU(2, 3, 2, bidirectional=True, batch_first=True, reset="before")
    for suffix in (".keras", ".weights.h5", ".onnx", ".safetensors"):
        save_gru(plain, folder / f"plain{suffix}")
        save_gru(both, folder / f"both{suffix}")
    torch.save(both.state_dict(), folder / "both.pt")
    torch.save({"state_dict": {"encoder.weight": torch.ones(2), **_prefixed(plain.state_dict())}}, folder / "plain.pth")
    _whole_model(folder / "plain.h5")
    _computed(folder / "plain.onnx", folder / "computed.onnx")
    _trees(folder)
    return sorted(folder.iterdir())


def use(path: Path) -> None:
    """Load the file by every way in, and use what loads on inputs and in another format, which may be refused.

    Raises:
        GruworksError: the file is refused.
    """
    import torch

    from gruworks.interop import find, load_gru, save_gru

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stacks, modules = find(path), load_gru(path)
    for stack in stacks[:3]:
        f"{stack.name} {stack.warnings}".encode()
        for suffix in (".keras", ".onnx", ".safetensors"):
            with contextlib.suppress(GruworksError):
                save_gru(stack, path.with_name(f"converted{suffix}"))
    for module in list(modules.values())[:3]:
        repr(module)
        dtype = next(module.parameters()).dtype
        for batch, steps in ((1, 1), (2, 3)):
            with contextlib.suppress(GruworksError), torch.no_grad():
                size = (batch, steps) if module.batch_first else (steps, batch)
                module(torch.randn(*size, module.input_size, dtype=dtype))


def mutate(path: Path, random: random.Random) -> str:
    """Change the file in place; what was changed, in words."""
    edits = [_bytes, *EDITS.get(path.suffix, ())]
    edit = random.choice(edits * 2 + [_cut])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            edit(path, random)
    except Exception:  # the edit doesn't fit what earlier ones left of the file
        edit = _bytes
        edit(path, random)
    return f"{path.name}: {edit.__name__.strip('_')}"


def _bytes(path: Path, random: random.Random) -> None:
    """Bits flipped, numbers of four and eight bytes written, pieces doubled or taken out."""
    content = bytearray(path.read_bytes())
    for _ in range(random.choice((1, 1, 1, 3, 20))):
        at = int(len(content) * random.random() ** random.choice((1, 3)))
        kind = random.randrange(4)
        if kind == 0 and content:
            content[min(at, len(content) - 1)] ^= 1 << random.randrange(8)
        elif kind == 1:
            content[at : at + 1] = bytes([random.randrange(256)])
        elif kind == 2:
            width = random.choice(("<I", "<Q"))
            content[at : at + struct.calcsize(width)] = struct.pack(
                width, random.choice((0, 1, 255, 2**20, 2**31, 2**32 - 1))
            )
        else:
            end = at + random.choice((1, 8, 64))
            content[at:end] = random.choice((b"", bytes(content[at:end]) * 2))
    path.write_bytes(content)


def _cut(path: Path, random: random.Random) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: random.randrange(len(content) + 1)])


def _json(content: bytes, random: random.Random) -> bytes:
    root = json.loads(content)
    for _ in range(random.choice((1, 1, 2, 5))):
        _value(root, random)
    return json.dumps(root).encode()


def _value(node: Any, random: random.Random) -> None:
    """One value somewhere in a tree replaced, taken out, doubled or buried."""
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not keys:
            return
        key = random.choice(keys)
        if not isinstance(node[key], dict | list) or not node[key] or random.random() < 0.2:
            break
        node = node[key]
    kind = random.randrange(4)
    if kind == 0:
        del node[key]
    elif kind == 1 and isinstance(node, list):
        node.append(node[key])
    elif kind == 2:
        for _ in range(random.choice((1, 70, 500))):
            node[key] = [node[key]]
    else:
        node[key] = random.choice(VALUES)


def _members(path: Path, change: Callable[[dict[str, bytes]], None], method: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(path) as archive:
        members = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    change(members)
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def _description(path: Path, random: random.Random) -> None:
    """The model's description in a .keras archive."""
    _members(path, lambda members: members.update({"config.json": _json(members["config.json"], random)}))


def _repacked(path: Path, random: random.Random) -> None:
    """Members of an archive renamed, emptied, grown or compressed."""

    methods = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    method = random.choice(methods)

    def change(members: dict[str, bytes]) -> None:
        name = random.choice(list(members))
        kind = random.randrange(5)
        if kind == 0:
            members[random.choice(("x", "../x", name.upper(), f"{name}/data.pkl"))] = members.pop(name)
        elif kind == 1:
            members[name] = b""
        elif kind == 2:
            members[name] += bytes(2**26 if method == zipfile.ZIP_DEFLATED and random.random() < 0.2 else 1000)
        elif kind == 3:
            other = random.choice(list(members))
            members[name], members[other] = members[other], members[name]

    _members(path, change, method)


def _inner(path: Path, random: random.Random) -> None:
    """The HDF5 file in a .keras archive, or the file itself."""
    if path.suffix != ".keras":
        _hdf5(path, random)
        return

    def change(members: dict[str, bytes]) -> None:
        inner = path.with_name("inner.h5")
        inner.write_bytes(members["model.weights.h5"])
        random.choice((_hdf5, _hdf5, _bytes))(inner, random)
        members["model.weights.h5"] = inner.read_bytes()
        inner.unlink()

    _members(path, change)


def _hdf5(path: Path, random: random.Random) -> None:
    """Attributes, links, datasets and groups through h5py."""
    import h5py
    import numpy

    with h5py.File(path, "r+") as file:
        groups: list[Any] = [file]
        file.visititems(lambda _, one: groups.append(one) if isinstance(one, h5py.Group) else None)
        group = random.choice(groups)
        name = random.choice([*group, "vars", "0"])
        kind = random.randrange(7)
        if kind == 0 and "model_config" in file.attrs:
            said = json.loads(file.attrs["model_config"])
            _value(said, random)
            file.attrs["model_config"] = json.dumps(said)
        elif kind <= 1:
            values = (1, "x", b"\xff", numpy.ones(9), h5py.Empty("f"), ["a", "b"], "{}", "null", "[" * 90)
            group.attrs[random.choice(("name", "model_config", "weight_names"))] = random.choice(values)
        elif kind == 2 and name in group:
            del group[name]
        elif kind == 3:
            links = (h5py.SoftLink("/"), h5py.SoftLink(f"{group.name}/{name}"), h5py.ExternalLink("/etc/passwd", "/"))
            group[f"{name}x"] = random.choice((*links, random.choice(groups)))
        elif kind == 4:
            group.move(name, random.choice(("1", "2", "kernel", "bias:0", "a/b/c", "é")))
        else:
            _dataset(group, name, random)


def _dataset(group: Any, name: str, random: random.Random) -> None:
    import h5py
    import numpy

    if name in group:
        del group[name]
    shape: tuple[int, ...] = random.choice(((2, 9), (3, 9), (9,), (2, 9), (), (0, 9), (2**40, 9), (3, 9, 1)))
    large = bool(shape) and shape[0] > 9
    dtypes = ("f2", "f4", ">f4", "f8", "i4", "u1", "c8", "S3", h5py.string_dtype(), h5py.ref_dtype, [("a", "f4")])
    options: tuple[dict[str, Any], ...] = (
        {},
        {"chunks": True},
        {"compression": "gzip"},
        {"external": [("/etc/passwd", 0, 10**6)]},
    )
    chosen: dict[str, Any] = {} if not shape else {"chunks": (1, 9)} if large else random.choice(options)
    made = group.create_dataset(name, shape, random.choice(("f4", *dtypes)), **chosen)
    if not large and made.dtype.kind == "f" and "external" not in chosen:
        made[...] = numpy.ones(shape)


def _header(path: Path, random: random.Random) -> None:
    """The header of a .safetensors file."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    text = _json(content[8 : 8 + length], random)
    path.write_bytes(struct.pack("<Q", random.choice((len(text),) * 9 + NUMBERS[-3:])) + text + content[8 + length :])


def _pickle(path: Path, random: random.Random) -> None:
    """Numbers, names and opcodes in the pickle of a .pt file."""

    def change(members: dict[str, bytes]) -> None:
        name = next(name for name in members if name.endswith("data.pkl"))
        content = bytearray(members[name])
        at = random.randrange(len(content))
        names = (b"FloatStorage", b"_rebuild_tensor_v2", b"collections\nOrderedDict")
        others = (
            b"HalfStorage",
            b"QInt8Storage",
            b"_rebuild_sparse_tensor",
            b"_rebuild_qtensor",
            b"builtins\nbytearray",
        )
        kind = random.randrange(4)
        if kind == 0:
            content = bytearray(
                bytes(content).replace(random.choice(names), random.choice(others), random.choice((1, -1)))
            )
        elif kind == 1:
            content[at : at + 2] = b"J" + struct.pack("<i", random.choice((0, -1, 9, 2**20, 2**31 - 1)))
        elif kind == 2:
            places = [i for i in range(len(content)) if content[i : i + 1] == b"K"]
            content[random.choice(places) + 1] = random.randrange(256)
        else:
            content[at] = random.choice(b"0().}]RbQ\x85\x86\x87\x89\x8aNq")
        members[name] = bytes(content)

    _members(path, change)


def _proto(path: Path, random: random.Random) -> None:
    """Fields of an ONNX model: any of them, at any depth."""
    import onnx

    model = onnx.load(path, load_external_data=False)
    for _ in range(random.choice((1, 1, 2, 4))):
        _field(model, random)
    path.write_bytes(model.SerializeToString())


def _field(message: Any, random: random.Random) -> None:
    while True:
        fields = [field for field, _ in message.ListFields()]
        if not fields:
            return
        weights = [5 if field.name in ("graph", "node", "initializer", "attribute") else 1 for field in fields]
        field = random.choices(fields, weights)[0]
        value = getattr(message, field.name)
        repeated = hasattr(value, "__len__") and not isinstance(value, str | bytes)
        if field.message_type is None:
            _scalar(message, field, value, repeated, random)
            return
        inner = random.choice(value) if repeated else value
        if random.random() < 0.15:
            if not repeated:
                message.ClearField(field.name)
            elif random.random() < 0.5:
                value.remove(inner)
            else:
                value.add().CopyFrom(inner)
            return
        message = inner


def _scalar(message: Any, field: Any, value: Any, repeated: bool, random: random.Random) -> None:
    old = value[0] if repeated and len(value) else value
    kinds: dict[type, tuple[Any, ...]] = {
        int: (*NUMBERS, -(2**63), 5, 8, 17),
        float: (0.0, float("nan"), 1e38),
        str: ("", "W", "R", "h0", "Identity", "Loop", "GRU", "ConstantOfShape", "Constant", "/etc/passwd", "é"),
        bytes: (b"", b"\xff", b"reverse", b"bidirectional", bytes(64), b"Relu"),
    }
    new = random.choice(kinds.get(type(old), NUMBERS))
    if not repeated:
        setattr(message, field.name, new)
    elif len(value) and random.random() < 0.7:
        value[random.randrange(len(value))] = new
    else:
        value.append(new)


def _npy(path: Path, random: random.Random) -> None:
    """The header of an array in an .npz file."""

    def change(members: dict[str, bytes]) -> None:
        name = random.choice(list(members))
        pairs = (
            (b"<f8", b"|O"),
            (b"<f8", b"<i8"),
            (b"<f8", b"<f4"),
            (b"(9,", b"(2147483648,"),
            (b"False", b"True "),
            (b"'", b"["),
        )
        old, new = random.choice(pairs)
        members[name] = members[name].replace(old, new, 1)

    _members(path, change)


EDITS: dict[str, tuple[Edit, ...]] = {
    ".keras": (_description, _description, _inner, _inner, _repacked),
    ".h5": (_hdf5, _hdf5, _hdf5),
    ".pt": (_pickle, _pickle, _pickle, _repacked),
    ".pth": (_pickle, _pickle, _pickle, _repacked),
    ".safetensors": (_header, _header),
    ".onnx": (_proto, _proto, _proto, _proto),
    ".npz": (_npy, _npy, _repacked),
}


def _prefixed(state: dict[str, Any]) -> dict[str, Any]:
    return {f"encoder.{name}": value for name, value in state.items()}


def _whole_model(path: Path) -> None:
    """An older whole-model .h5: the description as an attribute, groups by layers' names."""
    import h5py

    from gruworks.interop import Stack, keras
    from gruworks.interop.keras_config import sequential
    from gruworks.ops.weights import GRUWeights

    weights = GRUWeights.random(2, 3)
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(sequential(Stack("", ((weights,),))))
        names = ("kernel", "recurrent_kernel", "bias")
        for name, array in zip(names, keras.to_weights(weights), strict=True):
            file[f"model_weights/gru_0/sequential/gru_0/gru_cell/{name}"] = array


def _computed(source: Path, path: Path) -> None:
    """The same ONNX model, a weight of which goes through nodes, with a constant initial state."""
    import numpy
    import onnx

    model = onnx.load(source)
    W = next(one for one in model.graph.initializer if one.name.startswith("W"))
    made, W.name = W.name, "W"
    axes = onnx.numpy_helper.from_array(numpy.array([0]), "axes")
    model.graph.initializer.append(axes)
    make = onnx.helper.make_node
    nodes = [make("Squeeze", ["W", "axes"], ["a"]), make("Split", ["a"], ["b", "c"], axis=0, num_outputs=2)]
    nodes += [make("Concat", ["b", "c"], ["d"], axis=0), make("Unsqueeze", ["d", "axes"], [made])]
    for node in reversed(nodes):
        model.graph.node.insert(0, node)
    path.write_bytes(model.SerializeToString())


def _trees(folder: Path) -> None:
    import numpy

    from gruworks.interop import equinox, flax
    from gruworks.ops.weights import GRUWeights

    weights, bare = GRUWeights.random(2, 3), GRUWeights.random(2, 3, bias=False)
    trees = {"linen": flax.to_linen(weights), "nnx": flax.to_nnx(bare)}
    for name, tree in trees.items():
        flat = {f"{one}.{kind}": array for one, part in tree.items() for kind, array in part.items()}
        numpy.savez(folder / f"{name}.npz", **flat)
    numpy.savez(folder / "equinox.npz", **equinox.to_arrays(weights))
