"""Docstrings of the public names in docs/api.toml: nothing of arguments, result, errors and example is missing."""

from __future__ import annotations

import doctest
import importlib
import inspect
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

API = Path(__file__).resolve().parents[1] / "docs" / "api.toml"
PAGES = tomllib.loads(API.read_text(encoding="utf-8"))
NAMES = {name: methods for page in PAGES.values() for name, methods in page["names"].items()}

RAISE_NOTHING = {"replace", "GRUWeights.to_state_dict"}


def found(name: str) -> Any:
    module, _, last = name.rpartition(".")
    return getattr(importlib.import_module(module), last)


def sections(text: str) -> dict[str, str]:
    """Text of a docstring by section: "Args", "Returns" and so on."""
    parts = re.split(r"^(Args|Returns|Yields|Raises):\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def parameters(function: Any) -> list[str]:
    """Those that a caller passes by name, without settings, which their class describes."""
    settings = {one.name for one in getattr(function, "fields", ())}
    given = inspect.signature(function).parameters.values()
    named = [one.name for one in given if one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)]
    return [name for name in named if name not in settings | {"self", "cls"}]


def lacking(function: Any, text: str) -> Iterator[str]:
    """What the docstring of a function lacks."""
    told = sections(text)
    args = told.get("Args", "")
    yield from (f"argument {name}" for name in parameters(function) if not re.search(rf"\b{name}\b.*:", args))
    if inspect.signature(function).return_annotation not in (None, "None") and not told.keys() & {"Returns", "Yields"}:
        yield "Returns"
    if "Raises" not in told and function.__qualname__ not in RAISE_NOTHING:
        yield "Raises"


def missing(name: str, methods: list[str]) -> list[str]:
    """What the docstrings of a public name lack."""
    object_ = found(name)
    text = inspect.getdoc(object_) or ""
    if inspect.isclass(object_) and issubclass(object_, Exception):
        return [] if len(text) > 20 else ["its meaning"]
    faults = [] if ">>> " in text else ["an example"]
    if not inspect.isclass(object_):
        return [*faults, *lacking(object_, text)]
    faults += [fault for fault in lacking(object_, text) if fault != "Returns"]
    for method in methods:
        told = inspect.getdoc(getattr(object_, method)) or ""
        faults += [f"{method}: {fault}" for fault in lacking(getattr(object_, method), told)]
    return faults


@pytest.mark.parametrize("name", NAMES)
def test_a_public_name_lacks_nothing(name: str) -> None:
    assert missing(name, NAMES[name]) == []


@pytest.mark.parametrize("name", NAMES)
def test_its_examples_give_what_they_show(name: str) -> None:
    object_ = found(name)
    finder, runner = doctest.DocTestFinder(recurse=False), doctest.DocTestRunner(verbose=False)
    for example in finder.find(object_, name, globs=dict(vars(inspect.getmodule(object_)))):
        runner.run(example)
    assert runner.failures == 0
