"""Answers that are remembered: by what was asked, and no more bytes than may be."""

from __future__ import annotations

from gruworks.app.server.routes.trace import Remembered


def test_the_answers_not_asked_for_longest_are_forgotten() -> None:
    answers, made = Remembered(10), []

    def of(key: str, size: int = 4) -> bytes:
        return answers.of(key, lambda: (made.append(key), b"x" * size)[1])

    for key in "abaca":
        of(key)
    assert made == ["a", "b", "c"]
    of("b")
    assert made == ["a", "b", "c", "b"]
    of("large", 11)
    assert (answers.size, list(answers.answers)) == (0, [])
