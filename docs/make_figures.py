"""The page of all figures: every record of benchmarks/results, by subject and by the command that measured it."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from typing import Any

from make_tables import DOCS, Record, compared, names, place, processor, records, say, table, value

DATES = DOCS / "commits.json"
DICT = re.compile(r"\{'[^{}]*\}")


def everything(_: str, chinese: bool) -> str:
    """All records: name, value, comparison, remarks and id; command, processor, commit and date above them."""
    parts = []
    for number, subject in enumerate(names()["subject"]):
        own = [one for one in records().values() if place(one)[0] == number]
        if own:
            parts.append(f"## {subject['zh' if chinese else 'en']}\n\n{_subject(own, chinese)}")
    return "\n\n".join(parts)


def _subject(rows: list[Record], chinese: bool) -> str:
    runs: dict[tuple[str, str, str], list[Record]] = {}
    for one in sorted(rows, key=place):
        runs.setdefault((one["command"], one["machine"], one["commit"]), []).append(one)
    return "\n\n".join(f"{_run(*run, own, chinese)}\n\n{_table(own, chinese)}" for run, own in runs.items())


def _run(command: str, machine: str, commit: str, rows: list[Record], chinese: bool) -> str:
    when = dates().get(commit.split("+")[0], "")
    short = commit[:8] + ("+" if "+" in commit else "")
    common = _common(rows, chinese)
    if chinese:
        text = f"{processor(machine, True)}；提交 {short}{f'，{when}' if when else ''}。{common}"
    else:
        text = f"{processor(machine, False)}; commit {short}{f', {when}' if when else ''}. {common}"
    return f"`{command}`  \n{text.rstrip()}"


def _common(rows: list[Record], chinese: bool) -> str:
    """The remarks that several figures of a run share."""
    said = {remarks(one, chinese) for one in rows}
    return next(iter(said)) if len(rows) > 1 and len(said) == 1 else ""


def _table(rows: list[Record], chinese: bool) -> str:
    common = bool(_common(rows, chinese))
    cells = []
    for one in rows:
        remark = "" if common else remarks(one, chinese)
        cells.append([say(one, chinese), value(one, chinese), compared(one, chinese), remark, f"`{one['id']}`"])
    english = ["figure", "value", "compared with", "remarks", "id"]
    return _without_empty(["指标", "数值", "对照", "备注", "编号"] if chinese else english, cells)


def _without_empty(head: list[str], rows: list[list[str]]) -> str:
    kept = [column for column in range(len(head)) if any(row[column] for row in rows)]
    return table([head[column] for column in kept], [[row[column] for column in kept] for row in rows])


def remarks(record: Record, chinese: bool) -> str:
    """The note of a record, Python's dictionaries as text; its threads and minutes."""
    parts = [DICT.sub(_said, record.get("note", "")).replace("|", "\\|")]
    if "threads" in record:
        parts.append(f"线程数 {record['threads']}" if chinese else f"threads: {record['threads']}")
    if "minutes" in record:
        parts.append(f"{record['minutes']:.3g} 分钟" if chinese else f"{record['minutes']:.3g} minutes")
    return "; ".join(part for part in parts if part)


def _said(match: re.Match[str]) -> str:
    try:
        content = ast.literal_eval(match[0])
    except (SyntaxError, ValueError):
        return match[0].strip("{}").replace("'", "")
    return ", ".join(f"{key} {_plain(one)}" for key, one in content.items())


def _plain(content: Any) -> str:
    if isinstance(content, bool):
        return "yes" if content else "no"
    return " and ".join(map(str, content)) or "none" if isinstance(content, tuple | list) else str(content)


def dates() -> dict[str, str]:
    """Dates of the measured commits, in docs/commits.json, so that a shallow clone has them too."""
    known: dict[str, str] = json.loads(DATES.read_text(encoding="utf-8")) if DATES.exists() else {}
    return known


def renew_dates() -> None:
    """Add the commits that git knows."""
    known = dates()
    for commit in sorted({one["commit"].split("+")[0] for one in records().values()} - known.keys()):
        git = ["git", "-C", str(DOCS), "show", "-s", "--format=%cs", commit]
        asked = subprocess.run(git, capture_output=True, text=True, check=False)
        if asked.returncode == 0:
            known[commit] = asked.stdout.strip()
    DATES.write_text(json.dumps(known, indent=0, sort_keys=True) + "\n", encoding="utf-8")
