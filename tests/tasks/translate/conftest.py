"""A toy language that a tiny network learns in seconds, and a translator really trained on it."""

from __future__ import annotations

from typing import Any

import pytest

from gruworks import Translator

SIZES: dict[str, Any] = {"hidden_size": 32, "embedding_size": 32, "attention_size": 16, "dropout": 0.1}
TINY: dict[str, Any] = SIZES | {
    "source": "de", "target": "en", "steps": 150, "validate_every": 50, "batch_size": 32, "warm_up": 10,
    "learning_rate": 1e-2, "averaged_steps": 20, "threads": 1,
}  # fmt: skip
SHORT = TINY | {"steps": 4, "validate_every": 2}

NOUNS = {"Hund": "dog", "Katze": "cat", "Mann": "man", "Frau": "woman"}
VERBS = {"schläft": "sleeps", "rennt": "runs", "singt": "sings"}
SIZED = {"kleine": "small", "große": "big"}


def toy(copies: int = 6) -> list[tuple[str, str]]:
    """Sentences of four words or two, each with its translation, `copies` times."""
    long = [
        (f"eine {a} {n} {v} .", f"a {SIZED[a]} {NOUNS[n]} {VERBS[v]} .") for a in SIZED for n in NOUNS for v in VERBS
    ]
    return (long + [(f"{n} {v} .", f"{NOUNS[n]} {VERBS[v]} .") for n in NOUNS for v in VERBS]) * copies


@pytest.fixture(scope="session")
def trained() -> Translator:
    """Fitted on the toy language; tests read it only."""
    return Translator(**TINY).fit(toy(), quiet=True)
