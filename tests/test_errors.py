"""The tree of errors: what a caller may catch, and the one line about a missing package."""

from __future__ import annotations

import inspect

import pytest

from gruworks import errors

CAUGHT_AS = {
    "ShapeError": (ValueError, RuntimeError),
    "DeviceError": (RuntimeError,),
    "DtypeError": (TypeError, ValueError, RuntimeError),
    "OptionError": (ValueError,),
    "WriteError": (OSError,),
    "WeightsError": (ValueError, RuntimeError),
    "DataError": (ValueError,),
    "TooShortError": (errors.DataError, ValueError),
    "RunError": (ValueError,),
    "ExportError": (RuntimeError,),
    "SearchError": (RuntimeError,),
    "NotFittedError": (RuntimeError,),
    "MissingExtraError": (ImportError,),
}


def test_every_error_is_in_the_tree_and_in_its_drawing() -> None:
    found = {name for name, kind in vars(errors).items() if inspect.isclass(kind) and issubclass(kind, Exception)}
    assert found == set(CAUGHT_AS) | {"GruworksError"}
    assert set(errors.__all__) == found | {"require"}
    for name in found:
        assert name in errors.__doc__


@pytest.mark.parametrize("name", CAUGHT_AS)
def test_an_error_is_caught_as_what_python_or_torch_would_raise(name: str) -> None:
    for kind in (errors.GruworksError, *CAUGHT_AS[name]):
        with pytest.raises(kind, match=r"^why$"):
            raise getattr(errors, name)("why")


def test_a_package_that_is_there_is_given() -> None:
    assert errors.require("json", extra="forecast").dumps([1]) == "[1]"


def test_a_package_that_is_missing_is_named_with_the_command() -> None:
    with pytest.raises(
        errors.MissingExtraError, match=r"^no_such_package is not installed: pip install 'gruworks\[forecast\]'"
    ):
        errors.require("no_such_package", extra="forecast")
