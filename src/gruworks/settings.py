"""Settings: frozen dataclasses whose fields carry a sentence and a range, to JSON and back, checked.

    @dataclass(frozen=True)
    class FitSettings(Settings):
        steps: int = setting(1000, "optimiser steps at most", low=1)

One description serves the command line's flags, the page's forms, the run folder's JSON and the error text.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import textwrap
import types
import typing
from collections.abc import Iterable
from typing import Any, NamedTuple, Self, TypeVar

from gruworks.errors import OptionError

__all__ = ["Described", "Settings", "listed", "setting", "shown_type"]

T = TypeVar("T")
WIDTH = 112  # of a line in a docstring; a stub indents it by eight


class Described(NamedTuple):
    """One setting as data: what flags, forms, schemas, signatures and docstrings are made from."""

    name: str
    hint: Any
    default: Any
    sentence: str
    low: float | None
    high: float | None
    local: bool

    @classmethod
    def of(cls, field: dataclasses.Field[Any], name: str, hint: Any) -> Described:
        """A field of a settings class; while that is being made, the field doesn't know its name and type yet."""
        made, told = field.default_factory, field.metadata
        default = field.default if made is dataclasses.MISSING else made()
        sentence, local = str(told.get("sentence", name)), bool(told.get("local"))
        return cls(name, hint, default, sentence, told.get("low"), told.get("high"), local)

    def __str__(self) -> str:
        """Name, type, default, sentence and range, as an entry of an `Args:` section."""
        bounds = "" if self.low is None and self.high is None else f"; {_range(self.low, self.high)}"
        return f"{self.name} ({shown_type(self.hint)}, default {self.default!r}): {self.sentence}{bounds}"


def setting(
    default: T, sentence: str, low: float | None = None, high: float | None = None, *, local: bool = False
) -> T:
    """A dataclass field with a default, one sentence of help and, for numbers, inclusive bounds.

    A `local` one names files of the machine or takes its memory, threads or time: server and page never take it.
    """
    metadata = {"sentence": sentence, "low": low, "high": high, "local": local}
    # dataclasses.field returns a Field and is typed as the default's type; so is this.
    if isinstance(default, list | dict | set) or dataclasses.is_dataclass(default):
        return dataclasses.field(default_factory=lambda: default, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def listed(text: str, fields: Iterable[Described]) -> str:
    """A docstring with an entry a field in its `Args:` section, which is begun where there is none."""
    lines = "\n".join(
        textwrap.fill(str(one), WIDTH, initial_indent=" " * 4, subsequent_indent=" " * 8, break_on_hyphens=False)
        for one in fields
    )
    before, raises, after = inspect.cleandoc(text).partition("\nRaises:\n")
    begun = "\n" if "\nArgs:\n" in before else "\n\nArgs:\n"
    return f"{before.rstrip()}{begun}{lines}\n" + (f"\n{raises.lstrip()}{after}" if raises else "")


@dataclasses.dataclass(frozen=True)
class Settings:
    """Base of every settings class: checked when made, equal by value, to JSON and back."""

    def __init_subclass__(cls, **keywords: Any) -> None:
        """List the fields in the docstring; the dataclass decorator comes later, and its bases have been through it."""
        super().__init_subclass__(**keywords)
        known = {name: (field, field.type) for name, field in getattr(cls, "__dataclass_fields__", {}).items()}
        hints = inspect.get_annotations(cls)
        known |= {n: (f, hints[n]) for n, f in vars(cls).items() if isinstance(f, dataclasses.Field) and n in hints}
        cls.__doc__ = listed(vars(cls).get("__doc__") or "", [Described.of(f, n, h) for n, (f, h) in known.items()])

    def __post_init__(self) -> None:
        hints = typing.get_type_hints(type(self))
        for field in dataclasses.fields(self):
            _check(type(self).__name__, field, getattr(self, field.name), hints[field.name])

    def to_dict(self) -> dict[str, Any]:
        """Plain types only, nested settings as nested dicts."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """The reverse of `to_dict`. An unknown name is refused with the names that there are."""
        if not isinstance(values, dict):
            raise OptionError(f"{cls.__name__} needs an object of named values, not {values!r}")
        known = {field.name: field for field in dataclasses.fields(cls)}
        for name in values:
            if name not in known:
                raise OptionError(f"{cls.__name__} has no setting {name!r}; it has: {', '.join(sorted(known))}")
        hints = typing.get_type_hints(cls)
        return cls(**{name: _restore(hints[name], value) for name, value in values.items()})

    @classmethod
    def from_flat(cls, values: dict[str, Any]) -> Self:
        """From names alone, nested settings' names among them, as flags and keyword arguments give them."""
        unknown = sorted(set(values) - cls.flat_names())
        if unknown:
            names = ", ".join(sorted(cls.flat_names()))
            raise OptionError(f"{cls.__name__} has no setting {', '.join(unknown)}; it has: {names}")
        return cls._from_known(values)

    @classmethod
    def described(cls) -> list[Described]:
        """Every setting, those of nested settings in their place."""
        hints, found = typing.get_type_hints(cls), list[Described]()
        for field in dataclasses.fields(cls):
            hint = hints[field.name]
            found += hint.described() if _is_settings(hint) else [Described.of(field, field.name, hint)]
        return found

    @classmethod
    def flat_names(cls) -> set[str]:
        """Every setting's name, nested ones included."""
        return {one.name for one in cls.described()}

    @classmethod
    def local_names(cls) -> set[str]:
        """The names among them that are marked `local`."""
        return {one.name for one in cls.described() if one.local}

    @classmethod
    def _from_known(cls, values: dict[str, Any]) -> Self:
        hints = typing.get_type_hints(cls)
        own = {name: value for name, value in values.items() if name in hints}
        nested = {name: hint._from_known(values) for name, hint in hints.items() if _is_settings(hint)}
        return cls(**own, **nested)

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        try:
            values = json.loads(text)
        except ValueError as error:
            raise OptionError(f"{cls.__name__} is not valid JSON: {error}") from error
        return cls.from_dict(values)


def _is_settings(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Settings)


def _restore(hint: Any, value: Any) -> Any:
    """JSON has lists and objects; give back tuples and nested settings."""
    if _is_settings(hint) and isinstance(value, dict):
        return hint.from_dict(value)
    return tuple(value) if isinstance(value, list) else value


def _check(owner: str, field: dataclasses.Field[Any], value: Any, hint: Any) -> None:
    if not _is_a(hint, value):
        raise OptionError(f"{owner}.{field.name} must be {_name(hint)}, not {value!r} ({_sentence(field)})")
    low, high = field.metadata.get("low"), field.metadata.get("high")
    for number in value if isinstance(value, tuple) else (value,):
        if isinstance(number, int | float) and not isinstance(number, bool):
            below = low is not None and not number >= low
            above = high is not None and not number <= high
            if below or above or number != number:
                raise OptionError(
                    f"{owner}.{field.name} must be {_range(low, high)}, not {value!r} ({_sentence(field)})"
                )


def _is_a(hint: Any, value: Any) -> bool:
    origin = typing.get_origin(hint)
    if origin is typing.Literal:
        return any(value == choice and type(value) is type(choice) for choice in typing.get_args(hint))
    if origin in (typing.Union, types.UnionType):
        return any(_is_a(part, value) for part in typing.get_args(hint))
    if origin is tuple:
        return isinstance(value, tuple) and all(_is_a(typing.get_args(hint)[0], item) for item in value)
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return hint is Any or isinstance(value, hint)


def _name(hint: Any) -> str:
    if typing.get_origin(hint) is typing.Literal:
        return "one of " + ", ".join(repr(choice) for choice in typing.get_args(hint))
    return getattr(hint, "__name__", None) if isinstance(hint, type) else str(hint)  # type: ignore[return-value]


def shown_type(hint: Any) -> str:
    """A type as source code writes it."""
    return hint.__name__ if isinstance(hint, type) else str(hint).replace("typing.", "")


def _range(low: float | None, high: float | None) -> str:
    if low is None:
        return "a number" if high is None else f"at most {high}"
    return f"at least {low}" if high is None else f"between {low} and {high}"


def _sentence(field: dataclasses.Field[Any]) -> str:
    return str(field.metadata.get("sentence", field.name))
