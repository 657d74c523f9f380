"""Other activations against ONNX Runtime, Keras 3 and RNNoise 0.1's weights: the largest difference of a state.

    python benchmarks/bench_activations.py --keras PYTHON --rnnoise FOLDER

PYTHON is an interpreter with Keras 3 and torch (requirements-keras.txt), FOLDER holds `weights.rnn`. Candidates are
ReLUs, gates sigmoids and hard sigmoids, both reset forms, sequences of 100 steps of standard normal input, in float32.
Each exporter's file is read by gruworks.interop and computed by the kernel. RNNoise's network computes its outputs with
our units and with a loop over their equations, both in float64; the note says how far float32 is from them, ours and a
plain loop. Differences are absolute.
"""

import argparse
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy

T, B, INPUTS, HIDDEN = 100, 4, 24, 48
GATES = ("sigmoid", "hard_sigmoid")


def keras_models(folder: Path) -> None:
    """Run under Keras: a model and its outputs for each form."""
    import keras

    keras.utils.set_random_seed(0)
    x = numpy.random.default_rng(0).standard_normal((B, T, INPUTS)).astype("float32")
    for gate in GATES:
        for after in (0, 1):
            layer = keras.layers.GRU(
                HIDDEN, activation="relu", recurrent_activation=gate, reset_after=bool(after), return_sequences=True
            )
            model = keras.Sequential([keras.Input((T, INPUTS)), layer])
            model.save(folder / f"{gate}_{after}.keras")
            numpy.savez(folder / f"{gate}_{after}.npz", x=x, y=model.predict(x, verbose=0))


def of_keras(python: Path) -> float:
    import torch

    from gruworks.interop import load_gru

    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        given = {**os.environ, "KERAS_BACKEND": "torch"}
        subprocess.run([str(python), __file__, "--write", folder], check=True, env=given)
        for path in sorted(Path(folder).glob("*.keras")):
            seen = numpy.load(path.with_suffix(".npz"))
            (gru,) = load_gru(path).values()
            worst = max(worst, difference(gru(torch.from_numpy(seen["x"]))[0].detach().numpy(), seen["y"]))
    return worst


def of_onnx() -> float:
    import onnx
    import onnxruntime
    import torch

    from gruworks import GRU
    from gruworks.interop.onnx import load_gru, save_gru

    worst, x = 0.0, torch.randn(T, B, INPUTS, generator=torch.Generator().manual_seed(0))
    with tempfile.TemporaryDirectory() as folder:
        for gate in GATES:
            for reset in ("before", "after"):
                torch.manual_seed(0)
                path = Path(folder) / f"{gate}_{reset}.onnx"
                save_gru(GRU(INPUTS, HIDDEN, reset=reset, candidate_activation="relu", gate_activation=gate), path)
                session = onnxruntime.InferenceSession(onnx.load(path).SerializeToString())
                h0 = numpy.zeros((1, B, HIDDEN), numpy.float32)
                y, _ = session.run(None, {"input": x.numpy(), "h0": h0})
                (gru,) = load_gru(path).values()
                worst = max(worst, difference(gru(x)[0].detach().numpy(), y))
    return worst


def of_rnnoise(folder: Path) -> tuple[float, str]:
    """The difference of the outputs in float64, and a note on float32, whose rounding a plain loop has too."""
    from rnnoise_units import Layer, outputs, read

    from gruworks.ops import recurrence

    def ours(dtype: Any) -> Any:
        def states(layer: Layer, x: Any) -> Any:
            found, _ = recurrence.forward(layer.weights(dtype), x=numpy.ascontiguousarray(x[:, None], dtype))
            return found[:, 0]

        return states

    def plain(layer: Layer, x: Any) -> Any:
        return layer.astype(numpy.float32).states(x.astype(numpy.float32))

    layers, features = read(folder / "weights.rnn"), numpy.random.default_rng(0).standard_normal((T, 42))
    features = features.astype(numpy.float32).astype(numpy.float64)  # the same numbers in both types
    true = outputs(layers, features)
    worst, narrow, loop = (
        difference(outputs(layers, features, gru), true) for gru in (ours(numpy.float64), ours(numpy.float32), plain)
    )
    return worst, f"in float32 {narrow:.1e}, a loop over RNNoise's equations in float32 {loop:.1e}"


def difference(found: Any, true: Any) -> float:
    return float(numpy.abs(found - true).max())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keras", type=Path)
    parser.add_argument("--rnnoise", type=Path)
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.write:
        keras_models(args.write)
        return
    from record import record, write

    outputs, states = of_rnnoise(args.rnnoise)
    found = {"Keras 3": of_keras(args.keras), "ONNX Runtime": of_onnx(), "RNNoise 0.1's outputs": outputs}
    note = ", ".join([*(f"{name} {worst:.1e}" for name, worst in found.items()), states])
    print(note)
    write("activations", [record("layer/relu-difference/abs", float(f"{max(found.values()):.2g}"), note=note)])


if __name__ == "__main__":
    main()
