"""Training loss (CTC, with attention where configured), validation loss, and the call of the training loop."""

from __future__ import annotations

import torch
from rapidfuzz.distance import Levenshtein
from torch import Tensor

from gruworks.tasks.transcribe.alphabet import BLANK
from gruworks.tasks.transcribe.attention_decoder import padded
from gruworks.tasks.transcribe.config import Config
from gruworks.tasks.transcribe.data import Batch, Corpus
from gruworks.tasks.transcribe.model import TranscribeNet
from gruworks.tasks.transcribe.planning import CURVE
from gruworks.training.fit import Fitted, fit
from gruworks.training.minutes import Minutes
from gruworks.training.runs import RunFolder

__all__ = ["best_path", "ctc_loss", "fit_corpus"]

CTC_WEIGHT = 0.1  # of the CTC loss in the validation loss


def fit_corpus(
    model: TranscribeNet, train: Corpus, held: Corpus, config: Config, run: RunFolder, quiet: bool, resume: bool,
    minutes: Minutes | None = None,
) -> Fitted:  # fmt: skip
    """Train `model` in place on `train`; validation on `held` chooses the checkpoint."""
    what = f"learning to transcribe, {len(train)} recordings"
    return fit(
        model, ctc_loss, train.draw, held.whole(), config.training, run, what, quiet=quiet, resume=resume,
        weigh=lambda batch: int(batch["counts"].sum()), minutes=minutes, curve=CURVE,
    )  # fmt: skip


def ctc_loss(model: TranscribeNet, batch: Batch) -> Tensor:
    """Loss of a batch, per token.

    Training: the negative log-likelihood of the transcripts (Graves et al. 2006); a model with an attention decoder
    adds that decoder's, weighted by `attention` (Watanabe et al. 2017, eq. 12).

    Validation: the token error rate of the best path, plus 0.1 times the CTC loss, clipped at 10. The loss alone rises
    by overconfidence while transcripts still improve; the error rate alone is constant while all outputs are blanks.
    """
    steps, lengths = model.encode(batch["features"], batch["lengths"])
    answer, count = model.answer(steps), batch["counts"].sum()
    # zero_infinity: a recording that augmentation made too short for its transcript gives no gradient.
    loss: Tensor = torch.nn.functional.ctc_loss(
        answer.transpose(0, 1), batch["symbols"], lengths, batch["counts"], BLANK, reduction="sum", zero_infinity=True
    ) / count  # fmt: skip
    texts = [text.tolist() for text in torch.split(batch["symbols"], batch["counts"].tolist())]
    if not model.training:
        paths = best_path(answer, lengths)
        return CTC_WEIGHT * loss.clamp(max=10) + sum(map(Levenshtein.distance, paths, texts)) / count
    if model.attention_decoder is None:
        return loss
    attention = -model.attention_decoder(steps, lengths, *padded(texts)).sum() / count
    joint: Tensor = (1 - model.attention) * loss + model.attention * attention
    return joint


def best_path(answer: Tensor, lengths: Tensor) -> list[list[int]]:
    """Greedy CTC decoding of log-probabilities [B, T, V]: the most probable tokens without repetitions and blanks."""
    rows = []
    for best, length in zip(answer.argmax(-1), lengths.tolist(), strict=True):
        collapsed = torch.unique_consecutive(best[:length])
        rows.append(collapsed[collapsed != BLANK].tolist())
    return rows
