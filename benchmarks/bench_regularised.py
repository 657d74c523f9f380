"""Cost of the regularised forms in training: time of a step beside the plain GRU's, in one process, by turns.

    python benchmarks/bench_regularised.py [--quick]

T = 100, B = 32, I = H = 256 and two shapes more, both reset forms: forward and backward through `gruworks.GRU`, masks
drawn anew at every step. The figure is the worst ratio of medians at B = 32, H = 256.
"""

import argparse
import statistics
import time

import torch
from record import record, write

from gruworks import GRU

SHAPES = ((100, 32, 256, 256), (100, 32, 64, 128), (100, 64, 512, 512))
FORMS = {
    "plain": {},
    "DropConnect": {"weight_dropout": 0.3},
    "recurrent dropout": {"recurrent_dropout": 0.3},
    "zoneout": {"zoneout": 0.1},
    "layer norm": {"layer_norm": True},
    "all four": {"weight_dropout": 0.3, "recurrent_dropout": 0.3, "zoneout": 0.1, "layer_norm": True},
}


def measured(shape: tuple[int, ...], reset: str, rounds: int) -> dict[str, float]:
    """Milliseconds of a training step by form, the median of `rounds`."""
    T, B, inputs, hidden = shape
    torch.manual_seed(0)
    layers = {name: GRU(inputs, hidden, reset=reset, **options) for name, options in FORMS.items()}
    x, grad = torch.randn(T, B, inputs, requires_grad=True), torch.randn(T, B, hidden)
    times: dict[str, list[float]] = {name: [] for name in FORMS}
    for turn in range(rounds + 2):
        for name, layer in layers.items():
            layer.zero_grad()
            x.grad = None
            begun = time.perf_counter()
            layer(x)[0].backward(grad)
            if turn >= 2:
                times[name].append(1000 * (time.perf_counter() - begun))
    return {name: statistics.median(taken) for name, taken in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the first shape in five rounds; nothing is recorded")
    args = parser.parse_args()
    figures, worst = [], 0.0
    for shape in SHAPES[: 1 if args.quick else None]:
        for reset in ("after", "before"):
            found = measured(shape, reset, 5 if args.quick else 25)
            T, B, inputs, hidden = shape
            print(f"T = {T}, B = {B}, I = {inputs}, H = {hidden}, {reset}:", flush=True)
            for name, ms in found.items():
                ratio = ms / found["plain"]
                print(f"  {name:18} {ms:7.2f} ms  {ratio:.2f}", flush=True)
                if name not in ("plain", "all four", "DropConnect") and shape == SHAPES[0]:
                    worst = max(worst, ratio)
                place = f"recurrence/regularised/b{B}-h{hidden}-{reset}/{name.replace(' ', '-')}"
                figures.append(record(place, ratio, note=f"T = {T}, I = {inputs}; {ms:.2f} ms"))
    print(f"worst of recurrent dropout, zoneout, layer norm at B = 32, H = 256: {worst:.2f}")
    if not args.quick:
        write(
            "regularised", [record("recurrence/regularised/cost", worst, note="B = 32, H = 256, both forms"), *figures]
        )


if __name__ == "__main__":
    main()
