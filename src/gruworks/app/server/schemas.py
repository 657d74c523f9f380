"""Schemas of requests, with examples: checked before any model sees them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

__all__ = ["Columns", "ColumnsOf", "Fit", "Forecast", "Generate", "Trace", "Translate"]


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


class Request(BaseModel):
    """Base: an unknown field is an error, so that a misspelt one doesn't pass silently."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Columns(Request):
    """Which column is what; a missing one is guessed."""

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


class Generate(Request):
    model: Name | None = None
    prompt: Text = Field("", examples=["月"])
    title: Text = Field("", max_length=100)
    length: int | None = Field(None, ge=1, examples=[40])
    temperature: float = Field(0.8, ge=0, le=10)
    top_k: int = Field(0, ge=0, le=1_000_000)
    top_p: float = Field(1.0, ge=0, le=1)
    min_p: float = Field(0.0, ge=0, le=1)
    seed: Seed | None = None
    form: Literal["jueju5", "jueju7", "lushi5", "lushi7"] | None = Field(None, examples=[None])
    stream: bool = Field(True, examples=[False])


class Translate(Request):
    model: Name | None = None
    text: Text | None = Field(None, examples=["I am hungry."])
    texts: Annotated[list[Text], Field(max_length=10_000, fail_fast=True)] | None = Field(None, examples=[None])
    beam_size: int = Field(5, ge=1)
    length_penalty: float | None = Field(None, ge=0, le=5, examples=[None])
    n_best: int = Field(1, ge=1)
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

    task: Literal["forecast", "generate", "translate"] = "forecast"
    csv: Text | None = Field(None, examples=["date,temp\n2024-01-01,3.1\n2024-01-02,2.4\n2024-01-03,2.9\n"])
    text: Text | None = Field(None, examples=[None])
    columns: Columns | None = None
    settings: dict[str, Any] = Field({}, max_length=50, examples=[{"horizon": 2}])
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,40}$")] | None = Field(None, examples=[None])
