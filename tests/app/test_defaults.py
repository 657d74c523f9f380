"""Defaults of settings are in `Config` and `Options` alone: `app`, the forecaster and all estimators repeat none."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import gruworks
from gruworks.tasks import registry
from gruworks.tasks.generate.verse.forms import VerseOptions

PACKAGE = Path(gruworks.__file__).parent
FOLDERS = [PACKAGE / "app", PACKAGE / "tasks/forecast"]
CODE = {path for folder in FOLDERS for path in folder.rglob("*") if path.suffix in (".py", ".js")}
ESTIMATORS = set(PACKAGE.glob("tasks/*/estimator.py")) - CODE  # of these the defaults of methods alone
JAVASCRIPT = r"\b(?P<name>{names})\b\W[^\n]{{0,90}}?\b(?:value|textContent): *(?P<value>\"[^\"]*\"|[\d.]+)"
# a value that says "nothing", as an absent field, an empty text or a switch that is off, says it under any name
# settings of no task: of the lab's experiments, of /v1/trace, of one step of the kernel, of an export's C, of a cell
OTHERS = {
    ("export.py", "precision"),
    ("costs.py", "hidden_size"),
    ("lab.py", "seed"),
    ("schemas.py", "seed"),
    ("streaming.py", "threads"),
}
EMPTY: tuple[Any, ...] = (None, "", (), [], {})


def defaults(*names: str) -> dict[str, list[Any]]:
    """The defaults of each name: of the task that a file or its folder is named after, else over all tasks."""
    found: dict[str, list[Any]] = {}
    tasks = [name for name in names if name in registry.TASKS] or list(registry.TASKS)
    kinds = [registry.settings(task, kind) for task, kind in itertools.product(tasks, ("Config", "Options"))]
    for one in [field for kind in [*kinds, *[VerseOptions] * ("generate" in tasks)] for field in kind.described()]:
        found.setdefault(one.name, []).append(one.default)
    return found


def named_literals(code: str, kinds: tuple[type[ast.AST], ...] = (ast.AST,)) -> Iterator[tuple[int, str, Any]]:
    """Literals under a name: keywords, defaults of parameters, entries of dicts, assignments; or `kinds` of them."""
    for node in filter(lambda node: isinstance(node, kinds), ast.walk(ast.parse(code))):
        pairs: list[tuple[str | None, ast.expr | None]] = []
        if isinstance(node, ast.keyword):
            pairs = [(node.arg, node.value)]
        elif isinstance(node, ast.arguments):
            positional = [*node.posonlyargs, *node.args]
            pairs = [(one.arg, value) for one, value in zip(node.kwonlyargs, node.kw_defaults, strict=True)]
            pairs += [(a.arg, v) for a, v in zip(positional[::-1], node.defaults[::-1], strict=False)]
        elif isinstance(node, ast.Dict):
            pairs = [(k.value, v) for k, v in zip(node.keys, node.values, strict=True) if isinstance(k, ast.Constant)]
        elif isinstance(node, ast.AnnAssign):
            pairs = [(ast.unparse(node.target), node.value)]
        elif isinstance(node, ast.Assign):
            pairs = [(ast.unparse(node.targets[0]), node.value)]
        for name, value in pairs:
            if isinstance(value, ast.Call) and ast.unparse(value.func) == "Field" and value.args:
                value = value.args[0]
            if isinstance(name, str) and isinstance(value, ast.Constant):
                yield value.lineno, name.lower(), value.value


def restated(path: Path) -> list[str]:
    known, code = defaults(path.stem, *path.parts[len(PACKAGE.parts) :]), path.read_text(encoding="utf-8")
    if path.suffix == ".js":
        pattern = re.compile(JAVASCRIPT.format(names="|".join(known)), re.IGNORECASE)
        found = [
            (code.count("\n", 0, one.start()) + 1, one["name"].lower(), ast.literal_eval(one["value"]))
            for one in pattern.finditer(code)
        ]
    else:
        found = list(named_literals(code, (ast.arguments,) if path in ESTIMATORS else (ast.AST,)))
    return [
        f"{path.name}:{line}: {name} = {value!r}"
        for line, name, value in found
        if name in known
        and (path.name, name) not in OTHERS
        and not isinstance(value, bool)
        and value not in EMPTY
        and value in known[name]
    ]


@pytest.mark.parametrize("path", sorted(CODE | ESTIMATORS), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_default_is_restated(path: Path) -> None:
    assert restated(path) == []


@pytest.mark.parametrize(
    "code",
    [
        "def f(*, HORIZON: int = {}): ...", "f(horizon={})", "x = {{'horizon': {}}}", "HORIZON = {}",
        "class A:\n    horizon: int = Field({}, ge=1)",
    ],
)  # fmt: skip
def test_a_restated_default_is_found(code: str, tmp_path: Path) -> None:
    (value,) = defaults()["horizon"]
    (tmp_path / "a.py").write_text(code.format(value))
    assert restated(tmp_path / "a.py")
    (tmp_path / "a.py").write_text(code.format(value + 1))
    assert not restated(tmp_path / "a.py")


def test_a_restated_default_is_found_in_the_page(tmp_path: Path) -> None:
    (value,) = defaults()["horizon"]
    (tmp_path / "a.js").write_text(f'ui.horizon = make("input", {{ type: "number", min: 1, value: {value} }});')
    assert restated(tmp_path / "a.js")
