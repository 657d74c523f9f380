"""C of the tasks around their networks: sampling, forecasting, log-mel features and CTC."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from string import Template

__all__ = ["string_table", "text"]

FOLDER = Path(__file__).parent


def text(name: str, values: Mapping[str, object]) -> str:
    """The text of a file of this folder with values in place of $name and so on."""
    return Template((FOLDER / f"{name}.c").read_text(encoding="utf-8")).substitute(values)


def string_table(name: str, strings: Iterable[bytes]) -> str:
    """A constant table of strings."""
    found = [f'    "{"".join(map(_character, one))}",' for one in strings]
    return "\n".join([f"static const char *const {name}[{len(found)}] = {{", *found, "};", ""])


def _character(byte: int) -> str:
    if byte in b'"\\?' or not 32 <= byte < 127:
        return f"\\{byte:03o}"
    return chr(byte)
