"""Values that a file holds, checked against a description before anything is made of them.

    codec = record(rate=optional(whole(1_000, 192_000)), texts=items(string()))
    codec({"rate": -1, "texts": []}, "codec.json: ")   # RunError: codec.json: rate must be ..., not -1

A description is a function of a value and of the place that its error names; larger ones are made of smaller ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NoReturn

import numpy

from gruworks.errors import RunError

__all__ = [
    "Check", "array", "choice", "either", "flag", "items", "mapping", "maybe", "named", "number", "optional", "record",
    "string", "value", "whole",
]  # fmt: skip

Check = Callable[[Any, str], None]
LARGE = 1e300  # a float beyond it overflows in the next sum


def whole(low: int, high: int) -> Check:
    """An integer within bounds."""

    def check(found: Any, where: str) -> None:
        if not isinstance(found, int) or isinstance(found, bool) or not low <= found <= high:
            _refuse(where, f"a whole number from {low} to {high}", found)

    return check


def number(low: float = -LARGE, high: float = LARGE) -> Check:
    """A finite number within bounds."""

    def check(found: Any, where: str) -> None:
        if not isinstance(found, int | float) or isinstance(found, bool) or not low <= found <= high:
            _refuse(where, f"a number from {low:g} to {high:g}", found)

    return check


def string(most: int = 10_000_000) -> Check:
    """A string of at most `most` characters."""

    def check(found: Any, where: str) -> None:
        if not isinstance(found, str) or len(found) > most:
            _refuse(where, f"a text of at most {most} characters", found)

    return check


def choice(*choices: Any) -> Check:
    """One of the values given, of the same type."""

    def check(found: Any, where: str) -> None:
        if not any(type(found) is type(one) and found == one for one in choices):
            _refuse(where, f"one of {', '.join(map(repr, choices))}", found)

    return check


flag = choice(True, False)


def value(found: Any, where: str) -> None:
    """Anything that JSON can hold."""


def optional(check: Check) -> Check:
    """None, or what `check` takes."""
    return lambda found, where: None if found is None else check(found, where)


def either(*checks: Check) -> Check:
    """A value that one of the checks takes; the error is the last one's."""

    def check(found: Any, where: str) -> None:
        for one in checks[:-1]:
            try:
                return one(found, where)
            except RunError:
                pass
        return checks[-1](found, where)

    return check


def items(check: Check, least: int = 0, most: int = 10_000_000) -> Check:
    """A list, each of whose items `check` takes."""

    def check_all(found: Any, where: str) -> None:
        if not isinstance(found, list) or not least <= len(found) <= most:
            _refuse(where, f"a list of {least} to {most} items", found)
        for number, one in enumerate(found):
            check(one, f"{where}[{number}]")

    return check_all


def mapping(check: Check) -> Check:
    """An object of any names, each of whose values `check` takes."""

    def check_all(found: Any, where: str) -> None:
        if not isinstance(found, dict):
            _refuse(where, "an object of named values", found)
        for name, one in found.items():
            check(one, _inside(where, name))

    return check_all


class maybe:  # noqa: N801  (it reads as the functions around it)
    """A field of `record` that may be missing."""

    def __init__(self, check: Check) -> None:
        self.check = check


def record(**fields: Check | maybe) -> Check:
    """An object of exactly these names; those marked `maybe` may be missing."""
    return named(fields)


def named(fields: Mapping[str, Check | maybe], others: bool = False) -> Check:
    """As `record`, for names that are known at run time, or with `others` beside them."""

    def check_all(found: Any, where: str) -> None:
        if not isinstance(found, dict):
            _refuse(where, "an object of named values", found)
        missing = [name for name, check in fields.items() if name not in found and not isinstance(check, maybe)]
        unknown = [] if others else [name for name in found if name not in fields]
        if missing or unknown:
            told = [f"lacks {', '.join(missing)}"] * bool(missing)
            told += [f"has no place for {', '.join(f'{name:.40}' for name in unknown[:5])}"] * bool(unknown)
            raise RunError(f"{_named(where)} {' and '.join(told)}")
        for name, check in fields.items():
            if name in found:
                (check.check if isinstance(check, maybe) else check)(found[name], _inside(where, name))

    return check_all


def array(kind: str, *shape: int | None, low: float = -LARGE, high: float = LARGE, nan: bool = False) -> Check:
    """An array of floats ("f") or integers ("i") of this shape (None: any size), all within bounds, NaN only if so."""
    names = {"f": "floats", "i": "integers"}
    expected = f"{names[kind]} [{', '.join('*' if size is None else str(size) for size in shape)}]"

    def check(found: Any, where: str) -> None:
        fits = found.dtype.kind == kind and found.ndim == len(shape)
        if not fits or any(size not in (None, real) for size, real in zip(shape, found.shape, strict=True)):
            raise RunError(f"{_named(where)} must be {expected}, not {found.dtype} {list(found.shape)}")
        known = found[~numpy.isnan(found)] if nan and kind == "f" else found
        if not ((known >= low) & (known <= high)).all():
            raise RunError(f"{_named(where)} must hold numbers from {low:g} to {high:g}{' or NaN' * nan} alone")

    return check


def _inside(where: str, name: str) -> str:
    return f"{where}{name:.40}" if where.endswith(": ") or not where else f"{where}.{name:.40}"


def _named(where: str) -> str:
    return where.removesuffix(": ") or "the value"


def _refuse(where: str, expected: str, found: Any) -> NoReturn:
    shown = f"{type(found).__name__} of {len(found)}" if isinstance(found, list | dict) else f"{found!r:.60}"
    if isinstance(found, float) and not math.isfinite(found):
        shown = "no finite number"
    raise RunError(f"{_named(where)} must be {expected}, not {shown}")
