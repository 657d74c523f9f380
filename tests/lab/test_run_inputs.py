"""Inputs of a run's first unit are those that its model gives it: states by the equations are the model's own."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest
import torch

from gruworks.errors import OptionError
from gruworks.lab.gates import of_run
from gruworks.lab.run_inputs import run_inputs
from gruworks.nn.functional import gru_layer


def test_a_writer_reads_symbols(tmp_path: Path) -> None:
    from gruworks import Generator
    from gruworks.data.text import Document
    from tests.tasks.generate.conftest import TINY, prose

    run = Generator(**(TINY | {"steps": 2, "validate_every": 1})).fit([Document(prose())], quiet=True)
    path = run.save(tmp_path / "run")
    look = of_run(path, text="a\n☃")
    assert look.reads == ["a", "\\n", "?"]
    net = Generator.load(path).model
    assert net is not None
    numbers = torch.from_numpy(numpy.asarray(run.codec.vocabulary.encode("a\n☃"), dtype=numpy.int64))  # type: ignore[union-attr]
    first = net.stack.blocks[0]  # type: ignore[union-attr]
    x = first.norm(net.embedding(numbers[:, None]))  # type: ignore[operator,union-attr]
    states, _ = gru_layer(x, None, first.gru.weights())  # type: ignore[union-attr]
    assert look.state == pytest.approx(states[:, 0].detach().numpy(), abs=1e-6)
    with pytest.raises(OptionError, match="needs --text"):
        of_run(path)
    with pytest.raises(OptionError, match=r"needs --text|takes no --audio"):
        of_run(path, audio="a.wav")


def test_a_translator_reads_subwords(tmp_path: Path) -> None:
    from gruworks import Translator
    from tests.tasks.translate.conftest import SHORT, toy

    path = Translator(**SHORT).fit(toy(), quiet=True).save(tmp_path / "run")
    heard = run_inputs(path, text=toy()[0][0])
    assert len(heard.reads) == len(heard.x) >= 1
    assert of_run(path, text=toy()[0][0]).state.shape == (len(heard.x), heard.gru.hidden_size)


def test_a_transcriber_reads_a_recording(tmp_path: Path) -> None:
    import soundfile

    from gruworks import Transcriber
    from tests.tasks.transcribe.conftest import RATE, say, write

    folder = write(tmp_path / "data", range(12))
    path = (
        Transcriber(hidden_size=8, channels=8, steps=2, validate_every=1).fit(folder, quiet=True).save(tmp_path / "r")
    )
    soundfile.write(tmp_path / "a.wav", say("ab"), RATE)
    look = of_run(path, audio=tmp_path / "a.wav")
    assert look.reads[0] == "0.00s"
    assert len(look.update) == len(look.reads) > 3
    with pytest.raises(OptionError, match="needs --audio"):
        of_run(path)
