"""State dicts: selection, stacking, detaching, conversion to the layout of torch.nn.GRU."""

from __future__ import annotations

import torch

from gruworks.nn.state import detach, from_hidden, merge, part, select, stack, to_hidden


def test_rows_are_chosen_and_stacked_in_every_tensor() -> None:
    state = {"h": torch.arange(6.0).view(3, 2), "at": torch.arange(3)}
    chosen = select(state, torch.tensor([2, 0, 2]))
    assert chosen["h"].tolist() == [[4, 5], [0, 1], [4, 5]]
    assert chosen["at"].tolist() == [2, 0, 2]
    both = stack([state, chosen])
    assert part(merge([both, both]), 1).keys() == both.keys()
    assert both["at"].tolist() == [0, 1, 2, 2, 0, 2]


def test_a_detached_state_has_no_graph() -> None:
    h = torch.ones(2, 2, requires_grad=True) * 2
    assert not detach({"h": h})["h"].requires_grad


def test_the_layout_of_a_gru_turns_there_and_back() -> None:
    hidden = torch.randn(2, 5, 3)
    value = from_hidden(hidden)
    assert value.shape == (5, 2, 3)
    assert torch.equal(to_hidden(value), hidden)
    assert to_hidden(value).is_contiguous()
