"""Spoken digits (FSDD): the official split, leave one speaker out, and joined digits by a streaming network.

    GRUWORKS_DATA=... python benchmarks/recipe_transcribe_fsdd.py official | speakers | joined [--minutes 2.9]

official: indices 0 to 4 are the test part, 5 to 49 are learnt from in at most three minutes; the value is the share
of test recordings whose text is exactly right. speakers: each speaker in turn is the test part, the others are learnt
from; the value is the mean of six, and the note says what augmentation gains (--plain fits without it). joined: 3 to
7 test digits of a speaker in a row with pauses, which are synthetic joins, from a network that learnt joins of the
training digits and streams; the value is the digit error rate. Settings are chosen with --search, where indices 5 to 9
are the test part and 10 to 49 are learnt from, and nothing is recorded.
"""

import argparse
import json
import statistics
import tempfile
from pathlib import Path

from record import record, write
from speech import fsdd, joined

from gruworks import Transcriber
from gruworks.tasks.transcribe.manifest import Utterance

SETTINGS = {
    "units": "words", "bands": 40, "channels": 64, "hidden_size": 48, "layers": 2, "strides": (2,), "order": 2,
    "steps": 4500, "validate_every": 250, "patience": 50, "batch_size": 32, "learning_rate": 5e-3, "warm_up": 50,
    "averaged_steps": 200, "held_out": 0.04, "speed": 0.15, "gain": 10.0, "band_masks": 2,
}  # fmt: skip
PLAIN = {"speed": 0.0, "gain": 0.0, "band_masks": 0, "time_masks": 0}
ANSWER = {"beam": 8, "language": 1.0}


def unnamed(rows: list[Utterance]) -> list[Utterance]:
    """Without speakers: what the fit is judged on is drawn from all, as the test part is."""
    return [Utterance(one.path, one.text, None, one.where) for one in rows]


def fit(rows: list[Utterance], **settings: object) -> Transcriber:
    fitted = Transcriber(**SETTINGS | settings).fit(rows)
    print(fitted.metrics)
    return fitted


def facts(fitted: Transcriber) -> dict[str, object]:
    parameters = sum(p.numel() for p in fitted.model.parameters())
    return {"parameters": parameters, "minutes": fitted.metrics["minutes"], "threads": fitted.config.training.threads}


def official(rows: list[tuple[Utterance, str, int]], settings: dict[str, object]) -> list[dict[str, object]]:
    train = [one for one, _, index in rows if index >= 5]
    test = [one for one, _, index in rows if index < 5]
    fitted = fit(unnamed(train), **settings)
    found = fitted.evaluate(test, **ANSWER)
    greedy = fitted.evaluate(test).exact
    print(f"{100 * found.exact:.2f} % right; {found.confused}")
    note = (
        f"{found.utterances} recordings; greedy without the language model {greedy:.4f}; {fitted.metrics['ended_by']}"
    )
    return [record("transcribe/fsdd/accuracy", found.exact, note=note, baseline=0.1, **facts(fitted))]


def speakers(
    rows: list[tuple[Utterance, str, int]], settings: dict[str, object], plain: bool
) -> list[dict[str, object]]:
    rights = {}
    for speaker in sorted({speaker for _, speaker, _ in rows}):
        fitted = fit([one for one, other, _ in rows if other != speaker], **settings | {"held_out": 0.15})
        rights[speaker] = fitted.evaluate([one for one, other, _ in rows if other == speaker], **ANSWER).exact
        print(speaker, rights[speaker])
    value = statistics.mean(rights.values())
    told = {name: round(share, 3) for name, share in rights.items()}
    name = "accuracy-plain" if plain else "accuracy"
    note = f"{'without' if plain else 'with'} augmentation, by speaker: {told}"
    spread = statistics.pstdev(rights.values())
    return [
        record(f"transcribe/fsdd-leave-one-out/{name}", value, note=note, spread=spread, baseline=0.1, **facts(fitted))
    ]


def joins(rows: list[tuple[Utterance, str, int]], settings: dict[str, object], folder: Path) -> list[dict[str, object]]:
    train = joined([one for one, _, index in rows if index >= 5], 1200, folder / "train", seed=1)
    test = joined([one for one, _, index in rows if index < 5], 120, folder / "test", seed=2)
    fitted = fit(unnamed(train), **{"streaming": True, "hidden_size": 96, "lookahead": 6, "dropout": 0.1} | settings)
    found = fitted.evaluate(test)
    note = (
        f"synthetic joins of the official test part's digits; string error {1 - found.exact:.4f}; streaming, "
        f"{1000 * fitted.latency:.0f} ms behind, greedy; 95 %: {found.interval[0]:.4f} to {found.interval[1]:.4f}"
    )
    print(found.wer, note)
    return [record("transcribe/digits-joined/der", found.wer, note=note, **facts(fitted))]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("which", choices=("official", "speakers", "joined"))
    parser.add_argument("--minutes", type=float, default=2.9)
    parser.add_argument("--steps", type=int, default=SETTINGS["steps"])
    parser.add_argument("--plain", action="store_true", help="speakers: without augmentation")
    parser.add_argument("--search", action="store_true", help="hold out indices 5 to 9, print, record nothing")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting, as JSON")
    given = parser.parse_args()
    if given.set and not given.search:
        parser.error("--set needs --search: what is recorded has the recipe's settings")
    settings = {"minutes": given.minutes, "steps": given.steps} | (PLAIN if given.plain else {})
    with tempfile.TemporaryDirectory() as folder:
        rows = fsdd(Path(folder))
        if given.search:
            settings |= {name: json.loads(value) for name, _, value in (one.partition("=") for one in given.set)}
            rows = [(one, speaker, index - 5) for one, speaker, index in rows if index >= 5]
        if given.which == "official":
            figures = official(rows, settings)
        elif given.which == "speakers":
            figures = speakers(rows, settings, given.plain)
        else:
            figures = joins(rows, settings, Path(folder))
    if not given.search:
        write("transcribe_fsdd", figures)


if __name__ == "__main__":
    main()
