"""Plain GRU beside GRU with convolution and GRU with attention: tiny Shakespeare, equal parameters and time.

    python benchmarks/recipe_generate_blocks.py --out FOLDER [--seconds 150] [--seeds 3]

Widths are set so that all have as many parameters. Time is the processor's, on one thread: the kinds' steps are timed
first, in turn, and each kind gets as many steps as fit into the seconds, its learning rate falling to the end of them.
Finished runs in the folder are kept, and so are the numbers of steps. The value is the mean validation loss (nats,
last tenth, state carried) over seeds.
"""

import argparse
import itertools
import json
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from generation import fitted, parameters, text
from record import record, write

from gruworks import Generator
from gruworks.data.text import Document
from gruworks.tasks.generate.data import CarriedRows, Codec
from gruworks.tasks.generate.fitting import text_loss

BASE = {"layers": 2, "sequence": 64, "batch_size": 32, "learning_rate": 6e-3, "validate_every": 200}
BASE |= {"dropout": 0.05, "input_dropout": 0.0, "output_dropout": 0.05}
KINDS: dict[str, dict[str, Any]] = {
    "plain": BASE | {"hidden_size": 192},
    "convolution": BASE | {"hidden_size": 184, "between": "convolution"},
    "attention": BASE | {"hidden_size": 168, "between": "attention"},
}


def timed(settings: dict[str, Any], learnt: Document) -> Iterator[float]:
    """The processor's time for one step after another: forward, backward and optimiser."""
    generator = Generator(**settings)
    generator.codec = Codec.of([learnt], generator.config)
    texts = CarriedRows(generator.codec, [learnt], [], generator.config)
    model = generator._new_model().train()
    optimizer = torch.optim.AdamW(model.parameters())
    state = None
    for index in itertools.count():
        batch, begun = texts.draw(0, index), time.process_time()
        loss, state = text_loss(model, batch, state)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        state = {name: value.detach() for name, value in state.items()}
        yield time.process_time() - begun


def affordable(seconds: float, learnt: Document, kept: Path) -> dict[str, int]:
    """Number of steps of each kind that fit into the seconds: by the median of 20, the kinds in turn."""
    if not kept.is_file():
        kinds = {kind: timed(settings, learnt) for kind, settings in KINDS.items()}
        rounds = [{kind: next(times) for kind, times in kinds.items()} for _ in range(23)][3:]
        steps = {kind: int(seconds / statistics.median(one[kind] for one in rounds)) for kind in KINDS}
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(steps))
    found: dict[str, int] = json.loads(kept.read_text())
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=150)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    whole = text("tinyshakespeare.txt")
    learnt, held_out = Document(whole[: int(0.9 * len(whole))]), Document(whole[int(0.9 * len(whole)) :])
    rows, fitting = [], affordable(options.seconds, learnt, options.out / "steps.json")
    for kind, settings in KINDS.items():
        steps = fitting[kind]
        losses, generator = [], None
        for seed in range(options.seeds):
            place = argparse.Namespace(minutes=110, threads=1, seed=seed, out=options.out / f"{kind}-{seed}")
            generator = fitted(settings | {"steps": steps}, [learnt], [held_out], place)
            losses.append(generator.metrics["best_loss"])
            print(kind, seed, losses[-1], flush=True)
        facts = {"seeds": options.seeds, "spread": statistics.pstdev(losses), "parameters": parameters(generator)}
        note = f"{steps} steps in {options.seconds:.0f} s of one core; best {min(losses):.4f}, worst {max(losses):.4f}"
        figure = f"generate/blocks-{kind}/nats"
        rows.append(
            record(figure, statistics.mean(losses), **facts, minutes=options.seconds / 60, threads=1, note=note)
        )
        write("generate_blocks", rows)


if __name__ == "__main__":
    main()
