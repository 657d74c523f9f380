"""Docstrings are noun phrases or statements: none begins with What, Whether, Which or How."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import gruworks

PACKAGE = Path(gruworks.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
QUESTION = re.compile(r"(What|Whether|Which|How)\b")


def questions(file: Path) -> list[str]:
    """Docstrings of a module and of what it defines that begin as a question does."""
    found = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node) or ""
            if QUESTION.match(text):
                found.append(f"{file.relative_to(PACKAGE)}:{getattr(node, 'lineno', 1)} {text.splitlines()[0]}")
    return found


@pytest.mark.parametrize("folder", sorted({file.relative_to(PACKAGE).parts[0] for file in FILES}))
def test_no_docstring_begins_as_a_question(folder: str) -> None:
    found = [one for file in FILES if file.relative_to(PACKAGE).parts[0] == folder for one in questions(file)]
    assert not found, "\n".join(found)
