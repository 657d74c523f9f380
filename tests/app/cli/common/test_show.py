"""Output of a command: for a person, or for a program."""

from __future__ import annotations

import json

import pytest

from gruworks.app.cli.common.show import Show

ROWS = [{"day": "Monday", "value": 11.8}, {"day": "Tuesday", "value": 9.25}]


def shown(capsys: pytest.CaptureFixture[str], **flags: bool) -> tuple[str, str]:
    show = Show(**flags)
    show.note("a [remark]")
    show.answer("an [answer]")
    show.table(ROWS)
    show.result({"α": 1})
    show.complain("a complaint")
    out, err = capsys.readouterr()
    return out, err


@pytest.mark.parametrize("flags", [{}, {"quiet": True}])
def test_answers_are_printed_as_they_are(capsys: pytest.CaptureFixture[str], flags: dict[str, bool]) -> None:
    text = "a\tb :smile: :one: [red]c[/red]\x0c\x0b\\[d] http://e " + "long " * 50
    Show(**flags).answer(text)
    assert capsys.readouterr().out == text + "\n"
    Show().note(text)
    assert capsys.readouterr().out == text + "\n"
    Show().table([{"text": ":smile: [red]"}])
    assert ":smile: [red]" in capsys.readouterr().out


def test_a_person_sees_all_but_json(capsys: pytest.CaptureFixture[str]) -> None:
    out, err = shown(capsys)
    assert [text in out for text in ("a [remark]", "an [answer]", "Monday", "α")] == [True, True, True, False]
    assert err == "gruworks: a complaint\n"


def test_quiet_leaves_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    out, err = shown(capsys, quiet=True)
    assert [text in out for text in ("a [remark]", "an [answer]", "Monday", "α")] == [False, True, True, False]
    assert err == "gruworks: a complaint\n"


def test_json_is_alone_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    out, err = shown(capsys, as_json=True)
    assert json.loads(out) == {"α": 1}
    assert err == "gruworks: a complaint\n"


def test_only_a_person_is_talked_to() -> None:
    assert Show().talks
    assert not Show(as_json=True).talks
    assert not Show(quiet=True).talks


@pytest.mark.parametrize(
    ("column", "cells"),
    [
        ([11.8, 9.25], ["11.80", "9.25"]),
        ([1234567.0, 1234999.5], ["1234567", "1235000"]),
        ([1e9 + 0.25, 1e9 + 0.5], ["1000000000.25", "1000000000.50"]),
        ([1e-9, 2e-9], ["1e-09", "2e-09"]),
        ([0.0, 0.0], ["0.000", "0.000"]),
        ([6.0], ["6.000"]),
        ([0.5, ""], ["0.5000", ""]),
        ([3, "x"], ["3", "x"]),
    ],
)
def test_a_column_s_numbers_have_the_decimals_that_tell_them_apart(
    column: list[object], cells: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    Show().table([{"column": value} for value in column])
    printed = [line.strip() for line in capsys.readouterr().out.splitlines()[2:]]
    assert printed == cells
