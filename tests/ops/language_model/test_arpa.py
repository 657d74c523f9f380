"""ARPA files: round trip, files of other programs, errors with their line."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest

from gruworks.errors import DataError
from gruworks.ops.language_model.arpa import WordGrams, read_arpa, write_arpa
from gruworks.ops.language_model.backoff import Backoff
from gruworks.ops.language_model.kneser_ney import KneserNey

BY_HAND = """some words before

\\data\\
ngram 1=5
ngram 2=3

\\1-grams:
-1.0\t<unk>
-99\t<s>\t-0.5
-0.5\tyes\t-0.25
-0.7\tno
-0.6\t</s>

\\2-grams:
-0.2\t<s> yes
-0.3\tyes </s>
-0.4\tno </s>

\\end\\
"""


def wrote(folder: Path, text: str) -> Path:
    path = folder / "a.arpa"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_of_others_is_read(tmp_path: Path) -> None:
    grams = read_arpa(wrote(tmp_path, BY_HAND))
    no, yes, end, unknown, begin = grams.numbers["no"], grams.numbers["yes"], grams.end, grams.unknown, 4
    assert grams.model.begin == begin
    assert set(grams.numbers) == {"no", "yes"}
    after = {context: grams.model.log_probabilities(context) / numpy.log(10) for context in ((begin,), (yes,), (no,))}
    assert after[begin,][[yes, no, unknown, end]] == pytest.approx([-0.2, -1.2, -1.5, -1.1])
    assert after[yes,][[yes, no, unknown, end]] == pytest.approx([-0.75, -0.95, -1.25, -0.3])
    assert after[no,][[yes, no, unknown, end]] == pytest.approx([-0.5, -0.7, -1.0, -0.4])


@pytest.mark.parametrize("modified", [False, True])
@pytest.mark.parametrize("order", [1, 3, 5])
def test_round_trip(tmp_path: Path, order: int, modified: bool) -> None:
    words = ["go", "left", "now", "right", "ünder"]
    rng = numpy.random.default_rng(0)
    texts = [[*rng.integers(0, 5, rng.integers(0, 6)).tolist(), 5] for _ in range(60)]
    grams = WordGrams(Backoff.of(KneserNey(texts, 7, order, modified)), {w: n for n, w in enumerate(words)}, 5, 6)
    write_arpa(tmp_path / "new" / "a.arpa", grams)
    found = read_arpa(tmp_path / "new" / "a.arpa")
    assert (found.numbers, found.end, found.unknown) == (grams.numbers, 5, 6)
    for context in ((), (7,), (7, 1), (1, 2), (3,), (6,), (0, 1, 2, 3)):
        assert found.model.log_probabilities(context) == pytest.approx(grams.model.log_probabilities(context), abs=1e-7)


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("\\data\\", "data", "no ARPA file"),
        ("-0.7\tno", "x\tno", "line 11: a logarithm is no number"),
        ("-0.7\tno", "-0.7", "line 11: expected a logarithm, 1 words"),
        ("<s> yes", "<s> maybe", "line 15: maybe is not among the 1-grams"),
        ("ngram 2=3", "ngram 2=4", "expected 4 2-grams and then .end., got 3"),
        ("-0.4\tno </s>", "-0.4\tyes </s>", "line 17: the n-gram is listed twice"),
        ("-0.4\tno </s>\n\n\\end\\\n", "", "ends after 2 of 3 2-grams"),
        ("-0.6\t</s>", "-0.6\tother", "no </s> among the 1-grams"),
        ("-0.7\tno", "-0.7\tyes", "listed twice among the 1-grams"),
        ("ngram 2=3", "ngram 3=3", "line 5: expected 'ngram 2='"),
    ],
)
def test_errors_name_the_line(tmp_path: Path, old: str, new: str, text: str) -> None:
    assert old in BY_HAND
    with pytest.raises(DataError, match=text):
        read_arpa(wrote(tmp_path, BY_HAND.replace(old, new)))


def test_an_unlisted_context_is_an_error(tmp_path: Path) -> None:
    text = BY_HAND.replace("ngram 2=3\n", "ngram 2=3\nngram 3=1\n").replace(
        "\\end\\", "\\3-grams:\n-0.1\tno yes </s>\n\n\\end\\"
    )
    with pytest.raises(DataError, match="line 21: what stands before the last word is not listed as a 2-gram"):
        read_arpa(wrote(tmp_path, text))


def test_binary_or_missing_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        read_arpa(tmp_path / "none.arpa")
    (tmp_path / "b.arpa").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="not UTF-8"):
        read_arpa(tmp_path / "b.arpa")
