"""Sample files for first tries: tables, texts, sentence pairs and recordings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from gruworks.data.samples import digits, pairs, recordings, tables, texts
from gruworks.errors import OptionError

__all__ = ["SAMPLES", "Sample", "write"]


class Sample(NamedTuple):
    """A sample: its description, the function that writes it into a folder, and commands that use it there."""

    what: str
    make: Callable[[Path], Path]
    commands: tuple[str, ...]


SAMPLES = {
    "weather": Sample(
        "three years of daily temperatures and rain, synthetic",
        tables.weather,
        (
            "gruworks forecast fit weather.csv --time date --target temp_max --horizon 14 --out runs/weather",
            "gruworks forecast predict runs/weather",
        ),
    ),
    "shop": Sample(
        "two years of daily sales of two shops that are closed on Sundays, synthetic",
        tables.shop,
        (
            "gruworks forecast check shop.csv --time date --target sales --series shop",
            "gruworks forecast fit shop.csv --time date --target sales --series shop --out runs/shop",
        ),
    ),
    "stocks": Sample(
        "daily closing prices of two shares, random walks",
        tables.stocks,
        ("gruworks forecast evaluate stocks.csv --time date --target close --series share --horizon 5",),
    ),
    "poems": Sample(
        "Shakespeare's sonnets 18, 29, 73 and 116 and twelve Tang quatrains, public domain",
        texts.poems,
        (
            "gruworks generate fit poems.txt --steps 300 --out runs/poems",
            'gruworks generate write runs/poems --prompt "Shall I" --length 200',
        ),
    ),
    "pairs": Sample(
        "1,200 English sentences with Chinese translations, from templates",
        pairs.pairs,
        (
            "gruworks translate fit pairs.tsv --source en --target zh --steps 300 --out runs/en-zh",
            'echo "I want three books." | gruworks translate run runs/en-zh',
        ),
    ),
    "digits": Sample(
        "32 recordings of English digits by three synthetic voices",
        digits.digits,
        ("gruworks try transcribe digits/number.flac digits/code.flac digits/rms-7.flac",),
    ),
    "recordings": Sample(
        "240 recordings of two to four vowels, synthesized with four voices",
        recordings.recordings,
        (
            "gruworks transcribe fit recordings --steps 200 --out runs/vowels",
            "gruworks transcribe run runs/vowels recordings/000.wav",
        ),
    ),
}


def write(name: str, folder: Path) -> Path:
    """Write a sample into a folder, which is created; return the path of its file or folder.

    >>> import tempfile
    >>> write("shop", Path(tempfile.mkdtemp())).read_text().splitlines()[:2]
    ['date,shop,sales', '2023-01-02,north,298.1']

    Args:
        name: of `SAMPLES`.
        folder: to write into.

    Returns:
        The path of the sample's file or folder.

    Raises:
        OptionError: no sample has this name, or the file is there already.
    """
    if name not in SAMPLES:
        raise OptionError(f"there is no sample {name!r}; there are: {', '.join(SAMPLES)}")
    folder.mkdir(parents=True, exist_ok=True)
    return SAMPLES[name].make(folder)
