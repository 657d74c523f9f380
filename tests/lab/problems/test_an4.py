"""AN4 as a task: CTC by hand, utterances normalised and batched, speakers held out, the archive read and refused."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy
import pytest
import torch

from gruworks.errors import DataError, OptionError
from gruworks.lab.problems import an4
from gruworks.lab.problems.an4 import INPUTS, OUTPUTS, Said, ctc, speech


def said(speakers: int, each: int) -> list[Said]:
    rng = numpy.random.default_rng(0)
    return [
        Said(3 + rng.random((int(rng.integers(5, 60)), INPUTS), numpy.float32), [1 + k, 2, 3], f"s{speaker:02}")
        for speaker in range(speakers)
        for k in range(each)
    ]


def test_the_loss_is_that_of_all_paths() -> None:
    torch.manual_seed(0)
    scores = torch.randn(3, OUTPUTS, dtype=torch.float64)
    log_p = scores.log_softmax(-1)
    a, b = 5, 7
    paths = [(a, b, 0), (a, 0, b), (0, a, b), (a, a, b), (a, b, b)]
    expected = -torch.stack([sum(log_p[t, s] for t, s in enumerate(path)) for path in paths]).logsumexp(0)  # type: ignore[misc]
    short = torch.randn(1, OUTPUTS, dtype=torch.float64)
    # Two rows: three steps that say a b, one that says b; answers come time first.
    answers = torch.stack([scores[0], short[0], scores[1], scores[2]])
    y = torch.tensor([[3, a, b], [1, b, -1]])
    total = expected - short.log_softmax(-1)[0, b]
    torch.testing.assert_close(ctc(answers, y), total / 3)


def test_one_speaker_in_ten_is_validated_on_and_steps_are_normalised() -> None:
    own, other = said(20, 3), said(2, 2)
    made = speech(4, 10, 0, (own, other))
    assert sum(len(batch.y) for batch in made.valid) == 6
    assert sum(len(batch.y) for batch in made.test) == 4
    batch = made.draw(0, 0)
    for row in range(4):
        steps = int(batch.y[row, 0])
        assert batch.asked[:, row].sum() == steps
        assert batch.x[:steps, row].mean(0).abs().max() < 1e-4
        assert not batch.x[steps:, row].any()
    drawn = [tuple(made.draw(0, i).y[:, 0].tolist()) for i in range(10)]
    assert drawn != [tuple(speech(4, 10, 1, (own, other)).draw(0, i).y[:, 0].tolist()) for i in range(10)]


def test_more_rows_than_utterances_are_refused() -> None:
    with pytest.raises(OptionError, match="54 utterances don't fill one batch of 100: take a smaller batch"):
        speech(100, 10, 0, (said(20, 3), said(2, 2)))


def archive(path: Path, **files: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as made:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            made.addfile(info, io.BytesIO(content))


def test_the_archive_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRUWORKS_DATA", str(tmp_path))
    frames = numpy.arange(7 * 13, dtype=">f4")
    content = (7 * 13).to_bytes(4, "big") + frames.tobytes()
    files = {
        "an4/etc/an4_train.fileids": b"an4_clstk/fash/one",
        "an4/etc/an4_train.transcription": b"<s> GO AT </s> (one)\n",
        "an4/etc/an4_test.fileids": b"an4test_clstk/fcaw/two",
        "an4/etc/an4_test.transcription": b"YES (two)\n",
        "an4/feat/an4_clstk/fash/one.mfc": content,
        "an4/feat/an4test_clstk/fcaw/two.mfc": content,
    }
    path = tmp_path / "speech" / "an4-mfcc.tar.gz"
    archive(path, **files)
    (one,), (two,) = an4._read()
    assert one.x.tolist() == frames[: 6 * 13].reshape(2, INPUTS).tolist()
    assert (one.speaker, two.speaker) == ("fash", "fcaw")
    assert "".join(an4.LETTERS[i - 1] for i in one.letters) == "go at"
    files["an4/feat/an4_clstk/fash/one.mfc"] = content[:-5]
    archive(path, **files)
    with pytest.raises(DataError, match="an4_clstk/fash/one: expected a Sphinx feature file, a count and frames of"):
        an4._read()
    del files["an4/feat/an4_clstk/fash/one.mfc"]
    archive(path, **files)
    with pytest.raises(DataError, match=r"an4-mfcc\.tar\.gz is not AN4's features"):
        an4._read()
    path.write_bytes(b"no archive")
    with pytest.raises(DataError, match=r"an4-mfcc\.tar\.gz is not AN4's features"):
        an4._read()
