"""Renew what is made in the documents: the tree of files, and tables from benchmarks/results; and the type stubs.

    python docs/make.py            renew
    python docs/make.py --check    exit status 1 where a document is not what this script would write

A document asks for a part by a pair of comments, `<!-- made: NAME WHICH -->` and `<!-- end -->`; what stands between
them is replaced. Parts are tree; figures PATTERNS, grid NAME, shapes FORM/WAY and steps of docs/make_tables.py; and
everything of docs/make_figures.py. In NAME.zh-CN.md they are in Chinese. Within a sentence `<!-- value ID FORMAT -->`
and `<!-- /value -->` hold the figure ID in Python's FORMAT; ID:FIELD is another field of its record, minutes say.
"""

from __future__ import annotations

import ast
import functools
import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import make_figures
import make_tables

ROOT = Path(__file__).resolve().parents[1]
IN_TREE = ("src/gruworks", "fuzz", "examples", "benchmarks", "docs")
NOT_IN_TREE = (".csv", ".flac", ".json", ".png", ".safetensors", ".svg", "py.typed")
PART = re.compile(r"(<!-- made: (?P<what>\w+) ?(?P<which>\S*) -->\n).*?(?P<end><!-- end -->)", re.DOTALL)
VALUE = re.compile(r"<!-- value (?P<figure>\S+?)(?::(?P<field>\w+))? (?P<form>\S+) -->.*?<!-- /value -->", re.DOTALL)


def tree(_: str, __: bool) -> str:
    """Every file with the first line of its own documentation."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *IN_TREE],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    rows: list[str] = []
    seen: set[Path] = set()
    for name in sorted(set(listed.split())):
        path = Path(name)
        if name.endswith(NOT_IN_TREE) or not (ROOT / path).is_file():
            continue
        for folder in reversed(path.parents[:-1]):
            if folder not in seen:
                seen.add(folder)
                about = ROOT / folder / "__init__.py"
                rows.append(_row(folder, f"{folder.name}/", about if about.exists() else None))
        if path.name != "__init__.py" and not (path.suffix == ".cc" and path.with_suffix(".h").name in listed):
            rows.append(_row(path, path.name, ROOT / path))
    return "\n".join(rows)


def _row(path: Path, name: str, about: Path | None) -> str:
    indent = "  " * (len(path.parts) - 1)
    return f"    {indent + name:34}{'' if about is None else _first_line(about)}".rstrip()


def _first_line(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return (ast.get_docstring(ast.parse(text)) or "").split("\n")[0]
    if path.suffix in (".h", ".cc", ".js"):
        return next((line[2:].strip() for line in text.splitlines() if line.startswith("//")), "")
    if path.suffix == ".css":
        return text.partition("/* ")[2].partition(" */")[0]
    return next((line.lstrip("# ") for line in text.splitlines() if line.startswith("# ")), "")


def value(match: re.Match[str]) -> str:
    """A figure within a sentence, in its comments."""
    found = make_tables.records().get(match["figure"])
    text = format(found[match["field"] or "value"], match["form"]).replace("%", " %") if found else "(not measured)"
    name = match["figure"] + (f":{match['field']}" if match["field"] else "")
    return f"<!-- value {name} {match['form']} -->{text}<!-- /value -->"


def part(match: re.Match[str], path: Path) -> str:
    """A part that is made, between its comments."""
    makers = {"tree": tree, "everything": make_figures.everything}
    maker = makers.get(match["what"]) or getattr(make_tables, match["what"])
    made = maker(match["which"], path.name.endswith(".zh-CN.md"))
    if path.parent == ROOT:
        made = made.replace("](figures", "](docs/figures")
    return f"{match[1]}\n{made}\n\n{match['end']}"


def main() -> int:
    stubs = subprocess.run([sys.executable, ROOT / "docs/make_signatures.py", *sys.argv[1:]], check=False).returncode
    if "--check" not in sys.argv:
        make_figures.renew_dates()
    stale = []
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        text = path.read_text(encoding="utf-8")
        made = PART.sub(functools.partial(part, path=path), text)
        made = VALUE.sub(value, made)
        if made != text:
            stale.append(path.name)
            if "--check" not in sys.argv:
                path.write_text(made, encoding="utf-8")
    if stale:
        print("not what docs/make.py makes:" if "--check" in sys.argv else "renewed:", ", ".join(stale))
    return stubs or int(bool(stale) and "--check" in sys.argv)


if __name__ == "__main__":
    sys.exit(main())
