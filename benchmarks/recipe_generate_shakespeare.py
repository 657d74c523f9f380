"""Tiny Shakespeare by character: validation nats beside published models.

    python benchmarks/recipe_generate_shakespeare.py nanogpt|80-10-10|60s --out RUN [--minutes M] [--seed 0]

`nanogpt`: first 90 % train, last 10 % validation. Two figures of one checkpoint: on all windows of 256 that don't
overlap, each from an empty state, which is what nanoGPT's 1.4697 (its README) has as context, though nanoGPT estimates
it on random windows; and with the state carried through the part, which a transformer of 256 has no counterpart to.
`80-10-10`: by position, the middle tenth validates, at most 0.85 M parameters; the last tenth is not read. `60s`: the
nanogpt split, the best checkpoint within 60 seconds of training and validation, imports excluded, so that it depends on
the processor and on what else runs.

The reported part is the validation part in all three, as for the published figures: the checkpoint is the one that is
best on it, and the settings of 24 November were chosen on it (some ten trials for `60s`, two for the others; LOG.md).
"""

import torch
from generation import arguments, carried, fitted, parameters, text, windows
from record import record, write

from gruworks.data.text import Document

BASE = {"sequence": 64, "batch_size": 32, "learning_rate": 5e-3, "layers": 2, "validate_every": 500, "restart": 0.05}
SETTINGS = {
    "nanogpt": BASE
    | {"hidden_size": 288, "dropout": 0.25, "input_dropout": 0.05, "output_dropout": 0.25, "steps": 9000},
    "80-10-10": BASE
    | {"hidden_size": 256, "dropout": 0.2, "input_dropout": 0.05, "output_dropout": 0.2, "steps": 8000},
    "60s": BASE
    | {
        "hidden_size": 192,
        "dropout": 0.0,
        "input_dropout": 0.0,
        "output_dropout": 0.0,
        "learning_rate": 6e-3,
        "steps": 1200,
    }
    | {"validate_every": 300},
}
SHARES = {"nanogpt": (0.9, 1.0), "60s": (0.9, 1.0), "80-10-10": (0.8, 0.9)}


def main() -> None:
    parser = arguments(__doc__, minutes=60)
    parser.add_argument("which", choices=SETTINGS)
    options = parser.parse_args()
    which = options.which
    if which == "60s":
        options.minutes = min(options.minutes, 1.0)
    whole = text("tinyshakespeare.txt")
    first, last = (int(share * len(whole)) for share in SHARES[which])
    learnt, held_out = whole[:first], whole[first:last]
    generator = fitted(SETTINGS[which], [Document(learnt)], [Document(held_out)], options)
    torch.set_num_threads(options.threads)
    fit = generator.metrics
    facts = {
        "seeds": 1, "parameters": parameters(generator), "minutes": fit["minutes"], "threads": options.threads,
    }  # fmt: skip
    note = f"seed {options.seed}, {fit['steps']} steps, best at {fit['best_step']}, {fit['ended_by']}"
    found = {"nats-windows256": windows(generator, held_out)} if which == "nanogpt" else {}
    found["nats-carried" if which == "nanogpt" else "nats"] = carried(generator, held_out)
    for name, value in found.items():
        print(f"{which} {name}: {value:.4f}; {facts}; {note}")
    name = which.replace("-", "_")
    rows = [record(f"generate/shakespeare-{which}/{one}", value, **facts, note=note) for one, value in found.items()]
    write(f"generate_shakespeare_{name}", rows)


if __name__ == "__main__":
    main()
