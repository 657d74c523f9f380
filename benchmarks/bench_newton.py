"""Newton's method over all steps at once: iterations, time beside the kernel, and where a GPU would break even.

    python benchmarks/bench_newton.py

B = 1, float32, weights as torch draws them and three times as large, tolerance 1e-5. Measured here: iterations, and
milliseconds against the kernel on this processor. Computed: the same iterations on a GPU of the H100's data sheet (67
TFLOP/s in float32, 3.35 TB/s), 3 us for each of its launches, against a sequential GRU there whose step takes 2 us (all
weights in registers, one synchronisation a step) or 8 us (two launches a step). A dense iteration makes 2 log2 T H³
multiply-adds and moves 3 log2 T H² numbers a step, a diagonal one 6 log2 T H numbers and H² for f; either about
10 + 5 log2 T launches. The value is the larger of the two estimates: sequential time at 2 us over Newton's.
"""

import math
import statistics
import time

import torch
from record import record, write

from gruworks import GRU
from gruworks.nn.newton import evaluate

FLOPS, BANDWIDTH, LAUNCH = 67e12, 3.35e12, 3e-6
STEP, SLOW_STEP = 2e-6, 8e-6
SHAPES = ((1000, 16), (10_000, 16), (1000, 64), (10_000, 64), (1000, 256))
METHODS = ("deer", "elk", "quasi", "quasi-elk")


def computed(T: int, H: int, dense: bool) -> float:
    """Seconds of an iteration on the GPU: the longest of arithmetic, memory and launches' sum with them."""
    rounds = math.ceil(math.log2(T))
    work = T * (6 * H * H + (4 * rounds * H**3 if dense else 0))
    moved = 4 * T * (3 * rounds * H * H if dense else 6 * rounds * H)
    return max(work / FLOPS, moved / BANDWIDTH) + (10 + 5 * rounds) * LAUNCH


def milliseconds(run: object, rounds: int = 3) -> float:
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        run()  # type: ignore[operator]
        times.append(1000 * (time.perf_counter() - begun))
    return statistics.median(times)


@torch.no_grad()
def main() -> None:
    records = []
    for T, H in SHAPES:
        for scale in (1, 3):
            torch.manual_seed(0)
            gru, x = GRU(8, H), torch.randn(T, 1, 8)
            gru.weight_hh_l0.mul_(scale)
            kernel = milliseconds(lambda gru=gru, x=x: gru(x))
            for method in METHODS:
                dense = not method.startswith("quasi")
                if dense and T * H * H > 5_000_000:
                    continue
                found = evaluate(gru, x, None, method, 1e-5, iterations=100)
                took = (
                    math.nan
                    if found.fell_back
                    else milliseconds(
                        lambda gru=gru, x=x, method=method: evaluate(gru, x, None, method, 1e-5, iterations=100), 1
                    )
                )
                gpu = found.iterations * computed(T, H, dense)
                ratio = 0.0 if found.fell_back else T * STEP / gpu
                note = (
                    f"{method}, {found.iterations} iterations"
                    + (", not reached, the kernel answered" if found.fell_back else f", {took:.3g} ms here")
                    + f"; kernel {kernel:.3g} ms here; computed for the GPU {1000 * gpu:.3g} ms, step by step "
                    f"{1000 * T * STEP:.3g} to {1000 * T * SLOW_STEP:.3g} ms"
                )
                print(f"T = {T}, H = {H}, weights x {scale}: {note}", flush=True)
                records.append(record(f"recurrence/newton/t{T}-h{H}-x{scale}-{method}/ratio", ratio, note=note))
    write("newton", records)


if __name__ == "__main__":
    main()
