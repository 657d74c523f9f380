"""Renew what is made in the documents: the tree of files, and tables from benchmarks/results; and the type stubs.

    python docs/make.py            renew
    python docs/make.py --check    exit status 1 where a document is not what this script would write

A document asks for a part by a pair of comments: `<!-- made: tree -->` or `<!-- made: figures forecast/ -->`, then
`<!-- end -->`; what stands between them is replaced.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
IN_TREE = ("src/gruworks", "fuzz", "examples", "benchmarks", "docs")
NOT_IN_TREE = (".json", ".png", ".safetensors", ".svg", "py.typed")
PART = re.compile(r"(<!-- made: (?P<what>\w+) ?(?P<which>\S*) -->\n).*?(<!-- end -->)", re.DOTALL)


def tree(_: str) -> str:
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


def figures(prefix: str) -> str:
    """The measured figures whose id starts with `prefix`, from benchmarks/results."""
    records = [
        one for path in sorted((ROOT / "benchmarks/results").glob("*.json")) for one in json.loads(path.read_text())
    ]
    rows = ["| figure | measured | spread | seeds | note |", "|---|---|---|---|---|"]
    for one in records:
        if one["id"].startswith(prefix):
            spread = f"{one['spread']:.2g}" if "spread" in one else ""
            rows.append(
                f"| `{one['id']}` | {one['value']:.4g} | {spread} | {one.get('seeds', '')} | {one.get('note', '')} |"
            )
    return "\n".join(rows)


def main() -> int:
    stubs = subprocess.run([sys.executable, ROOT / "docs/make_signatures.py", *sys.argv[1:]], check=False).returncode
    stale = []
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        text = path.read_text(encoding="utf-8")
        made = PART.sub(lambda m: f"{m[1]}\n{globals()[m['what']](m['which'])}\n\n{m[4]}", text)
        if made != text:
            stale.append(path.name)
            if "--check" not in sys.argv:
                path.write_text(made, encoding="utf-8")
    if stale:
        print("not what docs/make.py makes:" if "--check" in sys.argv else "renewed:", ", ".join(stale))
    return stubs or int(bool(stale) and "--check" in sys.argv)


if __name__ == "__main__":
    sys.exit(main())
