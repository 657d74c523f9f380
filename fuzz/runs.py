"""Mutations of run folders, and the use of what loads."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import json
import random
import shutil
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gruworks.errors import GruworksError
from gruworks.tasks import registry

__all__ = ["mutate", "reseal", "use"]

FILES = ("run.json", "config.json", "codec/codec.json", "context.safetensors", "weights.safetensors", "metrics.json")
ODD: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 1000, 2**31, 2**53, 2**63, -(2**63), 10**9, 10**30, 0.5, -0.5, 1e-320, 1e308,
    -1e308, float("nan"), float("inf"), "", "x", "\x00", "é" * 3, "9" * 400, [], {}, [None], [[]], {"a": {}}, [1, "x"],
)  # fmt: skip
DTYPES = ("F16", "F32", "F64", "BF16", "I8", "I32", "I64", "U8", "U64", "BOOL", "C64", "F8_E4M3", "X", "")


def mutate(rng: random.Random, seed: Path, others: Sequence[Path], folder: Path) -> str:
    """Copy the run folder `seed` to `folder` and damage it, with files of `others` too; what was done, in words."""
    shutil.copytree(seed, folder, ignore=shutil.ignore_patterns("card.json", "checkpoints", "curve.json"))
    done = [_damage(rng, folder, others) for _ in range(rng.choice((1, 1, 1, 2, 3)))]
    if rng.random() < 0.9:  # else it is the sums that are tried
        reseal(folder)
        done.append("sums made anew")
    return f"{seed.name}: {'; '.join(done)}"


def use(task: str, folder: Path) -> None:
    """Load the folder as every loader does, and answer in several ways, each of which may be refused."""
    found = registry.estimator(task).load(folder)
    _card(folder)
    for answer in ANSWERS[task]:
        with contextlib.suppress(GruworksError):
            answer(found)


def reseal(folder: Path) -> None:
    """Make the sums in run.json those of the files, as one who edits a run on purpose would."""
    place = folder / "run.json"
    try:
        facts = json.loads(place.read_text())
        for name in filter(lambda name: (folder / name).is_file(), facts["sha256"]):
            facts["sha256"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    except (OSError, ValueError, TypeError, KeyError, RecursionError):  # what the mutation did to run.json stays
        return
    place.write_text(json.dumps(facts))


def _card(folder: Path) -> None:
    from gruworks.tasks.card import card
    from gruworks.training.runs import RunFolder

    run = RunFolder.open(folder)
    card(run, registry.settings(str(run.facts["task"]), "Config")())


def _noise(model: Any) -> dict[str, Any]:
    import numpy

    rate = model.codec.rate or 8000
    return {"audio": numpy.random.default_rng(0).normal(0, 0.1, rate // 2).astype(numpy.float32), "rate": rate}


ANSWERS: dict[str, tuple[Callable[[Any], object], ...]] = {
    "forecast": (
        lambda model: model.predict(level=(80, 99)),
        lambda model: model.observe(1.0, model.history[0].name),
        lambda model: model.held_out(),
        lambda model: model.explain(model.history[0].name),
    ),
    "generate": (
        lambda model: model.write(length=12, seed=1),
        lambda model: model.write(length=6, beam_size=2),
        lambda model: model.score("the cat"),
    ),
    "translate": (
        lambda model: model.translate(["He is a doctor.", "Hund rennt ."]),
        lambda model: model.translate("Mann singt .", beam_size=2, fast=False),
        lambda model: model.explain("Hund rennt ."),
    ),
    "transcribe": (
        lambda model: model.transcribe(**_noise(model)),
        lambda model: model.transcribe(**_noise(model), beam_size=3, lexicon_only=True),
        lambda model: model.align(text="ab", **_noise(model)),
    ),
}


def _damage(rng: random.Random, folder: Path, others: Sequence[Path]) -> str:
    name = rng.choice(FILES)
    path = folder / name
    if not path.is_file():
        return f"{name} is gone already"
    careful = [_values] * 8 + [_text] if name.endswith(".json") else [_numbers] * 4 + [_header] * 4
    change = rng.choice([*careful, _bytes, _cut, _missing, None])
    return f"{name}: {change(rng, path) if change else _swapped(rng, path, [folder, *others])}"


def _bytes(rng: random.Random, path: Path) -> str:
    """Flip bits, more likely near the beginning, where headers are."""
    content = bytearray(path.read_bytes())
    places = [int(len(content) * rng.random() ** rng.choice((1, 4))) for _ in range(rng.choice((1, 1, 4, 32)))]
    for place in places if content else ():
        content[place] ^= 1 << rng.randrange(8)
    path.write_bytes(content)
    return f"bits flipped at {places[:4]}"


def _cut(rng: random.Random, path: Path) -> str:
    content = path.read_bytes()
    end = rng.choice((0, 1, 7, 8, 9, len(content) - 1, rng.randrange(len(content) + 1)))
    path.write_bytes(content[: max(0, end)])
    return f"cut to {end} bytes"


def _missing(rng: random.Random, path: Path) -> str:
    path.unlink()
    if rng.random() < 0.3:
        path.mkdir()
        return "a folder in its place"
    return "missing"


def _swapped(rng: random.Random, path: Path, others: Sequence[Path]) -> str:
    """Put another file of this run, or one of another run, in its place."""
    run, name = rng.choice(others), rng.choice((path.name, *FILES))
    if (run / name).is_file():
        path.write_bytes((run / name).read_bytes())
    return f"replaced by {name} of {'this run' if run in path.parents else run.name}"


def _text(rng: random.Random, path: Path) -> str:
    """JSON that its parsers differ on: deep, doubled keys, surrogates, rows of zeros."""
    text = path.read_text(encoding="utf-8", errors="replace")
    deep = rng.choice((70, 1000, 100_000))
    kind = rng.randrange(5)
    if kind == 0:
        text = "[" * deep + "]" * deep
    elif kind == 1:
        text = '{"a":' * deep + "1" + "}" * deep
    elif kind == 2:
        text = text.replace("{", '{"format": 1, "format": null, "token": 3,', 1)
    elif kind == 3:
        text = text.replace('"', '"\\ud800', 1)
    else:
        text = text.replace(": ", f": {'9' * rng.choice((30, 400, 5000))}", 1)
    path.write_text(text, encoding="utf-8")
    return f"text of kind {kind}"


def _values(rng: random.Random, path: Path) -> str:
    """Replace, drop, double or nest values anywhere in a JSON file."""
    try:
        root = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        return _bytes(rng, path)
    done = [_change(rng, root) for _ in range(rng.choice((1, 1, 1, 2, 4)))] if isinstance(root, dict | list) else []
    path.write_text(json.dumps(root), encoding="utf-8")
    return ", ".join(done)


def _change(rng: random.Random, root: Any) -> str:
    """One change at a place that is as likely deep as shallow."""
    holder, where = root, ""
    while True:
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        if not keys:
            return "nothing"
        key = rng.choice(keys)
        where += f"[{key!r:.30}]"
        inner = holder[key]
        if isinstance(inner, dict | list) and inner and rng.random() < 0.75:
            holder = inner
            continue
        break
    return f"{where} {_replace(rng, holder, key)}"


def _replace(rng: random.Random, holder: Any, key: Any) -> str:
    kind, inner = rng.randrange(6), holder[key]
    if kind == 0:
        del holder[key]
        return "dropped"
    if kind == 1 and isinstance(holder, list):
        holder.extend([inner] * rng.choice((1, 100)))
        return "repeated"
    if kind == 2 and isinstance(inner, int | float) and not isinstance(inner, bool):
        holder[key] = rng.choice((-inner, inner + 1, inner - 1, inner * 2, inner * 1000, inner / 3, float(inner)))
    elif kind == 3 and isinstance(inner, str):
        holder[key] = rng.choice((inner * 2, inner[:-1], inner + "\n", inner.upper(), "\u202e" + inner))
    elif kind == 4:
        holder[key] = [inner]
    else:
        holder[key] = copy.deepcopy(rng.choice(ODD))
    return f"= {holder[key]!r:.40}"


def _header(rng: random.Random, path: Path) -> str:
    """Change a safetensors header: names, types, shapes, places."""
    content = path.read_bytes()
    try:
        (size,) = struct.unpack("<Q", content[:8])
        header = json.loads(content[8 : 8 + size])
        names = [name for name in header if name != "__metadata__"]
        name = rng.choice(names)
        entry = header[name]
        kind = rng.randrange(7)
        if kind == 0:
            entry["dtype"] = rng.choice(DTYPES)
        elif kind == 1:
            entry["shape"] = rng.choice(
                (
                    [],
                    [0],
                    [1, *entry["shape"]],
                    entry["shape"][::-1],
                    [2**31, 2**31],
                    [-1],
                    [2**63],
                    entry["shape"][:-1],
                )
            )
        elif kind == 2:
            entry["data_offsets"] = rng.choice(
                ([0, 0], [0, 2**40], [4, 2], [0, -1], header[rng.choice(names)]["data_offsets"])
            )
        elif kind == 3:
            header[rng.choice((name + ".scale", "x", "", name.upper()))] = header.pop(name)
        elif kind == 4:
            other = rng.choice(names)
            header[name], header[other] = header[other], header[name]
        elif kind == 5:
            del header[name]
        else:
            _change(rng, header)
        made = json.dumps(header).encode()
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, struct.error, RecursionError, OverflowError):
        return _bytes(rng, path)
    length = rng.choice((len(made),) * 20 + (0, 2**40, 2**63, len(made) - 1))
    path.write_bytes(struct.pack("<Q", length) + made + content[8 + size :])
    return f"header of kind {kind} at {name!r}, length {length}"


def _numbers(rng: random.Random, path: Path) -> str:
    """Rewrite one array whole: other values, type or shape, the file valid."""
    import numpy
    import safetensors.numpy

    try:
        arrays = safetensors.numpy.load_file(path)
    except Exception:  # damaged by an earlier change, in any way
        return _bytes(rng, path)
    if not arrays:
        return "no arrays"
    name = rng.choice(sorted(arrays))
    array = arrays[name]
    kind = rng.randrange(6)
    if kind == 0:
        fill = rng.choice((0, 1, -1, 127, 2**31 - 1, 1e30, float("nan"), float("inf")))
        with numpy.errstate(all="ignore"):
            array.reshape(-1)[rng.randrange(max(1, array.size)) :][:1] = numpy.float64(fill).astype(array.dtype)
    elif kind == 1:
        with numpy.errstate(all="ignore"):
            arrays[name] = array.astype(
                rng.choice(("int8", "int64", "uint8", "float16", "float64", "bool", "complex64"))
            )
    elif kind == 2:
        arrays[name] = array[: rng.randrange(len(array) + 1)] if array.ndim else array
    elif kind == 3:
        arrays[name] = numpy.repeat(array, 3, 0) if array.ndim else array[None]
    elif kind == 4:
        arrays[name + rng.choice((".scale", ".lengths", "x"))] = numpy.zeros(
            (rng.randrange(4),) * rng.randrange(3), "float16"
        )
    else:
        arrays[name] = numpy.ascontiguousarray(array.T) if array.ndim > 1 else numpy.atleast_1d(array)[::-1].copy()
    path.write_bytes(safetensors.numpy.save(arrays))
    return f"array {name!r} of kind {kind}"
