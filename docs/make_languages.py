"""English and Chinese pages in one site, as hooks of MkDocs: each page has the navigation of its own language.

NAME.zh-CN.md is the Chinese page of NAME.md, and the switch in the header leads from one to the other. The mark and the
colours are those of the page that the server shows.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File
from mkdocs.structure.nav import Navigation, Section

PAGE = Path(__file__).resolve().parents[1] / "src/gruworks/app/page"
CHINESE = ".zh-CN.md"
SECTION = "中文"
DARK, SLATE = ':root[data-theme="dark"]', '[data-md-color-scheme="slate"]'


def on_files(files: Any, config: Any) -> Any:
    """Add the mark and the colours of the server's page."""
    files.append(File.generated(config, "mark.svg", content=(PAGE / "mark.svg").read_text(encoding="utf-8")))
    files.append(File.generated(config, "colours.css", content=colours()))
    return files


def colours() -> str:
    """The variables of page.css; those of its dark theme under the name of the site's dark scheme."""
    text = (PAGE / "page.css").read_text(encoding="utf-8")
    light, dark = re.findall(r"^:root.*?^\}", text, re.MULTILINE | re.DOTALL)[:2]
    return f"{light}\n{dark.replace(DARK, SLATE)}\n"


def on_page_context(context: Any, page: Any, config: Any, nav: Any) -> Any:
    """Set the language of a page, its navigation and where the switch leads."""
    name = page.file.src_uri
    chinese = name.endswith(CHINESE)
    config.theme["language"] = "zh" if chinese else "en"
    config.extra["homepage"] = "index.zh-CN.html" if chinese else "index.html"
    config.extra["alternate"] = [
        {"name": "English", "lang": "en", "link": address(english(name))},
        {"name": "中文", "lang": "zh", "link": address(other(name, nav))},
    ]
    if english(name) == "index.md":
        page.meta["hide"] = ["navigation", "toc"]
    context["nav"] = own(nav, chinese)
    return context


def english(name: str) -> str:
    return name.replace(CHINESE, ".md")


def other(name: str, nav: Any) -> str:
    """The Chinese page of a page, or the first one where there is none."""
    wanted = english(name).removesuffix(".md") + CHINESE
    return wanted if wanted in {page.file.src_uri for page in nav.pages} else f"index{CHINESE}"


def address(name: str) -> str:
    return name.removesuffix(".md") + ".html"


def own(nav: Any, chinese: bool) -> Navigation:
    """The part of the navigation that is in the language of the page."""
    (section,) = [item for item in nav.items if isinstance(item, Section) and item.title == SECTION]
    items = section.children if chinese else [item for item in nav.items if item is not section]
    part = Navigation(list(items), nav.pages)
    part.homepage = nav.homepage
    return part
