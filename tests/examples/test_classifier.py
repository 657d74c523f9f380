"""examples/classifier.py: stepped by hand it is the whole sequence, torch's unit gives the same, and it learns."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
import torch

import gruworks
from tests.examples import EXAMPLES, load
from tests.tolerances import FLOAT32_OUTPUT, FLOAT64

SCRIPT = EXAMPLES / "classifier.py"


@pytest.fixture(scope="module")
def classifier():
    return load("classifier")


def steps(model, x):
    """The log-probabilities after each step of x [T, 10], the hidden state carried."""
    hidden, rows = model.init_hidden(), []
    for step in x:
        log_probabilities, hidden = model(step[None], hidden)
        rows.append(log_probabilities)
    return torch.stack(rows), hidden


def test_it_is_the_tutorials_classifier(classifier):
    model = classifier.Classifier()
    assert type(model.gru) is gruworks.GRU
    assert (model.gru.input_size, model.gru.hidden_size) == (10, 20)
    assert model.init_hidden().shape == (1, 20)
    assert len(SCRIPT.read_text(encoding="utf-8").splitlines()) <= 40


def test_probabilities_sum_to_one(classifier):
    torch.manual_seed(1)
    rows, _ = steps(classifier.Classifier(), torch.randn(7, 10))
    torch.testing.assert_close(rows.exp().sum(-1), torch.ones(7))
    assert rows.exp().min() > 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_stepping_is_the_whole_sequence(classifier, dtype):
    torch.manual_seed(2)
    model, x = classifier.Classifier().to(dtype), torch.randn(9, 10, dtype=dtype)
    rows, hidden = steps(model, x)
    whole, last = model(x, model.init_hidden())
    tolerance = FLOAT32_OUTPUT if dtype == torch.float32 else FLOAT64
    torch.testing.assert_close(rows[-1], whole, atol=tolerance, rtol=0)
    torch.testing.assert_close(hidden, last, atol=tolerance, rtol=0)
    assert not torch.allclose(rows[-1], steps(model, x[-1:])[0][-1], atol=1e-3)  # the state does carry something


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, FLOAT64), (torch.float32, FLOAT32_OUTPUT)])
def test_torchs_unit_in_its_place_gives_the_same(classifier, dtype, tolerance):
    torch.manual_seed(3)
    ours = classifier.Classifier().to(dtype)
    theirs = classifier.Classifier(torch.nn.GRU).to(dtype)
    assert type(theirs.gru) is torch.nn.GRU
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(12, 10, dtype=dtype)
    for mine, other in zip(steps(ours, x), steps(theirs, x), strict=True):
        torch.testing.assert_close(mine, other, atol=tolerance, rtol=0)


def test_it_learns_the_seasons():
    """Four classes of a year that it never saw: at least twice what naming the commonest one gets."""
    done = subprocess.run([sys.executable, str(SCRIPT)], capture_output=True, text=True, timeout=120, check=True)
    right, windows, commonest = map(int, re.findall(r"\d+", done.stdout))
    assert windows == 365 - 19  # the windows of 20 days that lie wholly within 2015
    assert 0.25 * windows < commonest < 0.3 * windows
    assert right >= 2 * commonest
