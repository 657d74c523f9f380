"""`gruworks card`: printed or written; of any task, or of the one that was named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gruworks.tasks.translate.config import Config
from gruworks.training.runs import RunFolder
from tests.app.conftest import Answer

Call = Callable[..., Answer]


def test_a_card_is_printed_or_written(tmp_path: Path, gruworks: Call) -> None:
    run = RunFolder.create(tmp_path / "run", "translate")
    run.write_json("config.json", Config.from_flat({"hidden_size": 64}).to_dict())
    run.write_json("metrics.json", {"steps": 3})
    status, out, err = gruworks("card", run.path)
    assert (status, err) == (0, "")
    assert "| hidden_size | 64 |" in out
    assert gruworks("translate", "card", run.path)[1] == out
    assert gruworks("card", run.path, "--out", tmp_path / "CARD.md") == (0, "", "")
    assert (tmp_path / "CARD.md").read_text(encoding="utf-8") == out
    status, _, err = gruworks("forecast", "card", run.path)
    assert status == 2
    assert "is a run of the task 'translate', not 'forecast'" in err
