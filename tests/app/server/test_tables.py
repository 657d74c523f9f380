"""Tables of requests: titles, comments, separator lines, totals and notes are read as in files."""

from __future__ import annotations

import pytest

from gruworks.app.server.limits import Limits
from gruworks.app.server.responses import RequestError
from gruworks.app.server.tables import look, parse

HEAD, ROWS = "date,sales\n", "2024-01-01,3\n2024-01-02,4\n2024-01-03,5\n"
READ = [["date", "sales"], ["2024-01-01", "3"], ["2024-01-02", "4"], ["2024-01-03", "5"]]


@pytest.mark.parametrize(
    "text",
    [
        "Sales report 2024\n\n" + HEAD + ROWS,
        "# made on Monday\n# in thousands\n" + HEAD + ROWS,
        "sep=;\n" + (HEAD + ROWS).replace(",", ";"),
        "\ufeff" + HEAD + ROWS,
    ],
)
def test_lines_that_are_no_rows_are_skipped(text: str) -> None:
    assert parse(text, Limits()) == READ


@pytest.mark.parametrize("last", ["Total,12\n", "Total\n"])
def test_totals_don_t_hide_the_column_of_times(last: str) -> None:
    table = parse(HEAD + ROWS + last, Limits())
    assert table[:4] == READ
    assert look(table)["guess"] == {"id": None, "time": "date", "target": "sales"}


@pytest.mark.parametrize("last", ["2024-01-04,6,7\n", "2024-01-04\n"])
def test_a_row_of_another_length_is_refused_with_its_line(last: str) -> None:
    with pytest.raises(RequestError, match="line 5 of the table"):
        parse(HEAD + ROWS + last, Limits())
