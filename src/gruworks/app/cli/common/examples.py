"""An example of each command, shown at the end of its help; files are those of `gruworks sample`, runs those of fits.

The examples of the tasks' fits stand in their descriptions.
"""

from __future__ import annotations

import typer

from gruworks.tasks import registry

__all__ = ["EXAMPLES", "add_examples"]

EXAMPLES = {
    "card": "gruworks card runs/shop --out card.md",
    "demo": "gruworks demo --out runs/demo",
    "doctor": "gruworks doctor --explain",
    "sample": "gruworks sample shop",
    "export": "gruworks export runs/shop --to c --out firmware",
    "serve": "gruworks serve runs/shop --port 8000",
    "data list": "gruworks data list",
    "data fetch": "gruworks data fetch multi30k",
    "exchange inspect": "gruworks exchange inspect model.onnx",
    "exchange convert": "gruworks exchange convert model.h5 gru.safetensors --layer gru",
    "forecast predict": "gruworks forecast predict runs/shop --level 80,95",
    "forecast update": "gruworks forecast update runs/shop newer.csv",
    "forecast evaluate": "gruworks forecast evaluate shop.csv --horizon 28",
    "forecast explain": "gruworks forecast explain runs/shop --of north",
    "forecast decompose": "gruworks forecast decompose runs/shop --of north",
    "forecast check": "gruworks forecast check shop.csv",
    "forecast report": "gruworks forecast report runs/shop --language zh",
    "forecast export": "gruworks forecast export runs/shop",
    "forecast card": "gruworks forecast card runs/shop",
    "generate write": 'gruworks generate write runs/poems --prompt "Shall I" --length 200',
    "generate verse": "gruworks generate verse runs/tang --form jueju5 --title 秋夜",
    "generate score": 'gruworks generate score runs/poems "Shall I compare thee"',
    "generate evaluate": "gruworks generate evaluate runs/poems other.txt",
    "generate play": "gruworks generate play runs/poems",
    "generate export": "gruworks generate export runs/poems --to c",
    "generate card": "gruworks generate card runs/poems",
    "lab compare": "gruworks lab compare --task adding --seeds 3 --out comparison",
    "lab gradients": "gruworks lab gradients --out gradients",
    "lab papers": "gruworks lab papers chung2014 --quick",
    "lab cost": "gruworks lab cost --input 64 --hidden 128",
    "lab trace": "gruworks lab trace 1 2 3 4 5",
    "transcribe run": "gruworks transcribe run runs/vowels recordings/000.wav",
    "transcribe evaluate": "gruworks transcribe evaluate runs/vowels recordings",
    "transcribe check": "gruworks transcribe check recordings",
    "transcribe align": 'gruworks transcribe align runs/vowels recordings/000.wav "a e i"',
    "transcribe language": "gruworks transcribe language runs/vowels --out vowels.arpa",
    "transcribe live": "gruworks transcribe live runs/vowels recordings/000.wav",
    "transcribe export": "gruworks transcribe export runs/vowels --to c",
    "transcribe card": "gruworks transcribe card runs/vowels",
    "translate run": "gruworks translate run runs/en-zh sentences.txt --n-best 3",
    "translate evaluate": "gruworks translate evaluate runs/en-zh test.en test.zh",
    "translate score": "gruworks translate score runs/en-zh pairs.tsv",
    "translate check": "gruworks translate check pairs.tsv",
    "translate tune": "gruworks translate tune runs/en-zh val.tsv --by runs/zh-en --out reranker.json",
    "translate rescore": "gruworks translate rescore reranker.json sentences.txt",
    "translate explain": 'gruworks translate explain runs/en-zh "I want three books." --out attention.png',
    "translate play": "gruworks translate play runs/en-zh",
    "translate export": "gruworks translate export runs/en-zh",
    "translate card": "gruworks translate card runs/en-zh",
    "try list": "gruworks try list",
    "try forecast": "gruworks try forecast weather.csv",
    "try verse": "gruworks try verse 秋夜 --form jueju7",
    "try translate": 'gruworks try translate "I am hungry." "Where is the station?"',
    "try transcribe": "gruworks try transcribe digits/number.flac",
}


def add_examples(app: typer.Typer, path: tuple[str, ...] = ()) -> None:
    """Add to the help of each command of `app` and its groups its example, if it has one."""
    known = EXAMPLES | {f"{task.name} fit": task.example for task in registry.TASKS.values()}
    for one in app.registered_commands:
        name = " ".join((*path, one.name or ""))
        if name in known:
            one.epilog = f"Example: {known[name]}"
    for group in app.registered_groups:
        if group.typer_instance is not None:
            add_examples(group.typer_instance, (*path, group.name or ""))
