"""Commands from functions: flags for the output, and one for each field of a settings class."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from gruworks.app.cli.common.show import Show
from gruworks.errors import OptionError
from gruworks.settings import Described, Settings

__all__ = ["Out", "ReportFolder", "Run", "agree", "command", "flag"]

F = TypeVar("F", bound=Callable[..., Any])
Out = Annotated[
    Path | None, typer.Option(help="Folder to write to; runs/TASK-TIME if not given.", rich_help_panel="Output")
]
ReportFolder = Annotated[
    Path | None, typer.Option(help="Folder to write evaluation.json to.", rich_help_panel="Output")
]
Run = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder, as a fit writes it.", show_default=False)]
OUTPUT = {
    "as_json": Annotated[
        bool, typer.Option("--json", help="Print the result as JSON on standard output.", rich_help_panel="Output")
    ],
    "quiet": Annotated[
        bool,
        typer.Option(
            "--quiet", help="Print no progress and no notes; errors are still printed.", rich_help_panel="Output"
        ),
    ],
    "detailed": Annotated[
        bool, typer.Option("--details", help="Print the technical lines too.", rich_help_panel="Output")
    ],
    "debug": Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.", rich_help_panel="Output")],
}


def command(
    app: typer.Typer, name: str = "", *, json: bool = True, details: bool = False, **options: Any
) -> Callable[[F], F]:
    """Add a function to `app` as a command.

    Its parameter `show` becomes the flags --json, --quiet, --debug and, with `details`, --details, and each parameter
    whose type is a settings class becomes one flag for each field, nested settings' too. Only flags that were given
    replace a default, so the settings class stays the one place of defaults. Where two parameters have a field of one
    name, or a parameter has the name of a field, the first of them is the flag.

    Args:
        name: name of the command; the function's if not given.
        json: False leaves out --json, for a command without a result.
        details: True for a command that has technical lines.
        **options: further options of typer's `command`.
    """

    def decorate(function: F) -> F:
        app.command(name or function.__name__, **options)(_flagged(function, json, details))
        return function

    return decorate


def _flagged(function: Callable[..., None], json: bool, details: bool) -> Callable[..., None]:
    """The function with a signature of arguments and flags, as typer reads it."""
    given = inspect.signature(function, eval_str=True).parameters
    settings = {name: one.annotation for name, one in given.items() if _is_settings(one.annotation)}
    own = {name: one for name, one in given.items() if name != "show" and name not in settings}
    wanted = {"as_json": json, "quiet": True, "detailed": details}
    shown = [name for name in OUTPUT if name == "debug" or ("show" in given and wanted[name])]
    own |= {name: _keyword(name, OUTPUT[name], False) for name in shown}
    fields: dict[str, tuple[str, Described]] = {}
    for parameter, kind in settings.items():
        for one in kind.described():
            if one.name not in own:
                fields.setdefault(one.name, (parameter, one))
    parameters = own | {name: _keyword(name, _annotation(one), None) for name, (_, one) in fields.items()}

    @functools.wraps(function)
    def wrapped(**values: Any) -> None:
        *output, _ = (values.pop(name, False) for name in OUTPUT)
        if "show" in given:
            values["show"] = Show(*output)
        told: dict[str, dict[str, Any]] = {parameter: {} for parameter in settings}
        for name, (parameter, one) in fields.items():
            if (value := values.pop(name)) is not None:
                told[parameter][name] = _parse(one, value)
        function(**values, **{parameter: settings[parameter].from_flat(flags) for parameter, flags in told.items()})

    wrapped.__signature__ = inspect.Signature(list(parameters.values()))  # type: ignore[attr-defined]
    wrapped.__annotations__ = {one.name: one.annotation for one in parameters.values()}
    return wrapped


def agree(given: Settings, saved: Settings, run: Path) -> None:
    """Refuse a flag that contradicts the settings that a run was fitted with."""
    default, told, kept = (settings.flat() for settings in (type(given)(), given, saved))
    for name, value in told.items():
        if value not in (default[name], kept[name]):
            raise OptionError(f"{run} was fitted with {name} {kept[name]}, not {value}: leave the flag out or fit anew")


def flag(name: str) -> str:
    """The flag of a setting."""
    return "--" + name.replace("_", "-")


def _is_settings(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Settings)


def _keyword(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def _annotation(one: Described) -> Any:
    """The annotation of a setting's flag: its type, names and help."""
    default = ",".join(map(str, one.default)) if isinstance(one.default, tuple) else one.default
    help_text = one.sentence if default in (None, "") else f"{one.sentence} (default: {default})"
    name = flag(one.name)
    names = [f"{name}/--no-{name[2:]}"] if one.hint is bool else [name]
    option = typer.Option(*names, help=help_text, show_default=False, rich_help_panel=one.panel)
    return Annotated[_flag_type(one.hint), option]


def _flag_type(hint: Any) -> Any:
    """A type that typer can parse: a choice stays a choice, a tuple is given as text with commas."""
    if any(_tuples(hint)):
        return str | None
    if typing.get_origin(hint) is typing.Literal:
        return hint | None
    kinds = [part for part in (typing.get_args(hint) or (hint,)) if part is not type(None)]
    return kinds[0] | None


def _tuples(hint: Any) -> Iterator[Any]:
    """The tuple types among a type and its parts."""
    return (part for part in (hint, *typing.get_args(hint)) if typing.get_origin(part) is tuple)


def _parse(one: Described, value: Any) -> Any:
    kind = next(_tuples(one.hint), None)
    if kind is None:
        return value
    item = typing.get_args(kind)[0]
    try:
        return tuple(item(part) for part in value.split(",") if part.strip())
    except ValueError:
        text = f"{value!r} is not a list of {item.__name__} separated by commas"
        raise typer.BadParameter(text, param_hint=flag(one.name)) from None
