"""CTC's loss, how a fit is judged, and how batches reach the one fitting loop."""

from __future__ import annotations

import torch
from rapidfuzz.distance import Levenshtein
from torch import Tensor

from gruworks.tasks.transcribe.alphabet import BLANK
from gruworks.tasks.transcribe.config import Config
from gruworks.tasks.transcribe.data import Batch, Corpus
from gruworks.tasks.transcribe.model import TranscribeNet
from gruworks.training.fit import Fitted, fit
from gruworks.training.runs import RunFolder

__all__ = ["best_path", "ctc_loss", "fit_corpus"]

SHARE_OF_LOSS = 0.1


def fit_corpus(
    model: TranscribeNet,
    train: Corpus,
    held: Corpus,
    config: Config,
    run: RunFolder,
    quiet: bool,
    resume: bool,
) -> Fitted:
    """Fit `model` in place; the epoch is chosen on `held`."""
    what = f"learning to transcribe, {len(train)} recordings"
    return fit(
        model, ctc_loss, train.draw, held.whole(), config.training, run, what, quiet=quiet, resume=resume,
        weigh=lambda batch: int(batch["counts"].sum()),
    )  # fmt: skip


def ctc_loss(model: torch.nn.Module, batch: Batch) -> Tensor:
    """In training: the negative log-likelihood of the transcripts per symbol (Graves et al. 2006).

    Where the model has an attention decoder, its share of the loss is that decoder's (Watanabe et al. 2017, eq. 12).

    In validation: the symbol error rate of the best path, and a tenth of CTC's loss, capped. The likelihood alone
    would choose too early, it gets worse by overconfidence while the text still gets better; the errors alone stand
    still at 1 as long as nothing but blanks comes.
    """
    decoder = getattr(model, "attention_decoder", None)
    if decoder is None or not isinstance(model, TranscribeNet):
        answer, lengths = model(batch["features"], batch["lengths"])
        loss = _likelihood(answer, lengths, batch)
        return loss if model.training else _judged(loss, answer, lengths, batch)
    steps, lengths = model.encode(batch["features"], batch["lengths"])
    answer = model.answer(steps)
    loss = _likelihood(answer, lengths, batch)
    if not model.training:
        return _judged(loss, answer, lengths, batch)
    texts = torch.split(batch["symbols"], batch["counts"].tolist())
    symbols = torch.nn.utils.rnn.pad_sequence(list(texts), batch_first=True)
    spelled = -decoder(steps, lengths, symbols, batch["counts"]).sum() / batch["counts"].sum()
    joint: Tensor = (1 - model.attention) * loss + model.attention * spelled
    return joint


def _likelihood(answer: Tensor, lengths: Tensor, batch: Batch) -> Tensor:
    total = torch.nn.functional.ctc_loss(
        # A recording that augmentation has made too short for its text teaches nothing, instead of infinity.
        answer.transpose(0, 1), batch["symbols"], lengths, batch["counts"], BLANK, reduction="sum", zero_infinity=True
    )  # fmt: skip
    return total / batch["counts"].sum()


def _judged(loss: Tensor, answer: Tensor, lengths: Tensor, batch: Batch) -> Tensor:
    texts = torch.split(batch["symbols"], batch["counts"].tolist())
    paths = best_path(answer, lengths)
    wrong = sum(Levenshtein.distance(path, text.tolist()) for path, text in zip(paths, texts, strict=True))
    return SHARE_OF_LOSS * loss.clamp(max=10) + wrong / batch["counts"].sum()


def best_path(answer: Tensor, lengths: Tensor) -> list[list[int]]:
    """The likeliest symbol of each step [B, T, V], repetitions and blanks taken out."""
    rows = []
    for best, length in zip(answer.argmax(-1), lengths.tolist(), strict=True):
        collapsed = torch.unique_consecutive(best[:length])
        rows.append(collapsed[collapsed != BLANK].tolist())
    return rows
