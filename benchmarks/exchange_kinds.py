"""Small models of every kind that Keras saves, with what their GRU layers compute: run in an environment of Keras.

    python benchmarks/exchange_kinds.py ARCHIVE.zip

tests/interop/fixtures has the archives of Keras 3 (environment: requirements-keras.txt, KERAS_BACKEND=torch) and of
Keras 2.15 (pip install tensorflow-cpu==2.15.1), which alone knows time_major. In them NAME.keras, NAME.h5 and
NAME.weights.h5 are one model; NAME.npz has an input x/LAYER and the output y/LAYER for each layer that is read, under
the name that it is read by; LAYER+LAYER are cells of one RNN, and masking.npz has what a whole model made of padding.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy

layers = keras.layers
T, B, I, H = 5, 2, 2, 3  # noqa: E741 (the field's letters)
Kind = tuple[str, Any, dict[str, Any]]  # a name, a model, and its layers by the names under which they are read


def gru(units: int = H, **options: Any) -> Any:
    bias = keras.initializers.RandomUniform(-0.5, 0.5)
    return layers.GRU(units, return_sequences=True, bias_initializer=bias, **options)


def cell(units: int = H, **options: Any) -> Any:
    return layers.GRUCell(units, bias_initializer=keras.initializers.RandomUniform(-0.5, 0.5), **options)


def chain(*parts: Any, batch: int | None = None) -> Any:
    return keras.Sequential([keras.Input((T, I), batch_size=batch), *parts])


def read() -> Iterator[Kind]:
    """Models whose layers are read."""
    one, two = gru(), layers.Bidirectional(gru(2), name="two")
    yield "sequential", chain(one, two), {one.name: one, "two": two}
    back, bare = gru(go_backwards=True, name="back"), gru(use_bias=False, name="bare")
    before = gru(use_bias=False, reset_after=False, name="before")
    yield "forms", chain(back, bare, before), {"back": back, "bare": bare, "before": before}
    merged = {merge: layers.Bidirectional(gru(2), merge_mode=merge, name=merge) for merge in ("sum", "mul", "ave")}
    yield "merged", chain(*merged.values()), merged
    inner, start = gru(name="deep"), keras.Input((T, I))
    encoder = keras.Sequential([inner], name="encoder")
    middle = keras.Sequential([encoder, layers.Dense(I)], name="middle")
    yield (
        "nested",
        keras.Model(start, [middle(start), encoder(start)]),
        {"middle/encoder/deep": inner, "encoder/deep": inner},
    )
    stacked = layers.RNN(
        [cell(3, name="low"), cell(2, name="high")], return_sequences=True, go_backwards=True, name="rnn"
    )
    single = layers.RNN(cell(), return_sequences=True, name="single")
    both = layers.Bidirectional(layers.RNN(cell(), return_sequences=True), name="both")
    yield "cells", chain(stacked, single, both), {"rnn/low+rnn/high": stacked, "single": single, "both": both}
    start, each = keras.Input((4, T, I)), gru(name="each")
    yield "distributed", keras.Model(start, layers.TimeDistributed(each, name="slices")(start)), {"slices": each}
    masked = gru(name="masked")
    yield "masking", chain(layers.Masking(name="zeros"), masked), {"masked": masked}
    words = gru(name="words")
    start = keras.Input((T,))
    embedded = layers.Embedding(7, I, mask_zero=True, name="table")(start)
    yield "embedding", keras.Model(start, words(embedded)), {"words": words}
    start, mask, given = keras.Input((T, I)), keras.Input((T,), dtype="bool"), gru(name="given")
    yield "mask", keras.Model([start, mask], given(start, mask=mask)), {"given": given}
    carried, flat = gru(stateful=True, name="carried"), gru(unroll=True, return_state=True, name="flat")
    yield "stateful", chain(carried, batch=B), {"carried": carried}
    start = keras.Input((T, I))
    yield "state", keras.Model(start, flat(start)), {"flat": flat}
    if old():
        timely = gru(time_major=True, name="timely")
        yield "time_major", chain(timely), {"timely": timely}
    for name in ("relu", "linear", "softsign"):
        odd = gru(activation=name, name="odd")
        yield name, chain(odd), {"odd": odd}
    odd = gru(activation="hard_sigmoid", recurrent_activation="hard_sigmoid", name="odd", reset_after=False)
    yield "hard_sigmoid", chain(odd), {"odd": odd}
    odd = layers.RNN([cell(name="low"), cell(activation="relu", name="high")], return_sequences=True, name="odd")
    yield "mixed", chain(odd), {"odd/low+odd/high": odd}


def old() -> bool:
    return bool(keras.__version__.startswith("2."))


def refused() -> Iterator[Kind]:
    """Models with a layer that is refused, which is the one named "odd"."""
    yield "object", chain(gru(activation=layers.LeakyReLU(0.25), name="odd")), {}
    start = keras.Input((T, I))
    yield "unmerged", keras.Model(start, layers.Bidirectional(gru(), merge_mode=None, name="odd")(start)), {}
    if old():
        yield "exchanged", chain(layers.Bidirectional(gru(go_backwards=True), name="odd")), {}
    model = Subclassed()
    model(numpy.ones((B, T, I), "float32"))
    yield "subclassed", model, {}
    yield "own_layer", chain(OwnLayer(), gru(name="plain")), {}
    yield "own_cell", chain(layers.RNN(OwnCell(3), name="odd")), {}
    yield "own_gru", chain(GRU(3, name="odd")), {}


@keras.saving.register_keras_serializable("own")
class Subclassed(keras.Model):
    def __init__(self, units: int = H, **options: Any) -> None:
        super().__init__(**options)
        self.units, self.encoder, self.others = units, gru(units, name="encoder", activation="relu"), [gru(units)]

    def call(self, x: Any) -> Any:
        return self.others[0](self.encoder(x))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable("own")
class OwnLayer(layers.Layer):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.gru = gru(activation="relu")

    def build(self, shape: Any) -> None:
        self.gru.build(shape)
        super().build(shape)

    def call(self, x: Any) -> Any:
        return self.gru(x)


@keras.saving.register_keras_serializable("own")
class OwnCell(layers.GRUCell):
    pass


@keras.saving.register_keras_serializable("own")
class GRU(layers.GRU):
    pass


def outputs(parts: dict[str, Any]) -> dict[str, Any]:
    arrays = {}
    for i, (name, layer) in enumerate(parts.items()):
        width = layer.get_weights()[0].shape[0]
        turned = (1, 0, 2) if getattr(layer, "time_major", False) else (0, 1, 2)
        x = numpy.random.default_rng(i).standard_normal((B, T, width)).astype("float32").transpose(turned)
        y = layer(x)
        y = y[0] if isinstance(y, list | tuple) else y
        y = y.numpy() if old() else keras.ops.convert_to_numpy(y)
        arrays |= {f"x/{name}": x, f"y/{name}": y}
    return arrays


def padding(model: Any) -> dict[str, Any]:
    """Output of a model that masks steps of zeros, the first row ending after three."""
    padded = numpy.random.default_rng(9).standard_normal((B, T, I)).astype("float32")
    padded[0, 3:] = 0
    return {"padded": padded, "masked": model.predict(padded, verbose=0)}


def write(target: Path) -> None:
    keras.utils.set_random_seed(0)
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, model, parts in (*read(), *refused()):
            path = Path(folder) / name
            model.save(f"{path}.keras")
            if name in ("sequential", "merged", "subclassed"):
                model.save_weights(f"{path}.weights.h5")
            with contextlib.suppress(NotImplementedError):  # Keras 2 writes no subclassed model so
                model.save(f"{path}.h5")
            numpy.savez(f"{path}.npz", **outputs(parts), **(padding(model) if name == "masking" else {}))
        for path in sorted(Path(folder).iterdir()):
            archive.writestr(zipfile.ZipInfo(path.name), path.read_bytes(), zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive", type=Path)
    write(parser.parse_args().archive)
