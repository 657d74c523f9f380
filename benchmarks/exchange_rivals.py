"""Outputs and files of Keras, TensorFlow, Flax and Equinox: run in an environment of theirs, without Gruworks.

    python benchmarks/exchange_rivals.py keras make FOLDER [--small]     models as files, inputs and outputs beside them
    python benchmarks/exchange_rivals.py keras check FOLDER              reads ours_*.keras and answers with outputs
    python benchmarks/exchange_rivals.py jax make | check FOLDER         the same with trees in .npz

bench_exchange.py calls it (environments: requirements-keras.txt, requirements-jax.txt). With --small it makes what
stands in tests/interop/fixtures; Keras runs on the backend that KERAS_BACKEND names.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy

SIZES = (8, 64, 256)
SMALL = (4,)
T, B = 30, 3


def keras_models(small: bool) -> dict[str, Any]:
    import keras

    layers = keras.layers

    def gru(H: int, **options: Any) -> Any:
        bias = keras.initializers.RandomUniform(-0.5, 0.5)
        return layers.GRU(H, return_sequences=True, bias_initializer=bias, **options)

    def model(I: int, *parts: Any) -> Any:  # noqa: E741 (the field's letter)
        start = keras.Input((None, I))
        x, outputs = start, []
        for part in parts:
            x = part(x)
            outputs.append(x)
        return keras.Model(start, outputs)

    keras.utils.set_random_seed(0)
    if small:
        return {
            "two": model(
                3,
                gru(4, name="encoder"),
                layers.Bidirectional(gru(5, reset_after=False, name="inner"), name="both"),
                layers.Dense(2, name="head"),
            ),
            "backwards": model(
                2,
                gru(3, go_backwards=True, use_bias=False, reset_after=False, name="last_first"),
                layers.Bidirectional(gru(4, name="inner"), merge_mode="ave", name="mean"),
            ),
        }
    made = {}
    for H in SIZES:
        for reset in ("after", "before"):
            options = {"reset_after": reset == "after", "name": "gru"}
            made[f"{H}_{reset}"] = model(H // 2 + 1, gru(H, **options))
            made[f"{H}_{reset}_both"] = model(H // 2 + 1, layers.Bidirectional(gru(H, **options), name="gru"))
    return made


def make_keras(folder: Path, small: bool) -> None:
    for name, model in keras_models(small).items():
        steps, batch = (6, 2) if small else (T, B)
        x = numpy.random.default_rng(0).standard_normal((batch, steps, model.inputs[0].shape[-1])).astype("float32")
        outputs = {
            layer.name: numpy.asarray(y) for layer, y in zip(model.layers[1:], numpy_list(model, x), strict=True)
        }
        numpy.savez(folder / f"{name}.npz", x=x, **outputs)
        model.save(folder / f"{name}.keras")
        model.save_weights(folder / f"{name}.weights.h5")
        model.save(folder / f"{name}.h5")


def numpy_list(model: Any, x: Any) -> list[Any]:
    outputs = model.predict(x, verbose=0)
    return outputs if isinstance(outputs, list) else [outputs]


def check_keras(folder: Path) -> None:
    import keras

    for path in sorted(folder.glob("ours_*.keras")):
        x = numpy.load(path.with_suffix(".x.npy"))
        model = keras.models.load_model(path)
        numpy.save(path.with_suffix(".y.npy"), model.predict(x, verbose=0))


def jax_cells(I: int, H: int) -> dict[str, Any]:  # noqa: E741
    """For each library: the arrays of a cell with random biases, and the function (arrays, x [T, B, I]) → [T, B, H]."""
    import equinox
    import flax.linen
    import jax
    import jax.numpy as jnp
    from flax import nnx

    draw = numpy.random.default_rng(H)
    cell = nnx.GRUCell(I, H, rngs=nnx.Rngs(0))
    layer = flax.linen.GRUCell(H)
    unit = equinox.nn.GRUCell(I, H, key=jax.random.key(0))
    fields = ("weight_ih", "weight_hh", "bias", "bias_n")

    def run_nnx(arrays: dict[str, Any], x: Any) -> Any:
        nnx.update(cell, unflat(arrays))
        return nnx.RNN(cell, time_major=True)(x)

    def run_linen(arrays: dict[str, Any], x: Any) -> Any:
        step = lambda h, x_t: layer.apply({"params": unflat(arrays)}, h, x_t)  # noqa: E731
        return jax.lax.scan(step, jnp.zeros((x.shape[1], H)), x)[1]

    def run_equinox(arrays: dict[str, Any], x: Any) -> Any:
        ours = equinox.tree_at(lambda c: [getattr(c, n) for n in fields], unit, [arrays[n] for n in fields])
        step = lambda h, x_t: (jax.vmap(ours)(x_t, h),) * 2  # noqa: E731
        return jax.lax.scan(step, jnp.zeros((x.shape[1], H)), x)[1]

    state = nnx.to_pure_dict(nnx.state(cell, nnx.Param))
    params = layer.init(jax.random.key(1), jnp.zeros((1, H)), jnp.zeros((1, I)))["params"]
    trees = flat(state), flat(params), {name: numpy.asarray(getattr(unit, name)) for name in fields}
    for tree in trees:
        for name in tree:
            if "bias" in name:
                tree[name] = draw.uniform(-0.5, 0.5, tree[name].shape).astype("float32")
    return dict(
        zip(("nnx", "linen", "equinox"), zip(trees, (run_nnx, run_linen, run_equinox), strict=True), strict=True)
    )


def flat(tree: Any, path: str = "") -> dict[str, Any]:
    if not hasattr(tree, "items"):
        return {path: numpy.asarray(tree)}
    return {name: a for key, value in tree.items() for name, a in flat(value, f"{path}.{key}".strip(".")).items()}


def unflat(arrays: dict[str, Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for name, array in arrays.items():
        *path, last = name.split(".")
        inner = tree
        for part in path:
            inner = inner.setdefault(part, {})
        inner[last] = array
    return tree


def make_jax(folder: Path, small: bool) -> None:
    for H in SMALL if small else SIZES:
        x = numpy.random.default_rng(0).standard_normal((6 if small else T, B, H // 2 + 1)).astype("float32")
        for name, (arrays, run) in jax_cells(H // 2 + 1, H).items():
            numpy.savez(folder / f"{name}_{H}.npz", x=x, y=numpy.asarray(run(arrays, x)), **arrays)


def check_jax(folder: Path) -> None:
    for path in sorted(folder.glob("ours_*.npz")):
        arrays = dict(numpy.load(path))
        x = arrays.pop("x")
        _, name, H = path.stem.split("_")
        _, run = jax_cells(x.shape[-1], int(H))[name]
        numpy.save(path.with_suffix(".y.npy"), numpy.asarray(run(arrays, x)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("framework", choices=["keras", "jax"])
    parser.add_argument("what", choices=["make", "check"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--small", action="store_true")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    if given.what == "make":
        (make_keras if given.framework == "keras" else make_jax)(given.folder, given.small)
    else:
        (check_keras if given.framework == "keras" else check_jax)(given.folder)


if __name__ == "__main__":
    main()
