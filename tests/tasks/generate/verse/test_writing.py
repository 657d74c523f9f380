"""Scripts at the edge; what writes under the rules is tested with the constraint."""

from __future__ import annotations

import sys

import pytest

from gruworks.errors import MissingExtraError, OptionError
from gruworks.tasks.generate.verse import writing


def test_scripts_are_converted() -> None:
    pytest.importorskip("opencc", reason="opencc is not installed: pip install 'gruworks[generate]'")
    assert writing.to_script("漢語詩歌", "simplified") == "汉语诗歌"
    assert writing.to_script("汉语诗歌", "traditional") == "漢語詩歌"


def test_what_is_learnt_stays_and_other_scripts_are_refused() -> None:
    assert writing.to_script("漢语", "as-learnt") == "漢语"
    with pytest.raises(OptionError, match="not 'seal'"):
        writing.to_script("漢", "seal")


def test_a_missing_opencc_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opencc", None)
    writing._converter.cache_clear()
    with pytest.raises(MissingExtraError, match=r"gruworks\[generate\]"):
        writing.to_script("漢", "simplified")
