"""ETTh1's windows: where they lie, what is taken off them, and that no part reads another's answers."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy
import pytest
import torch

from gruworks.errors import DataError, OptionError
from gruworks.lab.problems.ett import EVERY, HORIZON, hours

HOURS = 14_400
COUNTED = numpy.stack([numpy.arange(HOURS), 5.0 * numpy.arange(HOURS) ** 1], 1).astype(float)


def test_windows_are_what_stands_before_their_answers() -> None:
    made = hours(16, 24, 10, seed=0, values=COUNTED)
    step = 1 / COUNTED[:8_640, 0].std()
    for batch in (made.draw(0, 3), made.valid[0], made.test[-1]):
        expected = step * torch.arange(-23.0, 1.0)
        for row in range(batch.x.shape[1]):
            torch.testing.assert_close(batch.x[:, row, 0], expected, atol=1e-3, rtol=0)
        torch.testing.assert_close(batch.y, (step * torch.arange(1.0, 97.0)).expand_as(batch.y), atol=1e-3, rtol=0)
        assert batch.asked.sum() == batch.x.shape[1]
        assert batch.asked[-1].all()


def test_parts_have_the_fields_split() -> None:
    made = hours(4, 720, 10, seed=0, values=COUNTED)
    windows = -(-(2_880 - HORIZON + 1) // EVERY)
    assert sum(batch.x.shape[1] for batch in made.valid) == sum(batch.x.shape[1] for batch in made.test) == 2 * windows
    distances = torch.arange(1.0, 97.0) / float(COUNTED[:8_640, 0].std())
    assert made.chance == pytest.approx(float(distances.square().mean()), rel=1e-3)


def test_a_seed_gives_its_batches_and_lengths_are_checked() -> None:
    rng = numpy.random.default_rng(0)
    values = rng.random((HOURS, 3))
    one, again, other = (hours(4, 50, 10, seed, values).draw(2, 1) for seed in (0, 0, 1))
    assert torch.equal(one.x, again.x)
    assert not torch.equal(one.x, other.x)
    with pytest.raises(OptionError, match="2 to 8544 steps, not 9000"):
        hours(4, 9_000, 10, 0, values)


@pytest.mark.parametrize(("content", "said"), [  # mtime: the same bytes, hence names, in every process
    (b"no archive", "is not the table of ETTh1"),
    (gzip.compress(b"date,a\n2016-07-01,x\n", mtime=0), "is not the table of ETTh1"),
    (gzip.compress(b"date,a,b,c,d,e,f,g\n" + 3 * b"2016-07-01 00:00:00,1,2,3,4,5,6,7\n", mtime=0), "has 3 rows"),
])  # fmt: skip
def test_what_is_no_table_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, said: str
) -> None:
    monkeypatch.setenv("GRUWORKS_DATA", str(tmp_path))
    (tmp_path / "forecast").mkdir()
    for name in ("ETTh1", "ETTh2"):
        (tmp_path / "forecast" / f"{name}.csv.gz").write_bytes(content)
    with pytest.raises(DataError, match=said):
        hours(4, 50, 10, 0)
