"""`gruworks lab cost`: counts that are known, and an unknown cell."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.app.conftest import Answer


def test_parameters_and_their_ratio(gruworks: Callable[..., Answer]) -> None:
    status, out, _ = gruworks("lab", "cost", "--input", 3, "--hidden", 4, "--cells", "gru,lstm", "--json")
    gru, lstm = json.loads(out)["cells"]
    assert status == 0
    assert gru["parameters"] == 3 * (4 * 3 + 4 * 4 + 2 * 4)
    assert gru["parameters"] * 4 == lstm["parameters"] * 3
    assert gru["µs a step"] > 0


def test_an_unknown_cell_is_refused_with_the_names(gruworks: Callable[..., Answer]) -> None:
    status, _, err = gruworks("lab", "cost", "--cells", "grru")
    assert status == 2
    assert "there is no cell 'grru'; there are: " in err
