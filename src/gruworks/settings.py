"""Settings classes: frozen dataclasses whose fields have a help sentence and a range, checked on construction.

    @dataclass(frozen=True)
    class FitSettings(Settings):
        steps: int = setting(1000, "maximum number of optimizer steps", low=1)

Command-line flags, forms of the page, schemas of the server, signatures and error messages are generated from them.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import math
import re
import textwrap
import types
import typing
from collections.abc import Iterable
from typing import Any, ClassVar, NamedTuple, Self, TypeVar

from gruworks.errors import OptionError

__all__ = ["Described", "Settings", "listed", "setting", "shown_type"]

T = TypeVar("T")
WIDTH = 112  # of a line in a docstring, which a stub indents by eight


class Described(NamedTuple):
    """Description of one setting, from which flags, forms, schemas, signatures and docstrings are generated."""

    name: str
    hint: Any
    default: Any
    sentence: str
    low: float | None
    high: float | None
    local: bool
    panel: str = "Model"

    @classmethod
    def of(cls, field: dataclasses.Field[Any], name: str, hint: Any, panel: str = "Model") -> Described:
        """Description of a field of a settings class, which may not know its name and type yet."""
        made, told = field.default_factory, field.metadata
        default = field.default if made is dataclasses.MISSING else made()
        sentence, local = str(told.get("sentence", name)), bool(told.get("local"))
        return cls(name, hint, default, sentence, told.get("low"), told.get("high"), local, panel)

    def check(self, owner: str, value: Any) -> None:
        """Refuse a value of another type or beyond the range, for a setting of the class `owner`.

        Raises:
            OptionError: the value is refused; states the setting, what was expected, and the value.
        """
        expected = None if _is_a(self.hint, value) else _name(self.hint)
        low, high = (-math.inf if self.low is None else self.low), (math.inf if self.high is None else self.high)
        for number in value if isinstance(value, tuple) else (value,):
            if _is_a(float, number) and not low <= number <= high:
                expected = expected or _range(self.low, self.high)
        if expected is not None:
            raise OptionError(f"{owner}.{self.name} must be {expected}, not {value!r} ({self.sentence})")

    def __str__(self) -> str:
        """Name, type, default, sentence and range, as an entry of an `Args:` section."""
        bounds = "" if self.low is None and self.high is None else f"; {_range(self.low, self.high)}"
        return f"{self.name} ({shown_type(self.hint)}, default {self.default!r}): {self.sentence}{bounds}"


def setting(
    default: T, sentence: str, low: float | None = None, high: float | None = None, *, local: bool = False
) -> T:
    """A dataclass field with a default, one help sentence and, for numbers, inclusive bounds.

    Args:
        local: True for settings that name files of the machine or use its memory, threads or time, which server and
            page never accept.
    """
    metadata = {"sentence": sentence, "low": low, "high": high, "local": local}
    # dataclasses.field returns a Field and is typed as the default's type; so is this.
    if isinstance(default, list | dict | set) or dataclasses.is_dataclass(default):
        return dataclasses.field(default_factory=lambda: default, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def listed(text: str, fields: Iterable[Described]) -> str:
    """The docstring `text` with an entry for each field in its `Args:` section, which is added if there is none."""
    lines = "\n".join(
        textwrap.fill(str(one), WIDTH, initial_indent=" " * 4, subsequent_indent=" " * 8, break_on_hyphens=False)
        for one in fields
    )
    text = inspect.cleandoc(text)
    following = re.search(r"^(Returns|Raises):\n", text, re.MULTILINE)
    end = following.start() if following else len(text)
    before, rest = text[:end].rstrip(), text[end:]
    begun = "\n" if "\nArgs:\n" in before else "\n\nArgs:\n"
    return f"{before}{begun}{lines}\n" + (f"\n{rest}" if rest else "")


@dataclasses.dataclass(frozen=True)
class Settings:
    """Base of all settings classes: checked on construction, equal by value, converted to and from plain values."""

    given: ClassVar[frozenset[str] | None] = None  # of an object of `from_flat`: names of its values
    panel: ClassVar[str] = "Model"  # heading of the flags in the command line's help
    panels: ClassVar[dict[str, str]] = {}  # other headings, by the setting's name

    def __init_subclass__(cls, **keywords: Any) -> None:
        """List the fields, inherited ones included, in the docstring of the class."""
        super().__init_subclass__(**keywords)
        known = {name: (field, field.type) for name, field in getattr(cls, "__dataclass_fields__", {}).items()}
        hints = inspect.get_annotations(cls)
        known |= {n: (f, hints[n]) for n, f in vars(cls).items() if isinstance(f, dataclasses.Field) and n in hints}
        cls.__doc__ = listed(vars(cls).get("__doc__") or "", [Described.of(f, n, h) for n, (f, h) in known.items()])

    def __post_init__(self) -> None:
        for one in self._own():
            one.check(type(self).__name__, getattr(self, one.name))

    def to_dict(self) -> dict[str, Any]:
        """All settings as plain values, nested settings as nested dicts."""
        return dataclasses.asdict(self)

    def flat(self) -> dict[str, Any]:
        """All settings as plain values, those of nested settings among the others."""
        own = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        nested = [value.flat() for value in own.values() if isinstance(value, Settings)]
        return functools.reduce(dict.__or__, nested, {k: v for k, v in own.items() if not isinstance(v, Settings)})

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Settings from the values of `to_dict`, after JSON or not; absent ones have their defaults.

        Raises:
            OptionError: an unknown name, or a value that the setting can't have.
        """
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
        """Settings from one dict in which those of nested settings stand among the others, as flags give them.

        Raises:
            OptionError: an unknown name, or a value that the setting can't have.
        """
        unknown = sorted(set(values) - cls.flat_names())
        if unknown:
            names = ", ".join(sorted(cls.flat_names()))
            raise OptionError(f"{cls.__name__} has no setting {', '.join(unknown)}; it has: {names}")
        return cls._from_known(values)._with_given(values)

    @classmethod
    def described(cls) -> list[Described]:
        """Descriptions of all settings, with those of nested settings in their place."""
        return [part for one in cls._own() for part in (one.hint.described() if _is_settings(one.hint) else [one])]

    @classmethod
    def flat_names(cls) -> set[str]:
        """Names of all settings, nested ones included."""
        return {one.name for one in cls.described()}

    @classmethod
    def local_names(cls) -> set[str]:
        """Names of the settings that are marked `local`."""
        return {one.name for one in cls.described() if one.local}

    @classmethod
    def _own(cls) -> list[Described]:
        """Descriptions of the fields of this class; a nested settings class is one of them."""
        hints = typing.get_type_hints(cls)
        return [
            Described.of(field, field.name, hints[field.name], cls.panels.get(field.name, cls.panel))
            for field in dataclasses.fields(cls)
        ]

    def suggested(self, **values: Any) -> Self:
        """A copy with these values in place of settings that `from_flat` was not given; other objects stay as made."""
        if self.given is None:
            return self
        new = {name: value for name, value in values.items() if name not in self.given}
        return self._from_known(self.flat() | new)._with_given(self.given)

    def _with_given(self, names: Iterable[str]) -> Self:
        for one in (self, *vars(self).values()):
            if isinstance(one, Settings):
                object.__setattr__(one, "given", frozenset(names))
        return self

    @classmethod
    def _from_known(cls, values: dict[str, Any]) -> Self:
        hints = typing.get_type_hints(cls)
        own = {name: value for name, value in values.items() if name in hints}
        nested = {name: hint._from_known(values) for name, hint in hints.items() if _is_settings(hint)}
        return cls(**own, **nested)


def _is_settings(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Settings)


def _restore(hint: Any, value: Any) -> Any:
    """A value of a JSON file: lists as tuples, objects as nested settings."""
    if _is_settings(hint) and isinstance(value, dict):
        return hint.from_dict(value)
    return tuple(value) if isinstance(value, list) else value


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
    """A type as it is written in source code."""
    return hint.__name__ if isinstance(hint, type) else str(hint).replace("typing.", "")


def _range(low: float | None, high: float | None) -> str:
    if low is None:
        return "a number" if high is None else f"at most {high}"
    return f"at least {low}" if high is None else f"between {low} and {high}"
