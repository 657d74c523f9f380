"""minGRU's linear recurrence three ways, by T and H: steps in order, shared out by steps, and in torch's operations.

    python benchmarks/bench_scan.py [--quick]

B = 1, float32, as many threads as cores. Forward is the kernel of `gruworks.ops.scan` with columns shared out among
threads (each step after the other), with the steps shared out (the parallel scan), and `log_scan_in_torch`; training is
`log_scan`, which chooses, and torch's form, forward and backward. Beside them the dense GRU's kernel of this H. Medians
of alternating rounds in one process; the value is torch's time over the faster of ours, forward.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from record import record, write

from gruworks import GRU
from gruworks.nn.recurrence.linear_scan import log_scan, log_scan_in_torch
from gruworks.ops import scan

SHAPES = [(T, H) for H in (4, 16, 64, 256, 1024) for T in (100, 1000, 10_000, 100_000) if T * H <= 26_000_000]


def measured(T: int, H: int, rounds: int) -> dict[str, float]:
    """Milliseconds by way, the median of `rounds`."""
    torch.manual_seed(0)
    log_a, log_b = (torch.nn.functional.logsigmoid(torch.randn(T, 1, H)) for _ in range(2))
    h0, grad = torch.zeros(1, H), torch.randn(T, 1, H)
    arrays, threads = (log_a[:, 0].numpy(), log_b[:, 0].numpy(), h0[0].numpy()), torch.get_num_threads()
    leaves = [t.clone().requires_grad_() for t in (log_a, log_b, h0)]
    gru, x = GRU(H, H), torch.randn(T, 1, H)

    def trained(form: Callable[..., torch.Tensor]) -> None:
        torch.autograd.grad(form(*leaves), leaves, grad)

    ways: dict[str, Callable[[], object]] = {
        "columns": lambda: scan.log_scan(*arrays, threads=threads, share="columns"),
        "steps": lambda: scan.log_scan(*arrays, threads=threads, share="steps"),
        "torch": lambda: log_scan_in_torch(log_a, log_b, h0),
        "training": lambda: trained(log_scan),
        "torch training": lambda: trained(log_scan_in_torch),
    }
    if T * H * H <= 2_000_000_000:
        ways["dense GRU"] = lambda: gru(x)
    times: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name, run in ways.items():
            with torch.set_grad_enabled("training" in name):
                run()  # the way before it has left other things in the caches
                begun = time.perf_counter()
                run()
                if turn:
                    times[name].append(1000 * (time.perf_counter() - begun))
    return {name: statistics.median(taken) for name, taken in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="T of 100 and 1000 in five rounds; nothing is recorded")
    args = parser.parse_args()
    records = []
    for T, H in [shape for shape in SHAPES if shape[0] <= 1000 or not args.quick]:
        found = measured(T, H, 5 if args.quick else 7 if T * H > 4_000_000 else 25)
        winner = min(("columns", "steps"), key=found.__getitem__)
        note = f"{winner} wins; ms: " + ", ".join(f"{name} {ms:.3g}" for name, ms in found.items())
        print(f"T = {T}, H = {H}: {note}", flush=True)
        records.append(record(f"recurrence/scan/h{H}-t{T}/ratio", found["torch"] / found[winner], note=note))
    if not args.quick:
        write("scan", records)


if __name__ == "__main__":
    main()
