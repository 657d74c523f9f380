"""Validation of values read from files, by composable checks.

    codec = record(rate=optional(whole(1_000, 192_000)), texts=items(string()))
    codec({"rate": -1, "texts": []}, "codec.json: ")   # RunError: codec.json: rate must be ..., not -1

A check is a function of a value and of its name in error messages; it raises RunError for an invalid value.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, NoReturn

import numpy

from gruworks.errors import RunError

__all__ = [
    "Check", "array", "choice", "either", "flag", "items", "mapping", "maybe", "named", "number", "optional", "record",
    "string", "value", "whole",
]  # fmt: skip

Check = Callable[[Any, str], None]
LARGE = 1e300  # larger numbers overflow in sums


def _checked(expected: str, accepts: Callable[[Any], bool]) -> Check:
    def check(found: Any, where: str) -> None:
        if not accepts(found):
            _refuse(where, expected, found)

    return check


def whole(low: int, high: int) -> Check:
    """An integer from `low` to `high`."""
    return _checked(f"a whole number from {low} to {high}", lambda found: type(found) is int and low <= found <= high)


def number(low: float = -LARGE, high: float = LARGE) -> Check:
    """Check of a finite number from `low` to `high`."""
    expected = f"a number from {low:g} to {high:g}"
    return _checked(expected, lambda found: type(found) in (int, float) and low <= found <= high)


def string(most: int = 10_000_000) -> Check:
    """A string of at most `most` characters."""
    return _checked(f"a text of at most {most} characters", lambda found: isinstance(found, str) and len(found) <= most)


def choice(*choices: Any) -> Check:
    """One of the given values, of the same type."""
    known = [(type(one), one) for one in choices]
    return _checked(f"one of {', '.join(map(repr, choices))}", lambda found: (type(found), found) in known)


flag = choice(True, False)


def value(found: Any, where: str) -> None:
    """Any JSON value."""


def optional(check: Check) -> Check:
    """None, or a value that passes `check`."""
    return lambda found, where: None if found is None else check(found, where)


def either(*checks: Check) -> Check:
    """A value that passes one of the checks; otherwise the last one raises its error."""

    def check(found: Any, where: str) -> None:
        for one in checks[:-1]:
            try:
                return one(found, where)
            except RunError:
                pass
        return checks[-1](found, where)

    return check


def items(check: Check, least: int = 0, most: int = 10_000_000) -> Check:
    """A list of `least` to `most` items, each of which passes `check`."""

    def check_all(found: Any, where: str) -> None:
        if not isinstance(found, list) or not least <= len(found) <= most:
            _refuse(where, f"a list of {least} to {most} items", found)
        for number, one in enumerate(found):
            check(one, f"{where}[{number}]")

    return check_all


def mapping(check: Check) -> Check:
    """An object with any names, each of whose values passes `check`."""

    def check_all(found: Any, where: str) -> None:
        if not isinstance(found, dict):
            _refuse(where, "an object of named values", found)
        for name, one in found.items():
            check(one, _inside(where, name))

    return check_all


class maybe(NamedTuple):  # noqa: N801  (used like the functions around it)
    """A field of `record` that may be missing."""

    check: Check


def record(**fields: Check | maybe) -> Check:
    """An object with exactly these fields; those marked `maybe` may be missing."""
    return named(fields)


def named(fields: Mapping[str, Check | maybe], others: bool = False) -> Check:
    """As `record`, with the fields as a mapping; `others` allows further fields."""

    def check_all(found: Any, where: str) -> None:
        if not isinstance(found, dict):
            _refuse(where, "an object of named values", found)
        missing = [name for name, check in fields.items() if name not in found and not isinstance(check, maybe)]
        unknown = [] if others else [name for name in found if name not in fields]
        if missing or unknown:
            faults = [f"lacks {', '.join(missing)}"] * bool(missing)
            faults += [f"has unknown fields {', '.join(f'{name:.40}' for name in unknown[:5])}"] * bool(unknown)
            raise RunError(f"{_named(where)} {' and '.join(faults)}")
        for name, check in fields.items():
            if name in found:
                (check.check if isinstance(check, maybe) else check)(found[name], _inside(where, name))

    return check_all


def array(kind: str, *shape: int | None, low: float = -LARGE, high: float = LARGE, nan: bool = False) -> Check:
    """An array of floats ("f") or integers ("i") with values from `low` to `high`.

    Args:
        kind: kind of its dtype.
        shape: its shape; None accepts any size.
        low: smallest value.
        high: largest value.
        nan: accept NaN.
    """
    names = {"f": "floats", "i": "integers"}
    expected = f"{names[kind]} [{', '.join('*' if size is None else str(size) for size in shape)}]"

    def check(found: Any, where: str) -> None:
        fits = found.dtype.kind == kind and found.ndim == len(shape)
        if not fits or any(size not in (None, real) for size, real in zip(shape, found.shape, strict=True)):
            raise RunError(f"{_named(where)} must be {expected}, not {found.dtype} {list(found.shape)}")
        known = found[~numpy.isnan(found)] if nan and kind == "f" else found
        if not ((known >= low) & (known <= high)).all():
            raise RunError(f"{_named(where)} must hold only numbers from {low:g} to {high:g}{' or NaN' * nan}")

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
