"""Schemas of requests, with examples, and fields of the page's forms; both from `Config` and `Options`."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model

from gruworks.settings import Described, Settings
from gruworks.tasks import registry
from gruworks.tasks.forecast.config import Combine, Every, Reading
from gruworks.tasks.generate.verse.forms import VerseOptions

__all__ = ["NAME", "Columns", "ColumnsOf", "Fit", "FitRecordings", "Forecast", "Generate", "Request", "Text", "Trace"]
__all__ += ["Translate", "chosen", "form", "over_http", "request"]


def _readable(text: str) -> str:
    """Text that can be encoded in UTF-8; JSON may hold half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("expected text, got half of a surrogate pair") from None
    if "\0" in text:
        raise ValueError("expected text, got a zero character")
    return text


Text = Annotated[str, AfterValidator(_readable)]
NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,40}$"  # of a run
Name = Annotated[str, Field(max_length=200), AfterValidator(_readable)]
LARGEST = 1e100
MOST: dict[type, float] = {int: 2**31 - 1, float: 1e6}  # a setting over HTTP whose class has no bound
Form: Any = typing.get_type_hints(VerseOptions)["form"]
Pattern: Any = typing.get_type_hints(VerseOptions)["pattern"]
# Options of a task that a request may not set, as continuous batching doesn't support them
EXCLUDED = {"generate": ("repetition_penalty", "stop", "n_samples", "beam_size", "precision")}
T = TypeVar("T", bound=Settings)
Number = Annotated[float, Field(allow_inf_nan=False, ge=-LARGEST, le=LARGEST)]
Seed = Annotated[int, Field(ge=0, le=2**31 - 1)]


def _plain_cells(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of text, numbers and empty values; the check stops at the first other value."""
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
    """Tasks that are fitted to the text of a request; archives have a route of their own."""
    return [one.name for one in registry.TASKS.values() if one.upload and not one.upload.endswith(".zip")]


def _uploadable(task: str) -> str:
    if task not in _fitted_here():
        raise ValueError(f"expected one of {', '.join(_fitted_here())}")
    return task


def _listed(schema: dict[str, Any]) -> None:
    schema["enum"] = _fitted_here()


class Request(BaseModel):
    """Base of all requests: an unknown, such as a misspelt, field is an error."""

    model_config = ConfigDict(extra="forbid", strict=True)


def request(task: str) -> Any:
    """The base of a request to a task: the model's name, and a field for each of its `Options` that isn't `local`.

    A field that isn't given is null: then the options of the model's card hold, else the defaults.
    """
    fields = {one.name: (kind | None, Field(None, **rules)) for one, kind, rules in over_http(task, "Options")}
    name = f"{task.capitalize()}Options"
    return create_model(name, __base__=Request, model=(Name | None, None), **fields)  # type: ignore[call-overload]


def over_http(task: str, kind: str) -> Iterator[tuple[Described, Any, dict[str, Any]]]:
    """Each setting of a task's `Config` or `Options` that a request may have: type in JSON, arguments of `Field`."""
    for one in registry.settings(task, kind).described():
        if one.local or one.name in EXCLUDED.get(task, ()):
            continue
        value, literal = _value_type(one), _is(one, Literal)
        typed = one.hint if literal else Text if value is str else value
        rules = {} if literal else _bounds(one, value)
        if _is(one, tuple):
            typed, rules = list[Annotated[typed, Field(**rules)]], {"max_length": 50}  # type: ignore[valid-type]
        yield one, typed, rules | {"description": str(one)}


def _is(one: Described, origin: Any) -> bool:
    return typing.get_origin(one.hint) is origin


def _value_type(one: Described) -> type:
    """The type of a setting's values, of its items where it is a tuple."""
    found: type = next(part for part in (*typing.get_args(one.hint), one.hint) if part is not types.NoneType)
    return found


def _bounds(one: Described, value: type) -> dict[str, Any]:
    if value is str:
        return {"max_length": 1000}
    if value is bool:
        return {}
    most = MOST[value]
    return {"ge": -most if one.low is None else one.low, "le": most if one.high is None else one.high}


def form(task: str, kind: str, most: dict[str, float]) -> list[dict[str, Any]]:
    """Fields of a form for a task's `Config` or `Options`; the type of a list is that of its items.

    Args:
        most: limits of the server for some of them, by name.
    """
    return [
        {
            "name": one.name, "default": one.default, "low": rules.get("ge"),
            "high": min((high for high in (rules.get("le"), most.get(one.name)) if high is not None), default=None),
            "type": "choice" if _is(one, Literal) else _value_type(one).__name__, "list": _is(one, tuple),
            "choices": typing.get_args(one.hint) if _is(one, Literal) else None, "about": one.sentence,
        }
        for one, _, rules in over_http(task, kind)
    ]  # fmt: skip


def chosen(settings: type[T], given: Iterable[tuple[str, Any]], card: dict[str, Any]) -> T:
    """The settings of a request: its own values, else those of the model's card, else the defaults."""
    names = settings.flat_names()
    own = {n: tuple(v) if isinstance(v, list) else v for n, v in given if v is not None and n in names}
    return settings.from_flat(card | own)


class Columns(Request):
    """Names of the columns by role; one that is not given is guessed, null means none. `every` combines rows."""

    id: Name | None = None
    time: Name | None = None
    target: Name | None = None
    every: Every = Reading.every
    combine: Combine = Reading.combine

    def named(self) -> dict[str, Any]:
        """The names that were given, by role."""
        return self.model_dump(exclude_unset=True, include={"id", "time", "target"})

    def combined(self) -> dict[str, Any]:
        """The settings that combine rows; none where the rows are used as they are."""
        return {} if self.every == Reading.every else {"every": self.every, "combine": self.combine}


class ColumnsOf(Request):
    csv: Text = Field(examples=["date,temp\n2024-01-01,3.1\n2024-01-02,2.4\n2024-01-03,2.9\n"])
    columns: Columns | None = None


class Forecast(Request):
    """A table as `csv` or `rows`; without one the model forecasts from its own history."""

    model: Name | None = None
    csv: Text | None = Field(None, examples=[None])
    rows: Rows | None = None
    columns: Columns | None = None
    horizon: int | None = Field(None, ge=1, examples=[7])
    level: list[Annotated[float, Field(gt=0, lt=100)]] = Field([80.0, 95.0], max_length=10, fail_fast=True)
    backtest: bool = False


class Generate(request("generate")):  # type: ignore[misc]
    """A prompt to continue, or the form of a poem."""

    prompt: Text = Field("", examples=["月"])
    title: Text = Field("", max_length=100)
    form: Form | None = Field(None, examples=[None])
    pattern: Pattern | None = Field(None, description="tonal pattern of a poem", examples=[None])
    rhyme: Annotated[Text, Field(max_length=20)] | None = Field(None, description="rhyme group", examples=[None])
    acrostic: Annotated[Text, Field(max_length=8)] | None = Field(
        None, description="first characters of the lines", examples=[None]
    )
    script: Literal["as-learnt", "traditional", "simplified"] | None = Field(None, examples=[None])
    stream: bool = Field(True, examples=[False])


class Translate(request("translate")):  # type: ignore[misc]
    """A sentence, or several."""

    text: Text | None = Field(None, examples=["I am hungry."])
    texts: Annotated[list[Text], Field(max_length=10_000, fail_fast=True)] | None = Field(None, examples=[None])
    attention: bool = False


class Trace(Request):
    """Numbers or text as input of cells, or of the first GRU of a model.

    With `trained` each cell is trained on other number lines first, which takes seconds; it needs 3 to 12 numbers.
    """

    numbers: Annotated[list[Number], Field(max_length=100_000, fail_fast=True)] | None = Field(
        None, examples=[[1, 2, 3, 4, 5]]
    )
    text: Text | None = Field(None, examples=[None])
    model: Name | None = None
    cells: list[Literal["rnn", "lstm", "gru"]] = Field(["gru"], min_length=1, max_length=3, fail_fast=True)
    hidden: int = Field(8, ge=1, le=64)
    trained: bool = False
    seed: Seed = 0


class Fit(Request):
    """A fit as a job: a table for forecast, a text for generate, lines of source, tab, target for translate."""

    task: Annotated[str, AfterValidator(_uploadable)] = Field("forecast", json_schema_extra=_listed)
    csv: Text | None = Field(None, examples=["date,temp\n2024-01-01,3.1\n2024-01-02,2.4\n2024-01-03,2.9\n"])
    text: Text | None = Field(None, examples=[None])
    columns: Columns | None = None
    settings: dict[str, Any] = Field({}, max_length=50, examples=[{"horizon": 2}])
    name: Annotated[str, Field(pattern=NAME)] | None = Field(None, examples=[None])


class FitRecordings(Request):
    """A fit of an archive of recordings, as a job."""

    task: Literal["transcribe"] = "transcribe"
    columns: None = None
    settings: dict[str, Any] = Field({}, max_length=50)
    name: Annotated[str, Field(pattern=NAME)] | None = None
