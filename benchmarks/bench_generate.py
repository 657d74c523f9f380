"""Characters written per second on one core: `Generator.stream` beside a loop around `torch.nn.GRU`.

    OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 python benchmarks/bench_generate.py [--characters 1500] [--rounds 5]

Two layers of 512, float32, one text, all characters of 红楼梦, output product and draw at temperature 0.8 on both
sides. The loop calls `torch.nn.GRU` with one step, a linear layer, softmax and multinomial under inference mode; ours
has layer norms and residual connections besides, and gives text. The rounds alternate; the value is the ratio of the
medians.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable, Iterator

import torch
from generation import text
from record import record, write

from gruworks import Generator
from gruworks.data.text import Document
from gruworks.tasks.generate.config import Config
from gruworks.tasks.generate.data import Codec
from gruworks.tasks.generate.model import LanguageNet

SIZE, LAYERS, TEMPERATURE = 512, 2, 0.8


def ours(codec: Codec) -> Callable[[int], Iterator[str]]:
    generator = Generator(hidden_size=SIZE, layers=LAYERS)
    generator.codec, generator.model = codec, LanguageNet(len(codec.vocabulary), SIZE, LAYERS).eval()
    return lambda count: generator.stream("\n", length=count, temperature=TEMPERATURE)


def loop(symbols: int) -> Callable[[int], Iterator[int]]:
    embedding, gru = torch.nn.Embedding(symbols, SIZE), torch.nn.GRU(SIZE, SIZE, LAYERS)
    output = torch.nn.Linear(SIZE, symbols)

    @torch.inference_mode()
    def written(count: int) -> Iterator[int]:
        symbol, state = torch.zeros(1, dtype=torch.int64), None
        for _ in range(count):
            features, state = gru(embedding(symbol)[None], state)
            probabilities = torch.softmax(output(features[0]) / TEMPERATURE, 1)
            symbol = torch.multinomial(probabilities, 1)[0]
            yield int(symbol)

    return written


def rate(write_on: Callable[[int], Iterator[object]], count: int) -> float:
    """Characters per second, the making of tables left out."""
    written = write_on(count + 20)
    for _ in range(20):
        next(written)
    begun = time.perf_counter()
    done = sum(1 for _ in written)
    return done / (time.perf_counter() - begun)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--characters", type=int, default=1500)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    torch.set_num_threads(1)
    torch.manual_seed(0)
    codec = Codec.of([Document(text("hongloumeng.txt"))], Config())
    writers = {"ours": ours(codec), "loop": loop(len(codec.vocabulary))}
    rates: dict[str, list[float]] = {name: [] for name in writers}
    for _ in range(options.rounds):
        for name, writer in writers.items():
            rates[name].append(rate(writer, options.characters))
    middle = {name: statistics.median(found) for name, found in rates.items()}
    ratios = [a / b for a, b in zip(rates["ours"], rates["loop"], strict=True)]
    note = (
        f"{middle['ours']:.0f} characters/s beside {middle['loop']:.0f} by torch.nn.GRU, "
        f"{len(codec.vocabulary)} symbols, median of {options.rounds} alternating rounds"
    )
    print(rates, note, sep="\n")
    value = middle["ours"] / middle["loop"]
    facts = {"spread": statistics.pstdev(ratios), "threads": 1, "baseline": middle["loop"], "note": note}
    write("generate_speed", [record("generate/hongloumeng/speed-ratio", value, **facts)])


if __name__ == "__main__":
    main()
