"""Flags: the four that every command has, and those made from a settings class."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from gruworks.errors import OptionError
from gruworks.settings import Settings

__all__ = ["Debug", "Json", "Out", "Quiet", "agree", "takes"]

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress and no notes; errors still show.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
Out = Annotated[Path | None, typer.Option("--out", help="Folder to write to; runs/TASK-TIME if not given.")]


def takes(settings: type[Settings], into: str = "config") -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command one flag for each field of `settings`, nested settings' too, and pass it the built object.

    Only flags that were given replace a default, so the settings class stays the one place of defaults. The
    command may declare a flag of its own under a field's name; the field then has none.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = inspect.signature(command, eval_str=True).parameters
        fields = {name: parameter for name, parameter, _ in _parameters(settings) if name not in own}
        hints = {name: hint for name, _, hint in _parameters(settings)}

        @functools.wraps(command)
        def wrapped(**values: Any) -> None:
            given = {name: values.pop(name) for name in fields}
            given = {name: _parse(name, hints[name], value) for name, value in given.items() if value is not None}
            command(**values, **{into: settings.from_flat(given)})

        parameters = [p for name, p in own.items() if name != into] + list(fields.values())
        wrapped.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        wrapped.__annotations__ = {p.name: p.annotation for p in parameters}
        return wrapped

    return decorate


def agree(given: Settings, saved: Settings, run: Path) -> None:
    """A run keeps its settings: a flag that says otherwise is refused, one that says the same is not."""
    default, told, kept = (_flat(settings.to_dict()) for settings in (type(given)(), given, saved))
    for name, value in told.items():
        if value not in (default[name], kept[name]):
            raise OptionError(f"{run} was fitted with {name} {kept[name]}, not {value}: leave the flag out or fit anew")


def _flat(values: dict[str, Any]) -> dict[str, Any]:
    """Nested settings' names among the others."""
    return {name: value for name, value in values.items() if not isinstance(value, dict)} | {
        name: value for nested in values.values() if isinstance(nested, dict) for name, value in nested.items()
    }


def _parameters(settings: type[Settings]) -> typing.Iterator[tuple[str, inspect.Parameter, Any]]:
    for one in settings.described():
        help_text = f"{one.sentence} (default: {_shown(one.default)})"
        flag = "--" + one.name.replace("_", "-")
        names = [f"{flag}/--no-{flag[2:]}"] if one.hint is bool else [flag]
        annotation: Any = Annotated[_flag_type(one.hint), typer.Option(*names, help=help_text, show_default=False)]
        kind = inspect.Parameter.KEYWORD_ONLY
        yield one.name, inspect.Parameter(one.name, kind, default=None, annotation=annotation), one.hint


def _shown(default: Any) -> str:
    if default is None:
        return "none"
    return ",".join(map(str, default)) if isinstance(default, tuple) else str(default)


def _flag_type(hint: Any) -> Any:
    """A type that typer can parse: a choice stays a choice, a tuple is given as text with commas."""
    if typing.get_origin(hint) is tuple or any(typing.get_origin(part) is tuple for part in typing.get_args(hint)):
        return str | None
    if typing.get_origin(hint) is typing.Literal:
        return hint | None
    kinds = [part for part in (typing.get_args(hint) or (hint,)) if part is not type(None)]
    return kinds[0] | None


def _parse(name: str, hint: Any, value: Any) -> Any:
    tuples = [part for part in (hint, *typing.get_args(hint)) if typing.get_origin(part) is tuple]
    if not tuples or not isinstance(value, str):
        return value
    item = typing.get_args(tuples[0])[0]
    try:
        return tuple(item(part) for part in value.split(",") if part.strip())
    except ValueError:
        flag = "--" + name.replace("_", "-")
        text = f"{value!r} is not a list of {item.__name__} with commas between"
        raise typer.BadParameter(text, param_hint=flag) from None
