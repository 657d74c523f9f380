"""Peak memory of a process that trains a step on a packed batch of one long row and many short ones, ours over torch's.

    python benchmarks/bench_packed_memory.py

Each engine has three fresh processes, in turns: `pack_sequence` of one row of 3,000 steps and 255 of 1, I = H = 256,
forward and backward on one thread. Both processes import torch and gruworks; memory is the whole process's largest
resident set, and the figure is the ratio of the medians.
"""

import resource
import statistics
import subprocess
import sys

from record import record, write

LONG, SHORT, SIZE = 3000, 255, 256
ENGINES = ("torch", "ours")
ROUNDS = 3


def cell(engine: str) -> int:
    """Kilobytes."""
    import torch
    from torch.nn.utils.rnn import pack_sequence

    from gruworks import GRU

    torch.manual_seed(0)
    torch.set_num_threads(1)
    made = (torch.nn.GRU if engine == "torch" else GRU)(SIZE, SIZE)
    packed = pack_sequence([torch.randn(LONG, SIZE), *torch.randn(SHORT, 1, SIZE)])
    output, final = made(packed)
    (output.data.square().sum() + final.sum()).backward()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def apart(engine: str) -> int:
    command = [sys.executable, __file__, "--cell", engine]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    if sys.argv[1:2] == ["--cell"]:
        print(cell(sys.argv[2]))
        return
    found: dict[str, list[int]] = {engine: [] for engine in ENGINES}
    for _ in range(ROUNDS):
        for engine in ENGINES:
            found[engine].append(apart(engine))
    medians = {engine: statistics.median(values) / 1024 for engine, values in found.items()}
    ratio = medians["ours"] / medians["torch"]
    note = f"torch {medians['torch']:.0f} MB, ours {medians['ours']:.0f} MB, of the whole process"
    print(f"{note}: {ratio:.3f}")
    made = record(
        "recurrence/packed-memory/ratio", round(ratio, 3), seeds=ROUNDS, threads=1, baseline="torch", note=note
    )
    write("packed_memory", [made])


if __name__ == "__main__":
    main()
