"""Regulated verse as a constraint on decoding: a mask of the next tokens that excludes faults and dead ends.

For each tonal pattern, the constraint tracks which tone sequences (`ways`) of the current couplet fit the prefix, and
which rhyme groups all rhymes so far share. A character is allowed if a fitting way asks for one of its tones and, at a
rhyme, if one of its level readings is in a shared group. A group is only considered if the vocabulary has enough of its
characters for all rhymes, so that a next token always exists. The mask depends on the prefix alone, because a beam
search reorders its rows.
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
EITHER, LEVEL, OBLIQUE = 0, 1, 2  # tones that a pattern asks for; LEVEL and OBLIQUE are bits of a character's tones
WANTS = {"中": EITHER, "平": LEVEL, "仄": OBLIQUE}


class VerseConstraint:
    """Constraint of regulated verse over a vocabulary; `constrain` gives the mask of the next tokens.

    >>> symbols = ["<end>", "\\n", *"東風白日依山盡更上一層樓流休秋"]
    >>> rules = VerseConstraint(VerseOptions(form="jueju5"), symbols, newline=1, end=0)
    >>> rules.constrain(torch.empty(2, 0, dtype=torch.long)).shape
    torch.Size([2, 17])

    A poem is a sequence of lines that each end in `newline`, and `end`, after which only `end` may follow. Tokens that
    are not one Chinese character are excluded. A character without a known tone is only allowed where either tone is.

    Args:
        options: form, pattern, rhyme group and acrostic.
        symbols: the V tokens of the vocabulary. newline, end: indices of these two tokens.
        table: tones and rhyme groups of characters; by default those of `rhyme_table`.

    Raises:
        OptionError: an unknown form or rhyme group, an acrostic of the wrong length, or a vocabulary in which no
            poem of this form can be written.
        DataError: a character of the acrostic is not in the vocabulary.
    """

    def __init__(
        self, options: VerseOptions, symbols: Sequence[str], newline: int, end: int, table: RhymeTable | None = None
    ) -> None:
        table = rhyme_table() if table is None else table
        self.form = find_form(options.form)
        self.newline, self.end = newline, end
        self.symbols, self.patterns = len(symbols), PATTERNS if options.pattern == "any" else (options.pattern,)
        self._sounds(symbols, table)
        self._first = self._first_characters(options.acrostic, symbols)
        self._meter()
        self._rhymes(options.rhyme, table)
        self._can_be_written(options)

    @property
    def length(self) -> int:
        """Number of tokens of a poem, newlines and end token included."""
        return self.form.lines * (self.form.length + 1) + 1

    def constrain(self, prefix: Tensor) -> Tensor:
        """Mask [N, V] of the tokens allowed after a prefix [N, t]."""
        return torch.from_numpy(self.mask(prefix.cpu().numpy())).to(prefix.device)

    def mask(self, prefix: Array) -> Array:
        """As `constrain`, in NumPy; nothing is allowed after a prefix that breaks the rules."""
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
        return allowed & self._first[line] if place == 0 else allowed

    def _ways(self, prefix: Array, line: int) -> Array:
        """Mask [N, patterns, ways] of the ways of the current couplet that fit the prefix."""
        width, (count, t) = self.form.length + 1, prefix.shape
        kept = self._possible[None, :, line // 2].repeat(count, 0)
        for couplet in range(line // 2 + 1):
            fitting = self._possible[None, :, couplet].repeat(count, 0)
            for number in (2 * couplet, 2 * couplet + 1):
                written = prefix[:, number * width : min((number + 1) * width, t)]
                characters = written[:, : self.form.length]
                wants = self._wants[number, : characters.shape[1]]  # [places, patterns, ways]
                fitting &= self._fits[wants, self._tones[characters][:, :, None, None]].all(1)
                fitting &= (written[:, self.form.length :] == self.newline).all(1)[:, None, None]
                fitting &= self._first[number, characters[:, :1]].all(1)[:, None, None]
            kept &= fitting if couplet == line // 2 else fitting.any(2, keepdims=True)
        return kept

    def _shared(self, prefix: Array, line: int) -> tuple[Array, list[Array]]:
        """Groups that all rhymes before `line` share, as bits [N, patterns], and these rhymes for each pattern."""
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
        """Mask [N, V] of the tokens that the ways [N, patterns, ways] allow by tone."""
        allowed = numpy.zeros((len(ways), self.symbols), numpy.bool_)
        for want in (EITHER, LEVEL, OBLIQUE):
            asked = (ways & (wants == want)).any((1, 2))
            allowed |= asked[:, None] & self._allowed[want]
        return allowed

    def _at_rhyme(self, ways: Array, groups: Array, used: list[Array], line: int) -> Array:
        """Mask [N, V] of the tokens that may end a line that rhymes in at least one pattern."""
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

    def _first_characters(self, acrostic: str, symbols: Sequence[str]) -> Array:
        """Mask [lines, V] of the first characters of each line."""
        form, first = self.form, numpy.ones((self.form.lines, self.symbols), numpy.bool_)
        if acrostic and len(acrostic) != form.lines:
            raise OptionError(f"an acrostic of {form.chinese} needs {form.lines} characters, not {len(acrostic)}")
        for line, character in enumerate(acrostic):
            first[line] = self._allowed[EITHER] & numpy.array([one == character for one in symbols])
            if not first[line].any():
                raise DataError(f"the acrostic's {character!r} isn't in the vocabulary: try the other script")
        return first

    def _meter(self) -> None:
        """Tones [lines, length, patterns, ways], and mask [patterns, couplets, ways] of the possible ways."""
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
        """True if the vocabulary has a character of each tone, and the acrostic has the first ones."""
        first = [(self._first[line + n] & self._allowed[want]).any() for n, want in enumerate(wants[:, 0])]
        return all(first) and all(self._allowed[want].any() for want in wants.ravel())

    def _rhymes(self, rhyme: str, table: RhymeTable) -> None:
        """Groups, as bits [patterns], with enough characters in the vocabulary for all rhymes of a pattern."""
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
