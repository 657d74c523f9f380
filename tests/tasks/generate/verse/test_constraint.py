"""The mask: every poem written under it passes the judge, it forbids nothing that the judge allows, it never sticks."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy
import pytest
import torch
from torch import Tensor

from gruworks.errors import DataError, OptionError, SearchError
from gruworks.nn.decoding.beam_search import beam
from gruworks.nn.decoding.decoder import Constrained, Decoder
from gruworks.nn.state import State
from gruworks.tasks.generate.verse.checker import check
from gruworks.tasks.generate.verse.constraint import VerseConstraint
from gruworks.tasks.generate.verse.forms import FORMS, PATTERNS, VerseOptions
from gruworks.tasks.generate.verse.rhyme import rhyme_table
from gruworks.tasks.generate.verse.writing import poems, price, write

END, NEWLINE, BEGIN = 0, 1, 2
TABLE = rhyme_table()


def vocabulary() -> list[str]:
    """Every twentieth character of the table, one that it hasn't, and symbols that are no characters."""
    return ["<end>", "\n", "<begin>", "，", "ab", "嫦", *list(TABLE.readings)[::20]]


class Uniform(Decoder):
    """Every symbol is as likely as any other."""

    def __init__(self, size: int) -> None:
        self.size = size

    def start(self, context: Any) -> State:
        return {"nothing": torch.zeros(1, 1)}

    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        return torch.zeros(len(tokens), self.size).log_softmax(1), state


def rules(symbols: list[str], **options: Any) -> VerseConstraint:
    return VerseConstraint(VerseOptions(**options), symbols, NEWLINE, END)


def written(symbols: list[str], made: VerseConstraint, count: int = 40, seed: int = 0) -> list[list[str]]:
    tokens = write(Uniform(len(symbols)), torch.tensor([BEGIN]), made, count, seed=seed)
    assert tokens.shape == (count, made.length)
    assert (tokens[:, -1] == END).all()
    width = made.form.length + 1
    assert (tokens[:, width - 1 : -1 : width] == NEWLINE).all()
    return poems(tokens, symbols, made)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("pattern", ["any", *PATTERNS])
def test_what_is_written_keeps_the_rules(form: str, pattern: str) -> None:
    symbols = vocabulary()
    for poem in written(symbols, rules(symbols, form=form, pattern=pattern)):
        report = check(poem, form)
        assert report.ok, (poem, [str(fault) for fault in report.faults])
    if pattern != "any":
        unambiguous = [one for one in symbols if len(TABLE.tones(one)) == 1]
        plain = ["<end>", "\n", "<begin>", *unambiguous]
        reports = [check(poem, form) for poem in written(plain, rules(plain, form=form, pattern=pattern), 10)]
        assert {report.pattern for report in reports} == {pattern}


def test_rhyme_group_and_acrostic_are_kept() -> None:
    symbols = [*vocabulary(), *"春夏秋冬"]
    made = rules(symbols, form="jueju5", rhyme="陽", acrostic="春夏秋冬")
    for poem in written(symbols, made):
        report = check(poem, "jueju5", acrostic="春夏秋冬")
        assert report.ok, [str(fault) for fault in report.faults]
        assert all(TABLE.group("陽") in TABLE.groups(line[-1]) for line in poem[1::2])


@pytest.mark.parametrize("upper", ["level", "oblique"])
def test_it_allows_what_the_judge_allows(upper: str) -> None:
    """All 1,024 tones of a couplet of five, under either second couplet: the mask and the judge agree on each."""
    level, oblique, rhymes = "天", "月", "東風空中"
    symbols = ["<end>", "\n", "<begin>", level, oblique, *rhymes]
    fixed = {"level": ["月月天天月", "天天月月中"], "oblique": ["天天天月月", "月月月天中"]}[upper]
    found = []
    for tones in product((level, oblique), repeat=10):
        line, other = "".join(tones[:5]), "".join(tones[5:])
        line = line[:4] + (rhymes[0] if line[4] == level else oblique)
        other = other[:4] + (rhymes[1] if other[4] == level else oblique)
        found.append([line, other, *fixed])
    made = rules(symbols, form="jueju5")
    tokens = torch.tensor([[symbols.index(one) for line in poem for one in line + "\n"] + [END] for poem in found])
    allowed = torch.ones(len(found), dtype=torch.bool)
    for t in range(made.length):
        allowed &= made.constrain(tokens[:, :t]).gather(1, tokens[:, t : t + 1])[:, 0]
    judged = torch.tensor([check(poem, "jueju5").ok for poem in found])
    assert torch.equal(allowed, judged)
    assert judged.sum() == {"level": 3 * 2 + 3 * 2, "oblique": 4 * 3 + 4 * 2 + 2 * 3}[upper]  # by hand


def test_the_smallest_vocabularies_never_stick() -> None:
    """Just as many rhymes as a pattern needs, each of another group too: no other group is ever entered."""
    symbols = ["<end>", "\n", "<begin>", *"月東風空", *"天前"]  # of 先 too few for a form of three rhymes
    made = rules(symbols, form="jueju5", pattern="oblique-rhymed")
    for poem in written(symbols, made):
        assert {line[-1] for line in (poem[0], poem[1], poem[3])} == set("東風空")


def test_after_the_end_only_the_end_follows() -> None:
    symbols = vocabulary()
    made = rules(symbols, form="jueju5")
    tokens = write(Uniform(len(symbols)), torch.tensor([BEGIN]), made, 2)
    for longer in (tokens[:, :-1], tokens, torch.cat([tokens, tokens[:, -1:]], 1)):
        allowed = made.constrain(longer)
        assert allowed[:, END].all()
        assert allowed.sum() == 2


def test_a_prefix_that_breaks_the_rules_may_not_go_on() -> None:
    symbols = ["<end>", "\n", "<begin>", *"月天東風空中"]
    made = rules(symbols, form="jueju5")
    line = torch.tensor([[symbols.index(one) for one in "天天天天"]])
    assert not made.constrain(line).any()
    unbroken = torch.tensor([[symbols.index(one) for one in "天天天月月天天月月東"]])  # no newline between
    assert not made.constrain(torch.cat([unbroken, torch.full((1, 2), NEWLINE)], 1)).any()


def test_a_beam_writes_under_the_rules() -> None:
    symbols = vocabulary()
    made = rules(symbols, form="jueju5")
    decoder = Constrained(Uniform(len(symbols)), made)
    (found,) = beam(decoder, decoder.start(None), torch.tensor([BEGIN]), END, made.length, width=3, n_best=2)
    for one in found:
        assert check(poems(torch.tensor([[*one.tokens, END]]), symbols, made)[0], "jueju5").ok


def test_the_price_is_the_share_that_the_rules_cut_off() -> None:
    symbols = vocabulary()
    made, decoder = rules(symbols, form="jueju5"), Uniform(len(symbols))
    tokens = write(decoder, torch.tensor([BEGIN]), made, 3)
    allowed = [made.constrain(tokens[:, :t]).sum(1).numpy() for t in range(made.length)]
    found = price(decoder, torch.tensor([BEGIN]), made, tokens)
    assert found.free == pytest.approx(len(symbols))
    assert found.ruled == pytest.approx(numpy.exp(numpy.log(allowed).mean()))
    assert found.factor == pytest.approx(found.free / found.ruled)
    with pytest.raises(OptionError, match="breaks the rules"):
        price(decoder, torch.tensor([BEGIN]), made, torch.full_like(tokens, NEWLINE))


def test_what_cannot_be_written_is_said_at_the_start() -> None:
    symbols = vocabulary()
    with pytest.raises(OptionError, match=r"七律 needs 4 characters that rhyme, but the fullest group has only 0"):
        rules(["<end>", "\n", *"abc"], form="lushi7")
    with pytest.raises(OptionError, match=r"五絕 needs 2 .* but the rhyme group 東 has only 1"):
        rules(["<end>", "\n", *"月天東"], form="jueju5", rhyme="東")
    with pytest.raises(OptionError, match="the vocabulary fills no tonal pattern"):
        rules(["<end>", "\n", *"天東同紅"], form="jueju5")
    with pytest.raises(OptionError, match="needs 4 characters, not 3"):
        rules(symbols, form="jueju5", acrostic="春夏秋")
    with pytest.raises(DataError, match="'龘' isn't in the vocabulary"):
        rules([*symbols, *"春夏秋"], form="jueju5", acrostic="春夏秋龘")
    with pytest.raises(OptionError, match="no rhyme group 'nothing'"):
        rules(symbols, form="jueju5", rhyme="nothing")
    with pytest.raises(OptionError, match="at least 1"):
        write(Uniform(len(symbols)), torch.tensor([BEGIN]), rules(symbols), 0)


def test_a_row_without_a_way_is_an_error_of_the_search() -> None:
    symbols = ["<end>", "\n", "<begin>", *"月天東風空中"]

    class Wrong(Uniform):
        def constrain(self, prefix: Tensor) -> Tensor:
            return torch.arange(self.size).expand(len(prefix), -1) == END

    with pytest.raises(SearchError, match="no token"):
        write(Wrong(len(symbols)), torch.tensor([BEGIN]), rules(symbols, form="jueju5"), 1)
