"""Signatures and docstrings that list the fields of a settings class, for `help`, editors and stubs."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from gruworks.settings import Settings, listed

__all__ = ["sign", "takes"]

F = TypeVar("F", bound=Callable[..., Any])


def takes(settings: type[Settings]) -> Callable[[F], F]:
    """Decorator of methods whose `**keywords` are the fields of `settings`: signature and docstring list them."""

    def mark(method: F) -> F:
        sign(method, settings)
        method.__doc__ = listed(method.__doc__ or "", method.fields)  # type: ignore[attr-defined]
        return method

    return mark


def sign(function: Any, settings: type[Settings]) -> None:
    """Replace `**keywords` in the signature of a function by the fields of `settings`.

    Fields with the name of another parameter of the function are left out.
    """
    signature = inspect.signature(function)
    kept = [one for one in signature.parameters.values() if one.kind != inspect.Parameter.VAR_KEYWORD]
    function.fields = [one for one in settings.described() if one.name not in signature.parameters]
    made = [
        inspect.Parameter(one.name, inspect.Parameter.KEYWORD_ONLY, default=one.default, annotation=one.hint)
        for one in function.fields
    ]
    function.__signature__ = signature.replace(parameters=kept + made)
