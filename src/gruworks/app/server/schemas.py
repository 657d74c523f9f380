"""Schemas of requests, with examples: checked before any model sees them."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model

from gruworks.settings import Described, Settings
from gruworks.tasks import registry
from gruworks.tasks.generate.config import Options as GenerateOptions
from gruworks.tasks.generate.verse.forms import VerseOptions
from gruworks.tasks.translate.config import Options as TranslateOptions

__all__ = [
    "Columns",
    "ColumnsOf",
    "Fit",
    "Forecast",
    "Generate",
    "Request",
    "Text",
    "Trace",
    "Translate",
    "chosen",
    "over_http",
    "request",
]


def _readable(text: str) -> str:
    """Text that can be written as UTF-8: JSON can smuggle in half a character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("expected text, got half of a surrogate pair") from None
    if "\0" in text:
        raise ValueError("expected text, got a zero character")
    return text


Text = Annotated[str, AfterValidator(_readable)]
Name = Annotated[str, Field(max_length=200), AfterValidator(_readable)]
LARGEST = 1e100
MOST: dict[type, float] = {int: 2**31 - 1, float: 1e6}  # a setting over HTTP whose class has no bound
Form: Any = typing.get_type_hints(VerseOptions)["form"]
CONTINUOUS = ("length", "temperature", "top_k", "top_p", "min_p", "seed")  # what texts written side by side may vary
RESOURCES = ("fast", "batch")  # of a translation: memory and time of the machine
T = TypeVar("T", bound=Settings)
Number = Annotated[float, Field(allow_inf_nan=False, ge=-LARGEST, le=LARGEST)]
Seed = Annotated[int, Field(ge=0, le=2**31 - 1)]


def _plain_cells(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of text, numbers and empty values; the first other one ends the check."""
    for number, row in enumerate(rows, 1):
        for name, value in row.items():
            _readable(name)
            if isinstance(value, str):
                _readable(value)
            elif value is not None and (type(value) not in (int, float) or not abs(value) <= LARGEST):
                raise ValueError(f"row {number}: expected text, a number up to {LARGEST:g} or nothing in {name:.80}")
    return rows


Rows = Annotated[list[dict[str, Any]], Field(fail_fast=True), AfterValidator(_plain_cells)]


def _fitted_here() -> list[str]:
    return [one.name for one in registry.TASKS.values() if one.upload]


def _uploadable(task: str) -> str:
    if task not in _fitted_here():
        raise ValueError(f"expected one of {', '.join(_fitted_here())}")
    return task


def _listed(schema: dict[str, Any]) -> None:
    schema["enum"] = _fitted_here()


class Request(BaseModel):
    """Base: an unknown field is an error, so that a misspelt one doesn't pass silently."""

    model_config = ConfigDict(extra="forbid", strict=True)


def request(settings: type[Settings], *, only: Iterable[str] | None = None, but: Iterable[str] = ()) -> Any:
    """The base of a request: the model's name, and a field for each setting that isn't `local`.

    A field that isn't given is null: what the model's card says then holds, else the default of the settings class.
    """
    fields = {one.name: (kind | None, Field(None, **rules)) for one, kind, rules in over_http(settings, only, but)}
    return create_model(
        f"{settings.__module__}.{settings.__name__}", __base__=Request, model=(Name | None, None), **fields
    )  # type: ignore[call-overload]


def over_http(
    settings: type[Settings], only: Iterable[str] | None = None, but: Iterable[str] = ()
) -> Iterator[tuple[Described, Any, dict[str, Any]]]:
    """Each setting that a request may have, its type in JSON, and the arguments of its `Field`."""
    for one in settings.described():
        if one.local or one.name in but or (only is not None and one.name not in only):
            continue
        parts = [part for part in (typing.get_args(one.hint) or (one.hint,)) if part is not types.NoneType]
        literal = typing.get_origin(one.hint) is Literal
        kind = one.hint if literal else Text if parts[0] is str else parts[0]
        rules: dict[str, Any] = {} if literal else _bounds(one, parts[0])
        if typing.get_origin(one.hint) is tuple:
            kind, rules = list[Annotated[kind, Field(**rules)]], {"max_length": 50}  # type: ignore[valid-type]
        yield one, kind, rules | {"description": str(one)}


def _bounds(one: Described, kind: type) -> dict[str, Any]:
    if kind is str:
        return {"max_length": 1000}
    if kind is bool:
        return {}
    most = MOST[kind]
    return {"ge": -most if one.low is None else one.low, "le": most if one.high is None else one.high}


def chosen(settings: type[T], given: Iterable[tuple[str, Any]], card: dict[str, Any]) -> T:
    """The settings of a request: what it gives, else what the model's card says, else the defaults."""
    names = settings.flat_names()
    told = {n: tuple(v) if isinstance(v, list) else v for n, v in given if v is not None and n in names}
    return settings.from_flat(card | told)


class Columns(Request):
    """Roles of columns; a missing one is guessed."""

    id: Name | None = None
    time: Name | None = None
    target: Name | None = None


class ColumnsOf(Request):
    csv: Text = Field(examples=["date,temp\n2024-01-01,3.1\n2024-01-02,2.4\n2024-01-03,2.9\n"])


class Forecast(Request):
    """A table, or neither `csv` nor `rows`: then the model goes on from its own history."""

    model: Name | None = None
    csv: Text | None = Field(None, examples=[None])
    rows: Rows | None = None
    columns: Columns | None = None
    horizon: int | None = Field(None, ge=1, examples=[7])
    level: list[Annotated[float, Field(gt=0, lt=100)]] = Field([80.0, 95.0], max_length=10, fail_fast=True)
    backtest: bool = False


class Generate(request(GenerateOptions, only=CONTINUOUS)):  # type: ignore[misc]
    """A prompt to go on from, or the form of a poem."""

    prompt: Text = Field("", examples=["月"])
    title: Text = Field("", max_length=100)
    form: Form | None = Field(None, examples=[None])
    stream: bool = Field(True, examples=[False])


class Translate(request(TranslateOptions, but=RESOURCES)):  # type: ignore[misc]
    """A sentence, or several."""

    text: Text | None = Field(None, examples=["I am hungry."])
    texts: Annotated[list[Text], Field(max_length=10_000, fail_fast=True)] | None = Field(None, examples=[None])
    attention: bool = False


class Trace(Request):
    """Numbers, or text; read by fresh cells, or by the first unit of a model."""

    numbers: Annotated[list[Number], Field(max_length=100_000, fail_fast=True)] | None = Field(
        None, examples=[[1, 2, 3, 4, 5]]
    )
    text: Text | None = Field(None, examples=[None])
    model: Name | None = None
    cells: list[Literal["rnn", "lstm", "gru"]] = Field(["gru"], min_length=1, max_length=3, fail_fast=True)
    hidden: int = Field(8, ge=1, le=64)
    seed: Seed = 0


class Fit(Request):
    """A fit as a job: a table for forecast, a text for generate, source<TAB>target lines for translate."""

    task: Annotated[str, AfterValidator(_uploadable)] = Field("forecast", json_schema_extra=_listed)
    csv: Text | None = Field(None, examples=["date,temp\n2024-01-01,3.1\n2024-01-02,2.4\n2024-01-03,2.9\n"])
    text: Text | None = Field(None, examples=[None])
    columns: Columns | None = None
    settings: dict[str, Any] = Field({}, max_length=50, examples=[{"horizon": 2}])
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,40}$")] | None = Field(None, examples=[None])
