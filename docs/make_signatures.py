"""Type stubs of the four estimators, in which every setting stands with its type, default and sentence.

    python docs/make_signatures.py            write src/gruworks/tasks/*/estimator.pyi
    python docs/make_signatures.py --check    exit status 1 where a stub is not what this script would write

The stub of a class is its source with `**keywords` replaced by the fields of `Config` or `Options`, public members and
what the base class leaves abstract, without bodies.
"""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

from gruworks.settings import Described, shown_type
from gruworks.tasks import registry

__all__ = ["main", "stub"]

HEADER = "# Types of {module} with every setting: written by docs/make_signatures.py\n"
DOTS = ast.parse("...").body


def stub(task: str) -> str:
    """The stub of a task's estimator."""
    made = registry.estimator(task)
    source = Path(inspect.getfile(made)).read_text(encoding="utf-8")
    tree = ast.parse(source)
    public = set(sys.modules[made.__module__].__all__)
    classes = [_class(node, made) for node in tree.body if isinstance(node, ast.ClassDef) and node.name in public]
    named = [one for one in tree.body if isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == "__all__"]
    code = "\n".join(ast.unparse(node) for node in [*_imports(tree, classes), *named, *classes])
    made_code = _formatted(HEADER.format(module=made.__module__) + code)
    for line, name in re.findall(r"^(    def (\w+)\(  # type: ignore.*\n)", source, flags=re.M):  # ast drops comments
        head = rf"^    def {name}\("
        made_code = re.sub(rf"{head}(.+)\) -> (.*)$", rf"{line}        \1\n    ) -> \2", made_code, flags=re.M)
        made_code = re.sub(rf"{head}\n", line, made_code, flags=re.M)
    return made_code


def _class(node: ast.ClassDef, estimator: type) -> ast.ClassDef:
    """A class without bodies; the estimator's also without what only its own module needs."""
    own = node.name == estimator.__name__
    node.body = [_member(one, estimator, own) for one in node.body if _shown(one, estimator, own)]
    if own:
        node.body[:0] = [_doc(estimator.__doc__ or ""), *ast.parse("config: Config").body]
        node.body[2:2] = _attributes(estimator)
    return node


def _shown(node: ast.stmt, estimator: type, own: bool) -> bool:
    if not own:
        return not isinstance(node, ast.Expr)
    if isinstance(node, ast.FunctionDef):
        abstract = node.name in getattr(estimator.__mro__[1], "__abstractmethods__", ())
        return abstract or node.name == "__init__" or not node.name.startswith("_")
    return isinstance(node, ast.AnnAssign)


def _member(node: ast.stmt, estimator: type, own: bool) -> ast.stmt:
    if isinstance(node, ast.AnnAssign) and own:
        node.value = None
    if isinstance(node, ast.FunctionDef):
        function = inspect.getattr_static(estimator, node.name) if own else None
        node.body = DOTS
        if hasattr(function, "fields"):
            _expand(node, function)
    return node


def _expand(node: ast.FunctionDef, function: Any) -> None:
    """Put the settings in the place of a method's keywords."""
    fields: list[Described] = function.fields
    node.args.kwarg = None
    node.args.kwonlyargs += [ast.arg(one.name, _expression(shown_type(one.hint))) for one in fields]
    node.args.kw_defaults += [_expression(repr(one.default)) for one in fields]
    node.decorator_list = [one for one in node.decorator_list if not ast.unparse(one).startswith("takes(")]
    if node.name == "__init__":
        node.args.args[1].annotation = _expression("Config | None")
    else:
        node.body = [_doc(function.__doc__, 8), *DOTS]


def _attributes(estimator: type) -> list[ast.stmt]:
    """Public attributes that the constructor sets: annotated there, or of the type that a new instance has."""
    source, new = ast.parse(textwrap.dedent(inspect.getsource(estimator.__init__))), estimator()  # type: ignore[misc]
    found = []
    for node in ast.walk(source):
        if isinstance(node, ast.AnnAssign):
            found.append((ast.unparse(node.target), ast.unparse(node.annotation)))
        elif isinstance(node, ast.Assign):
            name = ast.unparse(node.targets[0])
            found.append((name, type(getattr(new, name.removeprefix("self."), None)).__name__))
    public = [(name.removeprefix("self."), kind) for name, kind in found if re.match(r"self\.[a-z]\w*$", name)]
    return [ast.parse(f"{name}: {kind}").body[0] for name, kind in public]


def _imports(tree: ast.Module, classes: list[ast.ClassDef]) -> list[ast.stmt]:
    """The imports of the module that the stub needs."""
    used = {one.id for made in classes for one in ast.walk(made) if isinstance(one, ast.Name)}
    found: list[ast.stmt] = [ast.parse("from typing import Literal").body[0]] if "Literal" in used else []
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom) and getattr(node, "module", "") != "__future__":
            node.names = [one for one in node.names if (one.asname or one.name).split(".")[0] in used]
            found += [node] if node.names else []
    return found


def _expression(code: str) -> ast.expr:
    return ast.parse(code, mode="eval").body


def _doc(text: str, indent: int = 4) -> ast.stmt:
    """A docstring as a statement."""
    inner = textwrap.indent(text.strip(), " " * indent).strip()
    return ast.Expr(ast.Constant(f"{inner}\n{' ' * indent}"))


def _formatted(code: str) -> str:
    command = [sys.executable, "-m", "ruff"]
    for arguments in (["check", "--fix-only", "--quiet", "--select", "I,RUF022"], ["format", "--quiet"]):
        given = [*command, *arguments, "--stdin-filename", "src/gruworks/estimator.pyi", "-"]
        code = subprocess.run(given, input=code, capture_output=True, text=True, check=True).stdout
    return code


def main() -> int:
    """Write or check every stub."""
    stale = []
    for task in registry.TASKS:
        path = Path(inspect.getfile(registry.estimator(task))).with_suffix(".pyi")
        made = stub(task)
        if not path.is_file() or path.read_text(encoding="utf-8") != made:
            stale.append(f"{task}/{path.name}")
            if "--check" not in sys.argv:
                path.write_text(made, encoding="utf-8")
    if stale:
        print("not what docs/make_signatures.py writes:" if "--check" in sys.argv else "renewed:", ", ".join(stale))
    return int(bool(stale) and "--check" in sys.argv)


if __name__ == "__main__":
    sys.exit(main())
