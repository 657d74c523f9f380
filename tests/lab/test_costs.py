"""Memory kept for the backward can be counted by hand where the kept tensors are known."""

from __future__ import annotations

from gruworks.lab.costs import measure

H = 8


def test_the_plain_unit_keeps_its_states_and_a_gru_more() -> None:
    plain, gru = (measure(name, 2, H, "equations", steps=20, rows=4, repeats=1) for name in ("rnn", "gru"))
    # tanh keeps its own result, which the next product keeps too; the first state is one more.
    assert 4 * H <= plain.bytes <= 4 * H * 1.1
    assert gru.bytes > 3 * plain.bytes
    assert plain.microseconds > 0


def test_what_is_kept_does_not_depend_on_the_length_by_step() -> None:
    short, long = (measure("mgu", 2, H, "equations", steps=steps, rows=4, repeats=1).bytes for steps in (20, 80))
    assert abs(short - long) < 0.1 * long
