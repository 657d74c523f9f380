"""A small text, poems, and one generator of each kind really trained on them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from gruworks import Generator
from gruworks.data.text import Document

TINY: dict[str, Any] = {"hidden_size": 12, "layers": 2, "sequence": 16, "steps": 40, "validate_every": 10}
TINY |= {"batch_size": 4, "learning_rate": 0.02, "warm_up": 5, "threads": 1}
WORDS = ["the cat sat on the mat", "a dog ran over the hill", "so the bird sang", "and all was well"]


def prose(count: int = 60) -> str:
    return "".join(WORDS[i * i % 4] + (".\n" if i % 3 else ", ") for i in range(count))


def poems(count: int = 40) -> list[Document]:
    """Four lines of five characters each, to a title that begins them."""
    kinds = "春夏秋冬"
    return [
        Document("".join(f"{kinds[i % 4]}{'山水月花'[(i + j) % 4]}風雨來\n" for j in range(4)), kinds[i % 4])
        for i in range(count)
    ]


@pytest.fixture(scope="package", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="package")
def trained() -> Generator:
    """On one text with carried state."""
    return Generator(**TINY).fit([Document(prose())], quiet=True)


@pytest.fixture(scope="package")
def poet() -> Generator:
    """On documents that are read apart."""
    return Generator(**TINY).fit(poems(), quiet=True)
