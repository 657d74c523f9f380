"""The table of state tracking: trains every model on every task with three seeds, and records all accuracies.

    python benchmarks/recipe_lab_tracking.py --out runs/tracking [--only parity,s5] [--models gru] [--jobs 2]

The same as `gruworks lab papers tracking --full`; called again with the same --out it goes on. Figures of models that
a call leaves out stay as they were recorded. `lab/tracking-TASK/accuracy` is the GRU's, in the form whose validation
loss is lower on average: the label after 4,000 steps, in the worst of the seeds. `lab/tracking-TASK/LENGTH/MODEL` is
the same of every model after LENGTH steps, all seeds in the note.

Steps, rates and weights are chosen on words of up to 80 steps. Input noise and repeated symbols are not: parity was
right at 80 without them, and they were added for other words of 4,000 steps than those tested here (LOG.md). For S5 the
growth of the words, the embedding and the validation under noise were chosen so, too: at 80 steps other weights were
as good.
`docs/make_tracking.py` makes the tables and the picture of docs/tracking.md of these records.
"""

import argparse
import statistics
from pathlib import Path
from typing import Any

from record import record, write

from gruworks.lab.tracking.table import reproduce

FORMS = ("gru", "gru-before")


def names(text: str) -> list[str]:
    return [name for name in text.split(",") if name]


def of_model(task: str, model: str, trials: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A record for each length of the test words."""
    facts = {
        "parameters": trials[0]["parameters"], "seeds": len(trials), "threads": 1,
        "minutes": sum(trial["minutes"] for trial in trials),
    }  # fmt: skip
    records = []
    for length in trials[0]["accuracy"]:
        values = [trial["accuracy"][length] for trial in trials]
        note = f"{trials[0]['test_rows']} words; seeds: " + " ".join(f"{value:.3f}" for value in values)
        spread = statistics.pstdev(values)
        records.append(record(f"lab/tracking-{task}/{length}/{model}", min(values), spread=spread, note=note, **facts))
    return records


def best_form(forms: dict[str, list[dict[str, Any]]]) -> str:
    """The form of the GRU with the lower mean validation loss."""
    return min(forms, key=lambda form: statistics.fmean(trial["validation"] for trial in forms[form]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", type=names, default=[])
    parser.add_argument("--models", type=names, default=[])
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    trials = reproduce(given.out, only=given.only, models=given.models, jobs=given.jobs)["trials"]
    found: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for trial in trials:
        found.setdefault(trial["task"], {}).setdefault(trial["model"], []).append(trial)
    records = []
    for task, models in found.items():
        of_task = {model: of_model(task, model, its) for model, its in models.items()}
        records += [one for its in of_task.values() for one in its]
        if forms := {form: models[form] for form in FORMS if form in models}:
            chosen = best_form(forms)
            last = of_task[chosen][-1]
            records.append(last | {"id": f"lab/tracking-{task}/accuracy", "note": f"{chosen}; {last['note']}"})
    for one in records:
        print(f"{one['id']}: {one['value']:.3f} ({one['note']})")
    write("lab_tracking", records)


if __name__ == "__main__":
    main()
