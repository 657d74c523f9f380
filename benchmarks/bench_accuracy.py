"""How exact the float32 recurrence is: its error against float64 over torch's own, for outputs and every gradient.

    python benchmarks/bench_accuracy.py

Weights at 1 and 3 times torch's initial size, "after" form, T up to 4,000, five seeds. For each size the median and
the worst ratio of root mean square errors; the project wants 2 at most. At 6 times the gradients explode over these
lengths, in torch as here, and a ratio of errors says nothing. Writes benchmarks/results/accuracy.json.
"""

import statistics

import torch
from record import record, write

from gruworks import GRU

CASES = [(100, 4, 16, 64), (1000, 1, 8, 32), (4000, 2, 8, 64)]  # T, B, I, H
SCALES = (1, 3)
SEEDS = 5


def results(gru: torch.nn.GRU, x: torch.Tensor, h0: torch.Tensor) -> dict[str, torch.Tensor]:
    """Output and every gradient, in float64, of a loss that weighs the outputs differently."""
    x, h0 = x.clone().requires_grad_(), h0.clone().requires_grad_()
    output, _ = gru(x, h0)
    weight = torch.arange(output.numel(), dtype=torch.float64).reshape(output.shape).sin().to(output.dtype)
    leaves = {"x": x, "h0": h0, **dict(gru.named_parameters())}
    found = torch.autograd.grad((output * weight).sum(), list(leaves.values()))
    return {name: t.detach().double() for name, t in zip(("output", *leaves), (output, *found), strict=True)}


def error(found: torch.Tensor, exact: torch.Tensor) -> float:
    return float((found - exact).square().mean().sqrt())


def ratios(case: tuple[int, int, int, int], scale: int, seed: int) -> dict[str, float]:
    """Our root mean square error over torch's, by name."""
    T, B, inputs, hidden = case
    torch.manual_seed(seed)
    theirs = torch.nn.GRU(inputs, hidden)
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.mul_(scale)
    ours = GRU(inputs, hidden)
    ours.load_state_dict(theirs.state_dict())
    x, h0 = torch.randn(T, B, inputs), torch.randn(1, B, hidden).tanh()
    found, plain = results(ours, x, h0), results(theirs, x, h0)
    true = results(theirs.double(), x.double(), h0.double())
    return {name: error(found[name], exact) / error(plain[name], exact) for name, exact in true.items()}


def main() -> None:
    rows = []
    for scale in SCALES:
        cases = [ratios(case, scale, seed) for case in CASES for seed in range(SEEDS)]
        for name in cases[0]:
            values = sorted(one[name] for one in cases)
            middle, worst = statistics.median(values), values[-1]
            print(f"weights x {scale}  {name:14} median {middle:5.2f}  worst {worst:5.2f}")
            note = f"our error over torch's own (RMS), median of {len(values)} cases; worst {worst:.2f}"
            rows.append(record(f"accuracy/{name}/x{scale}", middle, seeds=SEEDS, note=note))
    write("accuracy", rows)


if __name__ == "__main__":
    main()
