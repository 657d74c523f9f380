"""`gruworks lab trace` as a person calls it."""

from __future__ import annotations

import json
import sys

import numpy
import pytest

from gruworks.app.cli.main import run


@pytest.fixture
def gruworks(monkeypatch, capsys, tmp_path):
    """Call the command line in an empty folder; gives exit status, standard output and standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["gruworks", *arguments])
        try:
            run()
            status = 0
        except SystemExit as leaving:
            status = leaving.code or 0
        return status, *capsys.readouterr()

    return call


def test_after_five_comes_six(gruworks, tmp_path):
    status, out, _ = gruworks("lab", "trace", "1", "2", "3", "4", "5")
    assert status == 0
    first, second = out.splitlines()[:2]
    assert abs(float(first.removeprefix("1 2 3 4 5 → ")) - 6) < 0.005
    assert second.endswith(": 6")
    assert "Input: the numbers as they are." in out
    assert "none starts within 0.25 of 1 or steps within 0.1 of 1" in out
    for title in ("update gate z_t", "reset gate r_t", "candidate h̃_t", "state h_t"):
        rows = out.split(title)[1].splitlines()[3:8]
        assert [row.split("│")[0].strip() for row in rows] == list("12345")
        assert all(len(row.split("│")) == 10 and "…" not in row for row in rows)
    pictures = list(tmp_path.glob("runs/lab-trace-*/gates.png"))
    assert len(pictures) == 1
    assert str(pictures[0].relative_to(tmp_path)) in out


@pytest.mark.parametrize("dashes", [[], ["--"]])
def test_negative_numbers_are_numbers(gruworks, dashes):
    status, out, err = gruworks("lab", "trace", "--out", "here", *dashes, "5", "3", "1", "-1")
    assert status == 0, err
    assert abs(float(out.splitlines()[0].split("→")[1]) + 3) < 0.04


def test_json_is_one_object_with_every_row(gruworks, tmp_path):
    status, out, _ = gruworks(
        "lab", "trace", "-1.5", "-1001", "-2000.5", "--reset", "after", "--seed", "2", "--json", "--out", "o"
    )
    assert status == 0
    shown = json.loads(out)
    assert shown["answer"] == pytest.approx(-3000, abs=0.02 * 999.5)
    assert shown["difference_ar"] == pytest.approx(-3000)
    assert (shown["reset"], shown["seed"], shown["is_line"]) == ("after", 2, True)
    assert numpy.shape(shown["z_t"]) == numpy.shape(shown["h_t"]) == (3, 8)
    z, n, h = (numpy.array(shown[name]) for name in ("z_t", "h̃_t", "h_t"))
    assert h[1:] == pytest.approx((1 - z[1:]) * h[:-1] + z[1:] * n[1:], abs=1e-12)
    assert (tmp_path / shown["picture"]).stat().st_size > 10_000


def test_quiet_leaves_the_remarks_out(gruworks):
    _, out, _ = gruworks("lab", "trace", "2", "4", "6", "--quiet", "--out", "o")
    assert out.startswith("2 4 6 → ")
    assert "Training:" not in out


def test_what_is_not_a_line_is_remarked(gruworks):
    status, out, _ = gruworks("lab", "trace", "1", "2", "4", "8", "16", "--out", "o")
    assert status == 0
    assert "(AR(1)): 32" in out
    assert "no arithmetic sequence" in out


def test_the_frame_is_said(gruworks):
    _, out, _ = gruworks("lab", "trace", "1500", "1520", "1540", "--out", "o")
    assert "Input: (y - 1500) / 10 for each number y." in out


def test_a_long_list_says_how_many_were_read(gruworks):
    status, out, _ = gruworks("lab", "trace", *(str(i) for i in range(14)), "--out", "o")
    assert status == 0
    assert "the last 12 of the 14 only" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["1", "2"], "three numbers or more"),
        (["1", "two", "3"], "got 'two', which is neither a number nor an option"),
        (["1,2,3"], "numbers separated by spaces, got '1,2,3'"),
        (["1", "nan", "3"], "got nan at place 2"),
        (["1", "2", "-inf"], "got -inf at place 3"),
        (["1", "2", "3", "--rest", "after"], "got '--rest'"),
    ],
)
def test_bad_input_is_one_line_and_status_2(gruworks, arguments, said):
    status, out, err = gruworks("lab", "trace", *arguments)
    assert (status, out) == (2, "")
    assert said in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("arguments", [[], ["1", "2", "3", "--reset", "during"], ["1", "2", "3", "--seed", "-1"]])
def test_bad_flags_are_refused(gruworks, arguments):
    status, _, err = gruworks("lab", "trace", *arguments)
    assert status == 2
    assert "Traceback" not in err
    assert err
