"""AN4, spelled words and numbers: word and character error rate, offline and streaming, with our n-gram model.

    GRUWORKS_DATA=... python benchmarks/recipe_transcribe_an4.py offline | streaming [--minutes 100] [--run FOLDER]

948 utterances train, 130 test, characters, the 13 MFCC as they come. The epoch is chosen on held-out training
speakers; the weight of the language model (trigrams) and the bonus of a word are chosen on them too, with a language
model that does not know their transcripts, before the test part is looked at; the test part's model is learnt from
all training transcripts. The streaming figure needs the offline one of the same report. --run takes a fitted run
instead of fitting.

A record whose note has {'beam': 16, 'language': 1.0, ...} is of 24 November, before that choice was mended: its weights
were chosen under a language model that knew the held-out texts, and it favours a high weight. 26 of the 130 test
transcripts stand in training, too, and so in the language model; no other set is split off for them. One seed.
"""

import argparse
import itertools
import json
import tempfile
from pathlib import Path

from record import RESULTS, record, write
from speech import an4

from gruworks import Transcriber
from gruworks.tasks.transcribe.data import split
from gruworks.tasks.transcribe.manifest import Utterance

SETTINGS = {
    "channels": 160, "layers": 3, "batch_size": 32, "learning_rate": 3e-3, "dropout": 0.3, "speed": 0.12,
    "warm_up": 100, "averaged_steps": 150, "validate_every": 100, "patience": 20, "order": 3,
}  # fmt: skip
KINDS = {
    "offline": {"hidden_size": 160, "steps": 3000},
    # Each layer sees 6 steps of 20 ms ahead: 360 ms in all.
    "streaming": {"streaming": True, "hidden_size": 256, "lookahead": 6, "steps": 4000},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("which", choices=tuple(KINDS))
    parser.add_argument("--minutes", type=float, default=100.0)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, help="keep the run folder there")
    parser.add_argument("--run", type=Path, help="a run folder that is fitted already")
    given = parser.parse_args()
    settings = SETTINGS | KINDS[given.which] | {"minutes": given.minutes, "threads": given.threads}
    settings |= {"steps": given.steps} if given.steps else {}
    with tempfile.TemporaryDirectory() as folder:
        train, test = an4(Path(folder))
        fitted = Transcriber.load(given.run) if given.run else Transcriber(**settings).fit(train, out=given.out)
        print(fitted.metrics)
        options = chosen(fitted, *split(train, fitted.config.validation, fitted.config.training.seed))
        greedy, found = fitted.evaluate(test), fitted.evaluate(test, **options)
    facts = {
        "parameters": sum(p.numel() for p in fitted.model.parameters()),
        "minutes": fitted.metrics["minutes"],
        "threads": fitted.config.training.threads,
        "baseline": found.baseline * 100,
        "note": f"95 % interval {100 * found.interval[0]:.1f} to {100 * found.interval[1]:.1f}; greedy WER "
        f"{100 * greedy.wer:.2f}, CER {100 * greedy.cer:.2f}; {options}; words unseen {100 * found.unknown:.1f} %; "
        f"{fitted.metrics['steps']} steps, {fitted.metrics['ended_by']}",
    }
    print(100 * found.wer, 100 * found.cer, facts["note"])
    write(f"transcribe_an4_{given.which}", records(given.which, found, facts, fitted))


def records(which: str, found: object, facts: dict[str, object], fitted: Transcriber) -> list[dict[str, object]]:
    if which == "offline":
        figures = {"transcribe/an4/wer": 100 * found.wer, "transcribe/an4/cer": 100 * found.cer}
    else:
        facts["note"] += f"; {1000 * fitted.latency:.0f} ms behind, {10 * fitted.model.lookahead} ms of it look-ahead"
        figures = {"transcribe/an4-streaming/wer": 100 * found.wer}
        offline = RESULTS / "transcribe_an4_offline.json"
        if offline.exists():
            told = {one["id"]: one["value"] for one in json.loads(offline.read_text())}
            figures["transcribe/an4-streaming/gap"] = 100 * found.wer - told["transcribe/an4/wer"]
    return [record(name, value, **facts) for name, value in figures.items()]


def chosen(fitted: Transcriber, train: list[Utterance], held: list[Utterance]) -> dict[str, object]:
    """The weight and the bonus that are best on held-out training speakers, whose texts the model does not know."""
    fitted.use_language([one.text for one in train])
    weights, bonuses = (0.3, 0.6, 1.0, 1.5), (0.0, 1.0, 2.0, 3.0)
    grid = [{"beam_size": 32, "lm_weight": w, "word_bonus": b} for w, b in itertools.product(weights, bonuses)]
    scores = [(fitted.evaluate(held, **options).wer, i) for i, options in enumerate(grid)]
    print([(round(100 * wer, 2), grid[i]) for wer, i in scores])
    fitted.use_language(None)
    return grid[min(scores)[1]]


if __name__ == "__main__":
    main()
