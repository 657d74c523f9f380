"""The kernel alone over a grid of batches and widths, each point's share of what the processor can do.

Called by `bench_recurrence.py --sweep`; T = 100 and I = H. Writes benchmarks/results/recurrence_sweep.json.
"""

from __future__ import annotations

from typing import Any

import recurrence_engines as engines
from record import record, write

from gruworks.ops.backend import backend

BATCHES = (1, 2, 4, 8, 16, 32, 64, 128)
WIDTHS = (32, 64, 100, 128, 200, 256, 512, 1024)
STEPS = 100


def limit_ms(batch: int, width: int, train: bool, limit: dict[str, Any]) -> float:
    """The least time that multiplying, and reading the recurrent weights once a step, can take."""
    product = 6e-6 * STEPS * batch * width * width / limit["fma"]  # one of the recurrence's or the input's, all steps
    size = 12 * width * width
    rate = next((r for kb, r in limit["read"].items() if 1000 * int(kb) >= size), list(limit["read"].values())[-1])
    recurrent = max(product, 1e-6 * STEPS * size / rate)
    # Training goes through the recurrence twice; the gradients of input and weights are products over all steps.
    return 2 * recurrent + 4 * product if train else recurrent + product


def sweep(bench: Any, limit: dict[str, Any], forms: tuple[str, ...]) -> None:
    """Measure every point and write the records."""
    rows = []
    build = backend().name
    prefix = "recurrence-sweep" if build == "avx512" else f"recurrence-sweep-{build}"
    for reset in forms:
        for train in (False, True):
            kind = "train" if train else "fwd"
            for width in WIDTHS:
                shares = []
                for batch in BATCHES:
                    run = engines.kernel((STEPS, batch, width, width), reset, train, bench.threads)
                    least = bench.alternate({"kernel": run})["kernel"]
                    shares.append(limit_ms(batch, width, train, limit) / least)
                    rows.append(
                        record(
                            f"{prefix}/{reset}/{kind}/{batch},{width}", shares[-1], threads=bench.threads,
                            parameters={"T": STEPS, "B": batch, "I": width, "H": width}, note=f"{least:.4g} ms",
                        )
                    )  # fmt: skip
                print(reset, kind, f"H={width:5}", *(f"{share:5.0%}" for share in shares), flush=True)
    write("recurrence_sweep", rows)
