"""Accuracy of the float32 recurrence: its error against float64 over torch's own, for outputs and every gradient.

    python benchmarks/bench_accuracy.py [after] [before]

Weights at 1 and 3 times torch's initial size, both forms, T up to 10,000, five seeds. For each size the median and the
worst ratio of root mean square errors, and of the largest single errors; the project wants 2 at most. Torch's own is
torch.nn.GRU for "after"; it has no layer of the "before" form, so there the equations run in float32 in torch. At 6
times the gradients explode over these lengths, in torch as here, and a ratio of errors says nothing. Writes
benchmarks/results/accuracy.json.
"""

import statistics
import sys
from typing import Any

import torch
from record import record, write

from gruworks import GRU
from gruworks.nn.recurrence import fallback
from gruworks.ops.operands import Operands
from gruworks.ops.weights import Reset

CASES = [(100, 4, 16, 64), (1000, 1, 8, 32), (4000, 2, 8, 64), (10000, 1, 4, 32)]  # T, B, I, H
SCALES = (1, 3)
SEEDS = 5
Errors = dict[str, tuple[float, float]]  # by name: root mean square and largest, over torch's


class Equations(GRU):
    """The same layer with every step in torch, in the weights' own type."""

    def forward(self, x: torch.Tensor, h0: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:  # type: ignore[override]
        weights = self.weights().arrays()
        output, final = fallback.by_equations(Operands(x, None, h0[0], *weights), self.reset == "before", False)
        return output, final[None]


def results(gru: torch.nn.GRU, x: torch.Tensor, h0: torch.Tensor) -> dict[str, torch.Tensor]:
    """Output and every gradient, in float64, of a loss that weighs the outputs differently."""
    x, h0 = x.clone().requires_grad_(), h0.clone().requires_grad_()
    output, _ = gru(x, h0)
    weight = torch.arange(output.numel(), dtype=torch.float64).reshape(output.shape).sin().to(output.dtype)
    leaves = {"x": x, "h0": h0, **dict(gru.named_parameters())}
    found = torch.autograd.grad((output * weight).sum(), list(leaves.values()))
    return {name: t.detach().double() for name, t in zip(("output", *leaves), (output, *found), strict=True)}


def ratios(case: tuple[int, int, int, int], scale: int, seed: int, reset: Reset) -> Errors:
    """Our errors over torch's, by name."""
    T, B, inputs, hidden = case
    torch.manual_seed(seed)
    theirs = torch.nn.GRU(inputs, hidden) if reset == "after" else Equations(inputs, hidden, reset=reset)
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.mul_(scale)
    ours = GRU(inputs, hidden, reset=reset)
    ours.load_state_dict(theirs.state_dict())
    x, h0 = torch.randn(T, B, inputs), torch.randn(1, B, hidden).tanh()
    found, plain = results(ours, x, h0), results(theirs, x, h0)
    true = results(theirs.double(), x.double(), h0.double())
    ratio = {}
    for name, exact in true.items():
        mine, other = (found[name] - exact).abs(), (plain[name] - exact).abs()
        mean = float(mine.square().mean().sqrt() / other.square().mean().sqrt())
        ratio[name] = mean, float(mine.max() / other.max())
    return ratio


def rows(reset: Reset, scale: int) -> list[dict[str, Any]]:
    cases = [ratios(case, scale, seed, reset) for case in CASES for seed in range(SEEDS)]
    made = []
    for name in cases[0]:
        means, largest = (sorted(one[name][i] for one in cases) for i in (0, 1))
        middle = statistics.median(means)
        note = (
            f"our error over torch's own (RMS), median of {len(means)} cases; worst {means[-1]:.2f}; largest single "
            f"error: median {statistics.median(largest):.2f}, worst {largest[-1]:.2f}"
        )
        print(f"{reset} weights x {scale}  {name:14} {middle:.2f}: {note}", flush=True)
        form = "" if reset == "after" else "before/"
        made.append(record(f"accuracy/{form}{name}/x{scale}", middle, seeds=SEEDS, note=note))
    return made


def main() -> None:
    forms: tuple[Reset, ...] = ("after", "before")
    for reset in [form for form in forms if form in sys.argv[1:]] or forms:
        for scale in SCALES:
            write("accuracy", rows(reset, scale))


if __name__ == "__main__":
    main()
