"""Additions of the site to the pages in docs/, as hooks of MkDocs (mkdocs.yml): nothing links out of it into the void.

The command line's page is made from the program, the API reference from docs/api.toml and the docstrings. A file
outside docs/ that a page links to, such as a module or LOG.md, becomes a page of its own under source/, and the link
leads there. The playground gets its models where there is a compiler for them.
"""

from __future__ import annotations

import logging
import posixpath
import re
import sys
import tomllib
from pathlib import Path, PurePosixPath
from typing import Any

from mkdocs.structure.files import File

sys.path.insert(0, str(Path(__file__).parent))
import make_cli
import make_playground

ROOT = Path(__file__).resolve().parents[1]
ALWAYS = ("ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md", "LOG.md")
LOG = logging.getLogger("mkdocs.hooks.make_site")
LINK = re.compile(r"(\]\()([^)\s#:]+)((?:#[^)\s]*)?\))")
FENCE = "~~~~~~"
LANGUAGES = {".py": "python", ".cc": "cpp", ".h": "cpp", ".toml": "toml", ".json": "json"}


def on_pre_build(config: Any) -> None:
    """Build what the playground needs; without a compiler its page says what is missing."""
    if not make_playground.build():
        LOG.info("the playground has its gates alone: zig compiles its models (make playground)")


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that are made, and the files that pages link to, those that these link to among them."""
    waiting = [*ALWAYS, *(f"docs/{file.src_uri}" for file in files.documentation_pages())]
    for place, content in {"cli.md": make_cli.page(), **reference()}.items():
        files.append(File.generated(config, place, content=content))
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        text = _page(name)
        if not name.startswith("docs/"):
            files.append(File.generated(config, _shown_at(name), content=text))
        waiting += [] if not name.endswith(".md") else _linked(name, text)
    return files


def reference() -> dict[str, str]:
    """The pages of the API reference: names for mkdocstrings, which reads signatures, docstrings and source."""
    pages = tomllib.loads((ROOT / "docs/api.toml").read_text(encoding="utf-8"))
    return {f"reference/{name}.md": _reference(page) for name, page in pages.items()}


def _reference(page: dict[str, Any]) -> str:
    parts = [f"::: {name}\n    options:\n      members: {methods}\n" for name, methods in page["names"].items()]
    return "\n".join([f"# {page['title']}\n", *parts])


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Turn links to files outside docs/ into links to the pages that show them."""
    place = page.file.src_uri
    name = place.removeprefix("source/") if place.startswith("source/") else f"docs/{place}"

    def turned(match: re.Match[str]) -> str:
        target = _target(name, match[2])
        if target is None:
            return match[0]
        return match[1] + posixpath.relpath(_shown_at(target), posixpath.dirname(place) or ".") + match[3]

    return LINK.sub(turned, markdown) if name.endswith(".md") else markdown


def _linked(name: str, text: str) -> list[str]:
    """The files outside docs/ that a page links to."""
    targets = (_target(name, match[2]) for match in LINK.finditer(text))
    return [target for target in targets if target is not None and not target.startswith("docs/")]


def _target(name: str, link: str) -> str | None:
    """The file that a link in `name` leads to, from the project's root; None where the link is not to a file."""
    target = posixpath.normpath(posixpath.join(posixpath.dirname(name), link))
    return target if (ROOT / target).is_file() else None


def _shown_at(name: str) -> str:
    """Where in the site a file stands, from its place in the project."""
    if name.startswith("docs/"):
        return name.removeprefix("docs/")
    return f"source/{name}" if name.endswith(".md") else f"source/{name}.md"


def _page(name: str) -> str:
    text = (ROOT / name).read_text(encoding="utf-8")
    if name.endswith(".md"):
        return text
    return f"# {name}\n\n{FENCE}{LANGUAGES.get(PurePosixPath(name).suffix, 'text')}\n{text}\n{FENCE}\n"
