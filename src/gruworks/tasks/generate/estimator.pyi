# Types of gruworks.tasks.generate.estimator with every setting: written by docs/make_signatures.py
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy
from numpy.typing import NDArray

from gruworks.data.text import Document
from gruworks.settings import Settings
from gruworks.tasks.estimator import Estimator
from gruworks.tasks.generate.config import Config
from gruworks.tasks.generate.data import Bundles, CarriedRows, Codec
from gruworks.tasks.generate.decoding import NetDecoder, Pieces
from gruworks.tasks.generate.evaluation import Evaluation, Reading
from gruworks.tasks.generate.model import LanguageNet
from gruworks.training.checked import Check
from gruworks.training.runs import RunFolder

__all__ = ["Generator"]

class Generator(Estimator):
    """A language model of characters, bytes or subwords that generates text.

    >>> text = [Document("to be or not to be " * 20)]
    >>> generator = Generator(hidden_size=16, layers=1, sequence=16, steps=60, validate_every=30, batch_size=4)
    >>> len(generator.fit(text, quiet=True).write("to be", length=12))
    12

    `Generator().fit("novel.txt").write("Once", length=500)` fits on a file, a folder, or JSONL (see
    `gruworks.data.text.read_documents`). A long text is read in windows with the state carried from one to the next;
    many short documents, such as poems, are read one by one, each from an empty state and after its title if any.

    Args:
        config: all settings in one object, instead of single ones.
        token (Literal['character', 'byte', 'subword'], default 'character'): token of the vocabulary
        vocabulary_size (int, default 1000): vocabulary size of subword tokens; between 300 and 100000
        min_count (int, default 1): frequency below which a character becomes the unknown token; at least 1
        lines (bool, default False): each line of a text file is a document
        paragraphs (bool, default False): blank lines divide a text file into documents, such as poems
        text (str, default 'text'): key or column of the text in JSON Lines and tables
        documents (Literal['auto', 'joined', 'apart'], default 'auto'): joined: one long text with carried state;
            apart: each from an empty state; auto: by length
        validation (float, default 0.1): fraction of the data held out for validation, in places spread over it;
            between 0.001 and 0.9
        hidden_size (int, default 256): hidden size of each GRU layer; between 1 and 4096
        layers (int, default 2): number of GRU layers; between 1 and 16
        between (Literal['none', 'convolution', 'attention'], default 'none'): block before each GRU layer but the
            first
        kernel_size (int, default 4): kernel size of the convolution, in steps; between 1 and 1024
        window (int, default 64): attention window, in steps; between 1 and 4096
        heads (int, default 4): number of attention heads; must divide hidden_size; between 1 and 256
        dropout (float, default 0.1): dropout probability of each layer's output, one mask a sequence; between 0.0
            and 0.9
        input_dropout (float, default 0.05): dropout probability of the embedding, one mask a sequence; between 0.0
            and 0.9
        output_dropout (float, default 0.1): dropout probability of the features, one mask a sequence; between 0.0
            and 0.9
        weight_dropout (float, default 0.0): dropout probability of recurrent weights (DropConnect); between 0.0 and
            0.9
        sequence (int, default 64): tokens of backpropagation through time (truncated); between 2 and 100000
        restart (float, default 0.02): probability that a batch row's carried state is reset at a step; between 0.0
            and 1.0
        reset (Literal['after', 'before'], default 'after'): reset gate after or before the product
        steps (int, default 0): maximum number of optimizer steps; 0: as many as fit into minutes; at least 0
        minutes (float, default 10.0): duration of the whole fit in minutes; with steps, at most; between 0.01 and
            600.0
        patience (int, default 8): early stopping: validations without improvement before the fit ends; at least 1
        validate_every (int, default 250): optimiser steps between validations, each with a checkpoint; at least 1
        batch_size (int, default 32): documents, or rows with carried state, in a batch; at least 1
        learning_rate (float, default 0.005): learning rate after warm-up; between 1e-08 and 10.0
        optimizer (Literal['adamw', 'adadelta'], default 'adamw'): optimizer; adadelta has rho 0.95 and eps 1e-6
        schedule (Literal['cosine', 'inverse_square_root', 'constant'], default 'cosine'): learning rate schedule
            after warm-up
        rate_floor (float, default 0.02): lowest learning rate of the schedule, relative to the highest; between 0
            and 1
        warm_up (int, default 100): warm-up steps, in which the learning rate rises linearly; at least 0
        weight_decay (float, default 0.05): decoupled weight decay; at least 0.0
        clip (float, default 1.0): gradient clipping: largest norm of the gradient; at least 1e-06
        averaged_steps (int, default 200): steps over which the weights are averaged; 1: no averaging; at least 1
        threads (int, default 0): threads; 0: torch's default; between 0 and 1024
        devices (int, default 1): processes or GPUs of data-parallel training; between 1 and 1024
        seed (int, default 0): seed of the random number generators; at least 0

    Raises:
        OptionError: an unknown setting, or a value outside its range.
    """

    config: Config
    source: dict[str, Any]
    fit_warnings: list[str]
    warnings: list[str]
    task: ClassVar[str]
    config_class: ClassVar[type[Settings]]
    codec_check: ClassVar[Check]
    codec: Codec
    model: LanguageNet

    def __init__(
        self,
        config: Config | None = None,
        *,
        token: Literal["character", "byte", "subword"] = "character",
        vocabulary_size: int = 1000,
        min_count: int = 1,
        lines: bool = False,
        paragraphs: bool = False,
        text: str = "text",
        documents: Literal["auto", "joined", "apart"] = "auto",
        validation: float = 0.1,
        hidden_size: int = 256,
        layers: int = 2,
        between: Literal["none", "convolution", "attention"] = "none",
        kernel_size: int = 4,
        window: int = 64,
        heads: int = 4,
        dropout: float = 0.1,
        input_dropout: float = 0.05,
        output_dropout: float = 0.1,
        weight_dropout: float = 0.0,
        sequence: int = 64,
        restart: float = 0.02,
        reset: Literal["after", "before"] = "after",
        steps: int = 0,
        minutes: float = 10.0,
        patience: int = 8,
        validate_every: int = 250,
        batch_size: int = 32,
        learning_rate: float = 0.005,
        optimizer: Literal["adamw", "adadelta"] = "adamw",
        schedule: Literal["cosine", "inverse_square_root", "constant"] = "cosine",
        rate_floor: float = 0.02,
        warm_up: int = 100,
        weight_decay: float = 0.05,
        clip: float = 1.0,
        averaged_steps: int = 200,
        threads: int = 0,
        devices: int = 1,
        seed: int = 0,
    ) -> None: ...
    def write(
        self,
        prompt: str = "",
        *,
        title: str = "",
        length: int = 500,
        temperature: float = 0.8,
        top_k: int = 0,
        top_p: float = 1.0,
        min_p: float = 0.0,
        repetition_penalty: float = 1.0,
        stop: str | None = None,
        n_samples: int = 1,
        beam_size: int = 0,
        seed: int = 0,
        precision: Literal["float32", "bfloat16", "int8"] = "float32",
    ) -> str:
        """Generate one continuation of `prompt`, without the prompt itself.

        Args:
            prompt: text to continue; empty for a new text.
            title: title of the document, for models of short documents.
            length (int, default 500): maximum number of tokens; between 1 and 100000000
            temperature (float, default 0.8): sampling temperature; 0 is greedy; between 0.0 and 100.0
            top_k (int, default 0): top-k sampling: sample from the k most likely tokens; 0: all; at least 0
            top_p (float, default 1.0): nucleus sampling: total probability of the tokens sampled from; between 0.0 and
                1.0
            min_p (float, default 0.0): min-p sampling: lowest probability, relative to the top token's; between 0.0 and
                1.0
            repetition_penalty (float, default 1.0): repetition penalty: values above 1 reduce the probability of recent
                tokens; between 0.01 and 100.0
            stop (str | None, default None): stop string: generation ends before it
            n_samples (int, default 1): number of texts; between 1 and 10000
            beam_size (int, default 0): beam size of a search for the most likely text; 0: sampling; between 0 and 1000
            seed (int, default 0): random seed of sampling; at least 0
            precision (Literal['float32', 'bfloat16', 'int8'], default 'float32'): number format of the GRU's weights
                when one text is sampled; the shorter, the faster

        Returns:
            The text after the prompt.

        Raises:
            OptionError: an unknown option, or a value outside its range.
            DataError: the prompt has characters that are not in the vocabulary.
            NotFittedError: called before `fit` or `load`.
        """
        ...

    def write_many(
        self,
        prompt: str = "",
        *,
        title: str = "",
        length: int = 500,
        temperature: float = 0.8,
        top_k: int = 0,
        top_p: float = 1.0,
        min_p: float = 0.0,
        repetition_penalty: float = 1.0,
        stop: str | None = None,
        n_samples: int = 1,
        beam_size: int = 0,
        seed: int = 0,
        precision: Literal["float32", "bfloat16", "int8"] = "float32",
    ) -> list[str]:
        """Generate `n_samples` continuations of `prompt`: sampled as one batch, or the best of a beam search.

        Args:
            length (int, default 500): maximum number of tokens; between 1 and 100000000
            temperature (float, default 0.8): sampling temperature; 0 is greedy; between 0.0 and 100.0
            top_k (int, default 0): top-k sampling: sample from the k most likely tokens; 0: all; at least 0
            top_p (float, default 1.0): nucleus sampling: total probability of the tokens sampled from; between 0.0 and
                1.0
            min_p (float, default 0.0): min-p sampling: lowest probability, relative to the top token's; between 0.0 and
                1.0
            repetition_penalty (float, default 1.0): repetition penalty: values above 1 reduce the probability of recent
                tokens; between 0.01 and 100.0
            stop (str | None, default None): stop string: generation ends before it
            n_samples (int, default 1): number of texts; between 1 and 10000
            beam_size (int, default 0): beam size of a search for the most likely text; 0: sampling; between 0 and 1000
            seed (int, default 0): random seed of sampling; at least 0
            precision (Literal['float32', 'bfloat16', 'int8'], default 'float32'): number format of the GRU's weights
                when one text is sampled; the shorter, the faster
        """
        ...

    def stream(
        self,
        prompt: str = "",
        *,
        title: str = "",
        length: int = 500,
        temperature: float = 0.8,
        top_k: int = 0,
        top_p: float = 1.0,
        min_p: float = 0.0,
        repetition_penalty: float = 1.0,
        stop: str | None = None,
        n_samples: int = 1,
        beam_size: int = 0,
        seed: int = 0,
        precision: Literal["float32", "bfloat16", "int8"] = "float32",
    ) -> Iterator[str]:
        """Generate the text of `write` piece by piece. Memory does not grow with the length.

        Args:
            prompt: text to continue; empty for a new text.
            title: title of the document, for models of short documents.
            length (int, default 500): maximum number of tokens; between 1 and 100000000
            temperature (float, default 0.8): sampling temperature; 0 is greedy; between 0.0 and 100.0
            top_k (int, default 0): top-k sampling: sample from the k most likely tokens; 0: all; at least 0
            top_p (float, default 1.0): nucleus sampling: total probability of the tokens sampled from; between 0.0 and
                1.0
            min_p (float, default 0.0): min-p sampling: lowest probability, relative to the top token's; between 0.0 and
                1.0
            repetition_penalty (float, default 1.0): repetition penalty: values above 1 reduce the probability of recent
                tokens; between 0.01 and 100.0
            stop (str | None, default None): stop string: generation ends before it
            n_samples (int, default 1): number of texts; between 1 and 10000
            beam_size (int, default 0): beam size of a search for the most likely text; 0: sampling; between 0 and 1000
            seed (int, default 0): random seed of sampling; at least 0
            precision (Literal['float32', 'bfloat16', 'int8'], default 'float32'): number format of the GRU's weights
                when one text is sampled; the shorter, the faster

        Returns:
            Iterator over pieces of text, each of whole characters.

        Raises:
            OptionError: an unknown option, or a value outside its range. Several samples and beam search are refused.
            NotFittedError: called before `fit` or `load`.
        """
        ...

    def verse(
        self,
        count: int = 1,
        *,
        title: str = "",
        form: Literal["jueju5", "jueju7", "lushi5", "lushi7"] = "jueju7",
        pattern: Literal["any", "level", "level-rhymed", "oblique", "oblique-rhymed"] = "any",
        rhyme: str = "any",
        acrostic: str = "",
        script: Literal["as-learnt", "traditional", "simplified"] = "as-learnt",
        guidance: float = 1.5,
        temperature: float = 1.0,
        seed: int = 0,
    ) -> list[list[str]]:
        """Generate `count` Chinese poems, each a list of lines, under the rules of regulated verse.

        The rules are constraints on the decoder, so every poem keeps them, whatever the model predicts. The model must
        be one of characters, fitted on poems that are separate documents with newlines between their lines.

        Args:
            count: number of poems.
            title: title of the poems, in either script; `warnings` tells what the model does not know of it.
            form (Literal['jueju5', 'jueju7', 'lushi5', 'lushi7'], default 'jueju7'): 五絕, 七絕, 五律 or 七律
            pattern (Literal['any', 'level', 'level-rhymed', 'oblique', 'oblique-rhymed'], default 'any'): tone of the
                second character, and rhyme of the first line
            rhyme (str, default 'any'): rhyme group, such as 東 or 上平聲一東
            acrostic (str, default ''): first characters of the lines (藏頭詩)
            script (Literal['as-learnt', 'traditional', 'simplified'], default 'as-learnt'): script of the poem
            guidance (float, default 1.5): weight of the title (classifier-free guidance); 0: as in the training texts;
                between 0.0 and 20.0
            temperature (float, default 1.0): sampling temperature; 0 is greedy; between 0.0 and 100.0
            seed (int, default 0): random seed of sampling; at least 0

        Returns:
            The lines of each poem.

        Raises:
            OptionError: rules that exclude each other, or a vocabulary in which no poem of the form can be written.
            NotFittedError: called before `fit` or `load`.
        """
        ...

    def score(self, text: str, *, title: str = "") -> Reading: ...
    def evaluate(self, data: Path | str | Sequence[Document], *, quiet: bool | None = None) -> Evaluation: ...
    def _read_data(self, data: Any, validation: Any) -> tuple[Any, dict[str, Any]]: ...
    def _prepare(self, read: Any) -> CarriedRows | Bundles: ...
    def _learn(self, prepared: CarriedRows | Bundles, run: RunFolder, quiet: bool, resume: bool) -> None: ...
    def decoder(self) -> NetDecoder: ...
    def reading(self, prompt: str = "", title: str = "") -> tuple[NDArray[numpy.int64], Pieces]: ...
    def _new_model(self) -> LanguageNet: ...
    def _give(self) -> tuple[dict[str, Any], dict[str, Any]]: ...
    def _take(self, codec: dict[str, Any], context: dict[str, Any]) -> None: ...
