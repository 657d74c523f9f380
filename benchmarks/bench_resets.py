"""Cost of resets inside a sequence, and the same training step by torchrl's GRUModule, by turns in one process.

    python benchmarks/bench_resets.py        (with torchrl installed beside gruworks, in an environment of its own)

(T, B, I, H) = (32, 64, 64, 128), forward and backward on one thread, a reset before a step with probability 1 / 20.
Three ways: without resets, with `resets=`, and `torchrl.modules.GRUModule` in recurrent mode with `is_init` over
torch.nn.GRU (its "pad" backend, which splits and pads the batch). Times are CPU time of the process, so that other
work on the machine counts less; a figure is the median of the rounds' ratios.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from record import record, write

from gruworks import GRU

T, B, INPUTS, HIDDEN = 32, 64, 64, 128
CHANCE, WARM = 1 / 20, 3


def ways() -> dict[str, Callable[[], object]]:
    """The three training steps; those with resets compute the same numbers."""
    from tensordict import TensorDict
    from torchrl.modules import GRUModule, set_recurrent_mode

    torch.manual_seed(0)
    gru = GRU(INPUTS, HIDDEN, batch_first=True)
    theirs = GRUModule(INPUTS, HIDDEN, in_keys=["x", "h"], out_keys=["y", ("next", "h")])
    theirs.gru.load_state_dict(gru.state_dict())
    x, grad = torch.randn(B, T, INPUTS, requires_grad=True), torch.randn(B, T, HIDDEN)
    resets = torch.rand(B, T) < CHANCE
    resets[:, 0] = True

    def ours(**given: torch.Tensor) -> torch.Tensor:
        output, _ = gru(x, **given)
        output.backward(grad)
        return output

    def torchrl() -> torch.Tensor:
        given = {"x": x, "h": torch.zeros(B, T, 1, HIDDEN), "is_init": resets[..., None]}
        with set_recurrent_mode(True):
            output: torch.Tensor = theirs(TensorDict(given, [B, T]))["y"]
        output.backward(grad)
        return output

    torch.testing.assert_close(ours(resets=resets), torchrl())
    return {"without": ours, "resets": lambda: ours(resets=resets), "torchrl": torchrl}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    steps = ways()
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for turn in range(rounds + WARM):
        for name, step in steps.items():
            begun = time.process_time()
            step()
            if turn >= WARM:
                taken[name].append(1000 * (time.process_time() - begun))
    medians = {name: statistics.median(times) for name, times in taken.items()}
    ratio = {
        name: statistics.median(b / a for a, b in zip(taken[by], taken[name], strict=True))
        for by, name in (("without", "resets"), ("resets", "torchrl"))
    }
    note = "CPU time: " + ", ".join(f"{name} {ms:.2f} ms" for name, ms in medians.items())
    print(f"{note}; resets over without {ratio['resets']:.3f}, torchrl over resets {ratio['torchrl']:.2f}")
    write("resets", [
        record("layer/resets/cost", round(ratio["resets"], 3), seeds=rounds, threads=1, note=note),
        record("layer/torchrl/ratio", round(ratio["torchrl"], 2), seeds=rounds, threads=1, baseline="torchrl 0.14.1",
               note=note),
    ])  # fmt: skip


if __name__ == "__main__":
    main()
