"""First use: fits with defaults and --minutes, by the command line as a user types it, scored on data not seen.

    GRUWORKS_DATA=... python benchmarks/recipe_first_use.py --part shakespeare-3min --out FOLDER

Each part runs `gruworks TASK fit ... --minutes M` and nothing else is set; the wall time of the command is recorded.
Run it with nothing else on the machine. Text: nanoGPT's split of tiny Shakespeare, learnt from the first 90 %, nats a
character on the last 10 % with carried state. Translation: Multi30k English to French, test 2016, sacreBLEU 13a on raw
text. Digits: the Arabic digits, whose test speakers are in neither the training nor the validation part, mean of three
seeds, by the flags that the fit recommends. The reported parts are read after the fit alone. Finished fits stay in
FOLDER; the same command goes on with the rest.
"""

import argparse
import json
import shlex
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from generation import carried, text
from record import record, write
from speech import unpack

from gruworks import Generator, Translator
from gruworks.data.catalogue import find

SEEDS = 3


def command(*arguments: object) -> str:
    """Standard output of a gruworks command."""
    line = ["gruworks", *map(str, arguments)]
    print(shlex.join(line), flush=True)
    code = "from gruworks.app.cli.main import run; run()"
    return subprocess.run([sys.executable, "-c", code, *line[1:]], check=True, stdout=subprocess.PIPE, text=True).stdout


def fitted(task: str, data: list[object], minutes: float, run: Path, *more: object) -> dict[str, Any]:
    """Wall time and last lines of a fit into `run`; of a finished one, as they were kept beside it."""
    kept = run.with_name(f"{run.name}.json")
    if not kept.exists():
        begun = time.monotonic()
        told = command(task, "fit", *data, "--minutes", minutes, *more, "--out", run)
        facts = {"wall": (time.monotonic() - begun) / 60, "told": told}
        kept.write_text(json.dumps(facts, ensure_ascii=False) + "\n")
    found: dict[str, Any] = json.loads(kept.read_text())
    return found


def facts_of(run: Path, wall: float, minutes: float) -> dict[str, Any]:
    metrics, config = (json.loads((run / name).read_text()) for name in ("metrics.json", "config.json"))
    note = (
        f"wall time of the command {60 * wall:.0f} s of {60 * minutes:.0f}; {metrics['steps']} steps, best at "
        f"{metrics['best_step']}, {metrics['ended_by']}; hidden size {config['hidden_size']}"
    )
    return {"minutes": wall, "threads": 2, "note": note}


def shakespeare(minutes: float, folder: Path) -> dict[str, Any]:
    whole = text("tinyshakespeare.txt")
    cut = int(0.9 * len(whole))
    learnt = folder / "shakespeare.txt"
    learnt.write_text(whole[:cut], encoding="utf-8")
    run = folder / f"shakespeare-{minutes:g}"
    wall = fitted("generate", [learnt], minutes, run)["wall"]
    return {"value": carried(Generator.load(run), whole[cut:]), "seeds": 1, **facts_of(run, wall, minutes)}


def multi30k(minutes: float, folder: Path) -> dict[str, Any]:
    files = find("multi30k") | find("multi30k-french")
    train, test = (
        [files[f"multi30k.{part}.{language}.gz"] for language in ("en", "fr")] for part in ("train", "test_2016_flickr")
    )
    run = folder / f"multi30k-{minutes:g}"
    wall = fitted("translate", list(train), minutes, run)["wall"]
    found = Translator.load(run).evaluate(tuple(test), tokenize="13a")
    return {"value": found.bleu, "baseline": found.copy_bleu, "seeds": 1, **facts_of(run, wall, minutes)}


def digits(minutes: float, folder: Path) -> dict[str, Any]:
    if not (folder / "digits" / "train.jsonl").exists():
        unpack("arabic-digits.tar.gz", folder / "digits")
    rates, walls, told = [], [], ""
    for seed in range(SEEDS):
        run = folder / f"digits-{minutes:g}-{seed}"
        fit = fitted("transcribe", [folder / "digits" / "train.jsonl"], minutes, run, "--seed", seed)
        flags = recommended(fit["told"])
        scored = command("transcribe", "evaluate", run, folder / "digits" / "test.jsonl", *flags, "--json")
        rates.append(json.loads(scored)["wer"])
        walls.append(fit["wall"])
        told = f"seeds {', '.join(f'{rate:.4f}' for rate in rates)}; last flags {' '.join(flags) or 'none'}"
    facts = facts_of(run, statistics.mean(walls), minutes)
    spread = {"seeds": SEEDS, "spread": statistics.pstdev(rates)}
    return {"value": statistics.mean(rates), **spread, **facts, "note": f"{facts['note']} (of the last seed); {told}"}


def recommended(told: str) -> list[str]:
    """The flags of decoding in the last line of a fit, `next   gruworks transcribe run RUN FILE --flag ...`."""
    line = next(line for line in told.splitlines() if line.startswith("next "))
    words = shlex.split(line)
    return words[words.index("FILE") + 1 :] if "FILE" in words else []


PARTS: dict[str, tuple[str, float, Callable[[float, Path], dict[str, Any]]]] = {
    "shakespeare-3min": ("nats", 3, shakespeare),
    "shakespeare-45s": ("nats", 0.75, shakespeare),
    "multi30k-en-fr-10min": ("bleu", 10, multi30k),
    "multi30k-en-fr-150s": ("bleu", 2.5, multi30k),
    "foreign-digits-5min": ("wer", 5, digits),
    "foreign-digits-75s": ("wer", 1.25, digits),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", choices=PARTS, action="append", help="one row; given again, several; else all")
    parser.add_argument("--out", type=Path, required=True, help="finished fits are kept there")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    for name in given.part or PARTS:
        measure, minutes, measured = PARTS[name]
        facts = measured(minutes, given.out)
        value = facts.pop("value")
        print(f"first-use/{name}/{measure}: {value:.4f}; {facts}", flush=True)
        write("first_use", [record(f"first-use/{name}/{measure}", value, **facts)])


if __name__ == "__main__":
    main()
