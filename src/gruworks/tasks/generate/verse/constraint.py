"""Regulated verse as a mask on the next symbol: whatever is written under it keeps the rules, and never gets stuck.

What is alive is kept apart for each pattern: the ways in which its current couplet may go on, and the rhyme groups that
all its rhymes so far share. A character is allowed where an alive way wants one of its tones there and, at a rhyme,
one of its level readings stands in an alive group. A group is alive at first if it has enough characters in the
vocabulary for all rhymes, so that there is always a next one. All of it is worked out from the prefix: a beam may
reorder its rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor

from gruworks.errors import DataError, OptionError
from gruworks.tasks.generate.verse.forms import PATTERNS, VerseOptions, couplets, find_form
from gruworks.tasks.generate.verse.rhyme import LEVEL_GROUPS, RhymeTable, rhyme_table

__all__ = ["VerseConstraint"]

Array = NDArray[Any]
EITHER, LEVEL, OBLIQUE = 0, 1, 2  # what a place wants; LEVEL and OBLIQUE are bits of what a character is
WANTS = {"中": EITHER, "平": LEVEL, "仄": OBLIQUE}


class VerseConstraint:
    """The rules of `options` over a vocabulary: `constrain` says what may come next.

    >>> symbols = ["<end>", "\\n", *"東風白日依山盡更上一層樓流休秋"]
    >>> rules = VerseConstraint(VerseOptions(form="jueju5"), symbols, newline=1, end=0)
    >>> rules.constrain(torch.empty(2, 0, dtype=torch.long)).shape
    torch.Size([2, 17])

    A poem is written as lines that each end in `newline`, and `end`; then only `end` may follow. Symbols that aren't
    one Chinese character are never written. A character that the table hasn't stands only where either tone may.

    Args:
        symbols: the vocabulary's V symbols. newline, end: the numbers of those two.

    Raises:
        OptionError: no such form or rhyme group, an acrostic of the wrong length, or a vocabulary in which no
            poem of this form can be written. DataError: an acrostic character that the vocabulary hasn't.
    """

    def __init__(
        self, options: VerseOptions, symbols: Sequence[str], newline: int, end: int, table: RhymeTable | None = None
    ) -> None:
        table = rhyme_table() if table is None else table
        self.form = find_form(options.form)
        self.newline, self.end = newline, end
        self.symbols, self.patterns = len(symbols), PATTERNS if options.pattern == "any" else (options.pattern,)
        self._sounds(symbols, table)
        self._acrostic = self._first_characters(options.acrostic, symbols)
        self._meter()
        self._rhymes(options.rhyme, table)
        self._can_be_written(options)

    @property
    def length(self) -> int:
        """The symbols of one poem, newlines and the end counted."""
        return self.form.lines * (self.form.length + 1) + 1

    def constrain(self, prefix: Tensor) -> Tensor:
        """prefix [N, t] → what may come next, True where allowed [N, V]."""
        return torch.from_numpy(self.mask(prefix.cpu().numpy())).to(prefix.device)

    def mask(self, prefix: Array) -> Array:
        """As `constrain`, in NumPy. A prefix that breaks the rules may not go on."""
        count, t = prefix.shape
        line, place = divmod(t, self.form.length + 1)
        if t >= self.length - 1 or place == self.form.length:
            allowed = numpy.zeros((count, self.symbols), numpy.bool_)
            allowed[:, self.end if t >= self.length - 1 else self.newline] = True
            return allowed
        ways = self._ways(prefix, line)
        groups, used = self._shared(prefix, line)
        ways &= (groups != 0)[..., None]
        if place == self.form.length - 1 and (line % 2 or line == 0):
            return self._at_rhyme(ways, groups, used, line)
        allowed = self._by_tone(ways, self._wants[line, place])
        if place == 0 and self._acrostic is not None:
            allowed &= numpy.arange(self.symbols) == self._acrostic[line]
        return allowed

    def _ways(self, prefix: Array, line: int) -> Array:
        """Mask of the ways of the current couplet that are alive [N, patterns, ways]."""
        width, (count, t) = self.form.length + 1, prefix.shape
        alive = self._possible[None, :, line // 2].repeat(count, 0)
        for couplet in range(line // 2 + 1):
            fitting = self._possible[None, :, couplet].repeat(count, 0)
            for number in (2 * couplet, 2 * couplet + 1):
                written = prefix[:, number * width : min((number + 1) * width, t)]
                characters = written[:, : self.form.length]
                wants = self._wants[number, : characters.shape[1]]  # [places, patterns, ways]
                fitting &= self._fits[wants, self._tones[characters][:, :, None, None]].all(1)
                fitting &= (written[:, self.form.length :] == self.newline).all(1)[:, None, None]
                if self._acrostic is not None and characters.shape[1]:
                    fitting &= (characters[:, 0] == self._acrostic[number])[:, None, None]
            alive &= fitting if couplet == line // 2 else fitting.any(2, keepdims=True)
        return alive

    def _shared(self, prefix: Array, line: int) -> tuple[Array, list[Array]]:
        """For each pattern the groups that all rhymes before `line` share, as bits [N, patterns], and these rhymes."""
        groups, used = self._viable[None].repeat(len(prefix), 0), []
        for pattern, rhymed in enumerate(self._rhymed):
            places = [n for n in range(line) if n % 2 or (n == 0 and rhymed)]
            rhymes = prefix[:, [n * (self.form.length + 1) + self.form.length - 1 for n in places]]
            for column in range(rhymes.shape[1]):
                again = (rhymes[:, :column] == rhymes[:, column : column + 1]).any(1)
                groups[:, pattern] &= numpy.where(again, 0, self._groups[rhymes[:, column]])
            used.append(rhymes)
        return groups, used

    def _by_tone(self, ways: Array, wants: Array) -> Array:
        """Mask of the tokens that the alive ways allow by tone alone [N, V]."""
        allowed = numpy.zeros((len(ways), self.symbols), numpy.bool_)
        for want in (EITHER, LEVEL, OBLIQUE):
            asked = (ways & (wants == want)).any((1, 2))
            allowed |= asked[:, None] & self._allowed[want]
        return allowed

    def _at_rhyme(self, ways: Array, groups: Array, used: list[Array], line: int) -> Array:
        """Mask of the tokens that may end a rhyming line, in some patterns at least [N, V]."""
        unrhymed = ~self._rhymed & (line == 0)
        allowed = self._by_tone(ways & unrhymed[:, None], self._wants[line, -1])
        for pattern in numpy.flatnonzero(~unrhymed):
            shares = (self._groups & groups[:, pattern, None]) != 0
            numpy.put_along_axis(shares, used[pattern], False, 1)
            allowed |= shares & numpy.any(ways[:, pattern], axis=1, keepdims=True)
        return allowed

    def _sounds(self, symbols: Sequence[str], table: RhymeTable) -> None:
        """Properties of each token: a character, its tones as bits, its level groups as bits."""
        characters = numpy.array([len(one) == 1 and "\u3400" <= one <= "\u9fff" for one in symbols])
        tones = [table.tones(one) if known else "" for one, known in zip(symbols, characters, strict=True)]
        self._tones = numpy.array([LEVEL * ("平" in one) + OBLIQUE * ("仄" in one) for one in tones])
        shared = [sum(1 << n for n in table.groups(one)) if len(one) == 1 else 0 for one in symbols]
        self._groups = numpy.where(characters, numpy.array(shared, numpy.int64), 0)
        self._allowed = [characters, characters & (self._tones & LEVEL > 0), characters & (self._tones & OBLIQUE > 0)]
        self._fits = numpy.array([[want == EITHER or bool(want & tone) for tone in range(4)] for want in range(3)])

    def _first_characters(self, acrostic: str, symbols: Sequence[str]) -> Array | None:
        if not acrostic:
            return None
        if len(acrostic) != self.form.lines:
            raise OptionError(
                f"an acrostic of {self.form.chinese} needs {self.form.lines} characters, not {len(acrostic)}"
            )
        numbers = {one: number for number, one in enumerate(symbols) if self._allowed[EITHER][number]}
        for character in acrostic:
            if character not in numbers:
                raise DataError(
                    f"the acrostic's {character!r} isn't in the vocabulary: take another, or the other script's"
                )
        return numpy.array([numbers[character] for character in acrostic])

    def _meter(self) -> None:
        """Tones of places [lines, length, patterns, ways]; ways that can be written [patterns, couplets, ways]."""
        form, found = self.form, [couplets(self.form, pattern) for pattern in self.patterns]
        most = max(len(ways) for pattern in found for ways in pattern)
        self._wants = numpy.zeros((form.lines, form.length, len(found), most), numpy.int8)
        self._possible = numpy.zeros((len(found), form.lines // 2, most), numpy.bool_)
        for p, pattern in enumerate(found):
            for c, ways in enumerate(pattern):
                for w, way in enumerate(ways):
                    wants = numpy.array([WANTS[tone] for tone in way]).reshape(2, form.length)
                    self._wants[2 * c : 2 * c + 2, :, p, w] = wants
                    self._possible[p, c, w] = self._writable(wants, 2 * c)
        self._rhymed: Array = numpy.array([pattern.endswith("-rhymed") for pattern in self.patterns])

    def _writable(self, wants: Array, line: int) -> bool:
        """True where the vocabulary has a character for each place, and the acrostic's fit the first places."""
        if not all(self._allowed[want].any() for want in wants.ravel()):
            return False
        if self._acrostic is None:
            return True
        return bool(self._fits[wants[:, 0], self._tones[self._acrostic[line : line + 2]]].all())

    def _rhymes(self, rhyme: str, table: RhymeTable) -> None:
        """The groups, as bits, that have enough characters for all rhymes of each pattern [patterns]."""
        wanted = range(LEVEL_GROUPS) if rhyme == "any" else [table.group(rhyme)]
        enough = [int((self._groups >> group & 1).sum()) for group in wanted]
        rhymes = self.form.lines // 2 + self._rhymed
        self._viable = numpy.array(
            [sum(1 << group for group, have in zip(wanted, enough, strict=True) if have >= need) for need in rhymes],
            numpy.int64,
        )
        self._most = max(enough)

    def _can_be_written(self, options: VerseOptions) -> None:
        if not (self._viable != 0).any():
            group = "the fullest group" if options.rhyme == "any" else f"the rhyme group {options.rhyme}"
            raise OptionError(
                f"{self.form.chinese} needs {int((self.form.lines // 2 + self._rhymed).min())} characters that rhyme, "
                f"but {group} has only {self._most} in this vocabulary"
            )
        fitting = numpy.all(numpy.any(self._possible, 2), 1)
        if not (fitting & (self._viable != 0)).any():
            raise OptionError(
                f"{self.form.chinese} can't be written: the vocabulary fills no tonal pattern ({options.pattern})"
            )
        self._viable = numpy.where(fitting, self._viable, 0)
