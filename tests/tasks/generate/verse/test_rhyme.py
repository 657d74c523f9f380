"""The table of sounds, at characters whose readings are known."""

from __future__ import annotations

import pytest

from gruworks.errors import OptionError
from gruworks.tasks.generate.verse.rhyme import rhyme_table


def test_it_knows_tones_and_groups() -> None:
    table = rhyme_table()
    assert len(table.names) == 106
    assert (table.names[0], table.names[29]) == ("上平聲一東", "下平聲十五咸")
    assert [table.tones(one) for one in "天月看中嫦"] == ["平", "仄", "平仄", "平仄", ""]
    assert [table.names[group] for group in table.groups("看")] == ["上平聲十四寒"]
    assert table.groups("月") == ()


def test_what_the_first_source_lacks_comes_from_the_others() -> None:
    table = rhyme_table()
    assert [table.names[table.groups(one)[0]][-1] for one in "溪啼爐"] == ["齊", "齊", "虞"]  # 廣韻
    assert table.tones("跡") == table.tones("掃") == "仄"
    assert table.readings["东"] == table.readings["東"]  # simplified
    assert table.readings["牀"] == table.readings["床"]  # variants


def test_groups_are_found_by_name() -> None:
    table = rhyme_table()
    assert table.group("上平聲一東") == table.group("一東") == table.group("東") == 0
    for name in ("", "月", "聲", "東風"):
        with pytest.raises(OptionError, match="no rhyme group"):
            table.group(name)
