# Types of gruworks.tasks.translate.estimator with every setting: written by docs/make_signatures.py
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy
from numpy.typing import NDArray

from gruworks.settings import Settings
from gruworks.tasks.estimator import Estimator
from gruworks.tasks.translate.config import Config, Options
from gruworks.tasks.translate.data import Batch, Batches, Codec
from gruworks.tasks.translate.decoding import Translation
from gruworks.tasks.translate.evaluation import Evaluation
from gruworks.tasks.translate.model import TranslationNet
from gruworks.training.checked import Check
from gruworks.training.runs import RunFolder

__all__ = ["Explanation", "Translator"]

@dataclass(frozen=True)
class Explanation:
    source: list[str]
    target: list[str]
    weights: NDArray[numpy.float32]
    text: str

class Translator(Estimator):
    """Neural machine translation by a GRU encoder and decoder, with attention or as in Cho et al. 2014.

    >>> pairs = [("ein Hund", "a dog"), ("eine Katze", "a cat"), ("ein Hund schläft", "a dog sleeps")] * 3
    >>> small = Translator(steps=3, validate_every=3, hidden_size=8, embedding_size=8, attention_size=8)
    >>> len(small.fit(pairs, quiet=True).translate(["ein Hund", ""]))
    2

    `fit` takes pairs of strings, a .tsv, a .jsonl, a folder, or two line-aligned files as a tuple; `validation` the
    same, otherwise some of the pairs are held out. `Options` has what may vary from one translation to the next.

    Args:
        config: all settings in one object, instead of single ones.
        source (str, default 'src'): source language: the key in JSONL, the ending of its files in a folder
        target (str, default 'tgt'): target language: the key in JSONL, the ending of its files in a folder
        model (Literal['attention', 'cho2014'], default 'attention'): attention, or a fixed summary as in Cho et al.
            2014
        lowercase (bool, default False): lower-case both sides
        vocabulary_size (int, default 0): number of subwords; 0: by the corpus size; between 0 and 100000
        shared (bool, default True): one vocabulary and embedding for both sides
        bpe_dropout (float, default 0.1): BPE-dropout: probability that a merge is skipped in training; between 0.0
            and 0.9
        longest (int, default 100): maximum number of subwords of a sentence; between 4 and 1000
        ratio (float, default 4.0): maximum length ratio of a pair, as a multiple of the median; between 1.1 and
            1000
        validation (float, default 0.03): fraction of the pairs held out for validation; between 0.001 and 0.5
        batch_tokens (int, default 2000): maximum number of target subwords in a batch, with padding; at least 16
        embedding_size (int, default 256): embedding size; between 1 and 4096
        hidden_size (int, default 256): hidden size of the GRUs; between 1 and 4096
        layers (int, default 1): number of bidirectional encoder layers; between 1 and 8
        attention_size (int, default 128): attention size; between 1 and 4096
        maxout (int, default 500): cho2014: size of the maxout output layer; between 1 and 4096
        dropout (float, default 0.3): dropout probability of activations; one mask per sentence, shared by all
            steps; between 0 and 0.9
        word_dropout (float, default 0.1): probability that the embedding of a subword is zeroed; between 0.0 and
            0.9
        weight_dropout (float, default 0.0): dropout probability of the recurrent weights (DropConnect); between 0
            and 0.9
        smoothing (float, default 0.1): label smoothing; between 0.0 and 0.9
        summed (bool, default False): loss: sum over the tokens of a batch, not their mean; for adadelta
        reset (Literal['after', 'before'], default 'after'): reset gate after or before the product; cho2014: before
        steps (int, default 0): maximum number of optimizer steps; 0: as many as fit into minutes; at least 0
        minutes (float, default 20.0): duration of the whole fit in minutes; with steps, at most; between 0.01 and
            600.0
        patience (int, default 10): early stopping: validations without improvement before the fit ends; at least 1
        validate_every (int, default 200): optimiser steps between validations, each with a checkpoint; at least 1
        batch_size (int, default 96): maximum number of sentence pairs in a batch; at least 1
        learning_rate (float, default 0.002): learning rate after warm-up; between 1e-08 and 10.0
        optimizer (Literal['adamw', 'adadelta'], default 'adamw'): optimizer; adadelta has rho 0.95 and eps 1e-6
        schedule (Literal['cosine', 'inverse_square_root', 'constant'], default 'cosine'): learning rate schedule
            after warm-up
        rate_floor (float, default 0.05): lowest learning rate of the schedule, as a fraction of the highest;
            between 0 and 1
        warm_up (int, default 200): warm-up steps, in which the learning rate rises linearly; at least 0
        weight_decay (float, default 0.01): decoupled weight decay; at least 0.0
        clip (float, default 1.0): gradient clipping: largest norm of the gradient; at least 1e-06
        averaged_steps (int, default 500): steps over which the weights are averaged; 1: no averaging; at least 1
        threads (int, default 0): threads; 0: torch's default; between 0 and 1024
        devices (int, default 1): processes or GPUs of data-parallel training; between 1 and 1024
        seed (int, default 0): seed of the random number generators; at least 0

    Raises:
        OptionError: an unknown setting, or a value outside its range.
    """

    config: Config
    fit_warnings: list[str]
    warnings: list[str]
    task: ClassVar[str]
    config_class: ClassVar[type[Settings]]
    codec_check: ClassVar[Check]
    codec: Codec
    model: TranslationNet

    def __init__(
        self,
        config: Config | None = None,
        *,
        source: str = "src",
        target: str = "tgt",
        model: Literal["attention", "cho2014"] = "attention",
        lowercase: bool = False,
        vocabulary_size: int = 0,
        shared: bool = True,
        bpe_dropout: float = 0.1,
        longest: int = 100,
        ratio: float = 4.0,
        validation: float = 0.03,
        batch_tokens: int = 2000,
        embedding_size: int = 256,
        hidden_size: int = 256,
        layers: int = 1,
        attention_size: int = 128,
        maxout: int = 500,
        dropout: float = 0.3,
        word_dropout: float = 0.1,
        weight_dropout: float = 0.0,
        smoothing: float = 0.1,
        summed: bool = False,
        reset: Literal["after", "before"] = "after",
        steps: int = 0,
        minutes: float = 20.0,
        patience: int = 10,
        validate_every: int = 200,
        batch_size: int = 96,
        learning_rate: float = 0.002,
        optimizer: Literal["adamw", "adadelta"] = "adamw",
        schedule: Literal["cosine", "inverse_square_root", "constant"] = "cosine",
        rate_floor: float = 0.05,
        warm_up: int = 200,
        weight_decay: float = 0.01,
        clip: float = 1.0,
        averaged_steps: int = 500,
        threads: int = 0,
        devices: int = 1,
        seed: int = 0,
    ) -> None: ...
    @property
    def net(self) -> TranslationNet: ...
    def translate(
        self,
        lines: Sequence[str] | str,
        *,
        ensemble: Sequence[Translator] = (),
        options: Options | None = None,
        beam_size: int = 5,
        length_penalty: float = 1.0,
        n_best: int = 1,
        sample: bool = False,
        temperature: float = 1.0,
        script: Literal["as-learnt", "simplified", "traditional"] = "as-learnt",
        prefix: str = "",
        fast: bool = True,
        batch: int = 64,
        seed: int = 0,
    ) -> Any:
        """Translate lines, in order; a string for a single string, else a list. An empty line stays empty.

        Each line is divided into sentences, unless the model was fitted on lines of several.

        Args:
            lines: a string, whose lines are translated, or a list of lines.
            options: an `Options`, instead of single options.
            ensemble: other translators with the same vocabulary, whose probabilities are averaged with this one's.
            beam_size (int, default 5): beam size; 1 is greedy; between 1 and 1000
            length_penalty (float, default 1.0): length penalty: exponent of the length by which log-probabilities are
                divided; between 0.0 and 5.0
            n_best (int, default 1): number of translations of each sentence; between 1 and 1000
            sample (bool, default False): sample translations instead of beam search
            temperature (float, default 1.0): sampling temperature; between 0.01 and 100.0
            script (Literal['as-learnt', 'simplified', 'traditional'], default 'as-learnt'): script of translations into
                Chinese, with its punctuation; as-learnt: as in the training data
            prefix (str, default ''): forced prefix of every translation
            fast (bool, default True): search with an 8-bit output layer; reported scores are in float32
            batch (int, default 64): batch size: number of sentences decoded together; between 1 and 10000
            seed (int, default 0): random seed of sampling; at least 0

        Returns:
            A string for a string, a list for a list, with as many lines.

        Raises:
            OptionError: an unknown option, or a value outside its range.
            NotFittedError: called before `fit` or `load`.
        """
        ...

    def n_best(
        self,
        lines: Sequence[str],
        *,
        ensemble: Sequence[Translator] = (),
        options: Options | None = None,
        exact: bool = True,
        beam_size: int = 5,
        length_penalty: float = 1.0,
        n_best: int = 1,
        sample: bool = False,
        temperature: float = 1.0,
        script: Literal["as-learnt", "simplified", "traditional"] = "as-learnt",
        prefix: str = "",
        fast: bool = True,
        batch: int = 64,
        seed: int = 0,
    ) -> list[list[Translation]]:
        """Translate lines into lists of the `n_best` translations with their scores, best first.

        The translations of a line of several sentences are the combinations with the highest scores.

        Args:
            lines: source lines.
            options: an `Options`, instead of single options.
            ensemble: other translators with the same vocabulary, whose probabilities are averaged with this one's.
            exact: compute the scores again in float32; otherwise they are those of the search.
            beam_size (int, default 5): beam size; 1 is greedy; between 1 and 1000
            length_penalty (float, default 1.0): length penalty: exponent of the length by which log-probabilities are
                divided; between 0.0 and 5.0
            n_best (int, default 1): number of translations of each sentence; between 1 and 1000
            sample (bool, default False): sample translations instead of beam search
            temperature (float, default 1.0): sampling temperature; between 0.01 and 100.0
            script (Literal['as-learnt', 'simplified', 'traditional'], default 'as-learnt'): script of translations into
                Chinese, with its punctuation; as-learnt: as in the training data
            prefix (str, default ''): forced prefix of every translation
            fast (bool, default True): search with an 8-bit output layer; reported scores are in float32
            batch (int, default 64): batch size: number of sentences decoded together; between 1 and 10000
            seed (int, default 0): random seed of sampling; at least 0

        Returns:
            The translations of each line, with text, score and log-probability in nats.

        Raises:
            OptionError: an unknown option, or a value outside its range.
            NotFittedError: called before `fit` or `load`.
        """
        ...

    def score(self, data: Any) -> list[float]: ...
    def explain(
        self,
        line: str,
        target: str | None = None,
        *,
        options: Options | None = None,
        beam_size: int = 5,
        length_penalty: float = 1.0,
        n_best: int = 1,
        sample: bool = False,
        temperature: float = 1.0,
        script: Literal["as-learnt", "simplified", "traditional"] = "as-learnt",
        prefix: str = "",
        fast: bool = True,
        batch: int = 64,
        seed: int = 0,
    ) -> Explanation:
        """Compute the attention weights of the translation of `line`, or of a given `target`.

        Args:
            beam_size (int, default 5): beam size; 1 is greedy; between 1 and 1000
            length_penalty (float, default 1.0): length penalty: exponent of the length by which log-probabilities are
                divided; between 0.0 and 5.0
            n_best (int, default 1): number of translations of each sentence; between 1 and 1000
            sample (bool, default False): sample translations instead of beam search
            temperature (float, default 1.0): sampling temperature; between 0.01 and 100.0
            script (Literal['as-learnt', 'simplified', 'traditional'], default 'as-learnt'): script of translations into
                Chinese, with its punctuation; as-learnt: as in the training data
            prefix (str, default ''): forced prefix of every translation
            fast (bool, default True): search with an 8-bit output layer; reported scores are in float32
            batch (int, default 64): batch size: number of sentences decoded together; between 1 and 10000
            seed (int, default 0): random seed of sampling; at least 0

        Raises:
            OptionError: the model has no attention (Cho 2014).
        """
        ...

    def evaluate(
        self,
        data: Any,
        *,
        tokenize: str = "auto",
        options: Options | None = None,
        beam_size: int = 5,
        length_penalty: float = 1.0,
        n_best: int = 1,
        sample: bool = False,
        temperature: float = 1.0,
        script: Literal["as-learnt", "simplified", "traditional"] = "as-learnt",
        prefix: str = "",
        fast: bool = True,
        batch: int = 64,
        seed: int = 0,
    ) -> Evaluation:
        """Compute sacreBLEU and chrF on pairs that are not in the training data.

        Args:
            data: pairs, as in `fit`.
            options: an `Options`, instead of single options.
            tokenize: sacreBLEU's tokenizer; "auto" is `tokenizer`, the same for all data.
            beam_size (int, default 5): beam size; 1 is greedy; between 1 and 1000
            length_penalty (float, default 1.0): length penalty: exponent of the length by which log-probabilities are
                divided; between 0.0 and 5.0
            n_best (int, default 1): number of translations of each sentence; between 1 and 1000
            sample (bool, default False): sample translations instead of beam search
            temperature (float, default 1.0): sampling temperature; between 0.01 and 100.0
            script (Literal['as-learnt', 'simplified', 'traditional'], default 'as-learnt'): script of translations into
                Chinese, with its punctuation; as-learnt: as in the training data
            prefix (str, default ''): forced prefix of every translation
            fast (bool, default True): search with an 8-bit output layer; reported scores are in float32
            batch (int, default 64): batch size: number of sentences decoded together; between 1 and 10000
            seed (int, default 0): random seed of sampling; at least 0

        Returns:
            BLEU and chrF of the model and of copying the source, with sacreBLEU's signature.

        Raises:
            DataError: no pairs, or source and target look swapped.
            NotFittedError: called before `fit` or `load`.
        """
        ...

    @property
    def tokenizer(self) -> str: ...
    def _read_data(self, data: Any, validation: Any) -> tuple[Any, dict[str, Any]]: ...
    def _prepare(self, read: Any) -> tuple[Batches, list[Batch]]: ...
    def _learn(self, prepared: tuple[Batches, list[Batch]], run: RunFolder, quiet: bool, resume: bool) -> None: ...
    def _new_model(self) -> TranslationNet: ...
    def _give(self) -> tuple[dict[str, Any], dict[str, Any]]: ...
    def _take(self, codec: dict[str, Any], context: dict[str, Any]) -> None: ...
