"""Shared parts of the translation recipes: prepared sets, a fit that resumes, beam chosen on validation, a record."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sacrebleu
import torch
from record import record, write
from sacremoses import MosesDetokenizer, MosesPunctNormalizer, MosesTokenizer

from gruworks import Translator
from gruworks.data.catalogue import find
from gruworks.tasks.translate.reading import Pairs, read, read_lines

BEAMS, ALPHAS = (1, 5, 8, 10), (0.6, 1.0, 1.4)


def arguments(about: str, steps: int) -> argparse.Namespace:
    """--out, --minutes, --steps, --seed, --threads; a run that stands in --out is gone on with, or used."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--out", type=Path, required=True, help="run folder; a begun fit there is resumed")
    parser.add_argument("--minutes", type=float, default=110.0)
    parser.add_argument("--steps", type=int, default=steps)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument(
        "--pairs", type=int, default=None, help="learn from the first so many only; nothing is recorded"
    )
    return parser.parse_args()


def moses(lines: list[str], language: str) -> list[str]:
    """Punctuation normalised, tokenised, lower-cased: the form that the published figures are measured on."""
    normalise, tokenise = MosesPunctNormalizer(language), MosesTokenizer(language)
    return [tokenise.tokenize(normalise.normalize(line), return_str=True, escape=False).lower() for line in lines]


def multi30k(source: str, target: str, part: str) -> tuple[Pairs, list[str]]:
    """One part in Moses form, and its targets as they are."""
    files = find("multi30k")
    sides = [read_lines(files[f"multi30k.{part}.{language}.gz"]) for language in (source, target)]
    return Pairs(moses(sides[0], source), moses(sides[1], target), f"multi30k {part}"), sides[1]


def tatoeba(part: str) -> Pairs:
    """One part, English as given, Chinese without the blanks between its words."""
    pairs = read(find("tatoeba-en-zh")[f"tatoeba-en-zh.{part}.tsv.gz"])
    return Pairs(pairs.sources, ["".join(text.split()) for text in pairs.targets], f"tatoeba {part}")


def fitted(args: argparse.Namespace, train: Pairs, held: Pairs, **settings: Any) -> Translator:
    """The run at --out: loaded where it is fitted, resumed where it was cut off, else begun."""
    settings |= {"steps": args.steps, "minutes": args.minutes, "seed": args.seed, "threads": args.threads}
    if (args.out / "weights.safetensors").is_file():
        return Translator.load(args.out)
    if args.pairs is not None:
        train = train.at(range(args.pairs))
    begun = (args.out / "checkpoints" / "last.ckpt").is_file()
    translator = Translator(**settings).fit(train, held, out=args.out, resume=begun)
    for remark in translator.fit_warnings:
        print(remark)
    return translator


def best_search(
    translator: Translator, held: Pairs, tokenize: str, form: Callable[[list[str]], list[str]] = list
) -> dict[str, Any]:
    """Beam and power of the length by BLEU on the validation part, both sides in `form`."""
    found, references = {}, form(held.targets)
    for beam in BEAMS:
        for alpha in ALPHAS if beam > 1 else ALPHAS[:1]:
            answers = translator.translate(held.sources, beam_size=beam, length_penalty=alpha)
            found[beam, alpha] = bleu(form(answers), references, tokenize)
            print(f"validation: beam {beam}, alpha {alpha}: BLEU {found[beam, alpha]:.2f}", flush=True)
    beam, alpha = max(found, key=lambda place: found[place])
    return {"beam_size": beam, "length_penalty": alpha, "validation": found[beam, alpha]}


def bleu(answers: list[str], references: list[str], tokenize: str) -> float:
    return float(sacrebleu.BLEU(tokenize=tokenize, force=True).corpus_score(answers, [references]).score)


def raw_bleu(answers: list[str], references: list[str], language: str) -> float:
    """13a, lower-case, of the answers brought back from Moses form against the raw references."""
    back = MosesDetokenizer(language)
    texts = [back.detokenize(answer.split()) for answer in answers]
    return float(sacrebleu.BLEU(tokenize="13a", lowercase=True).corpus_score(texts, [references]).score)


def conclude(
    name: str, figure: str, value: float, translator: Translator, chosen: dict[str, Any], args: argparse.Namespace,
    note: str, baseline: float,
) -> None:  # fmt: skip
    """Print the figure, and record it where the whole set was learnt from."""
    fit = translator.metrics
    settings = translator.config
    changed = {f.name: getattr(settings, f.name) for f in dataclasses.fields(settings) if f.name != "training"}
    print(f"{figure}: {value:.2f}; {note}; {changed}")
    if args.pairs is None:
        facts = {
            "parameters": fit["parameters"],
            "minutes": fit["minutes"],
            "threads": args.threads or torch.get_num_threads(),
            "seeds": 1,
            "baseline": baseline,
            "note": f"beam {chosen['beam_size']}, alpha {chosen['length_penalty']} by validation "
            f"({chosen['validation']:.2f}); "
            f"{note}; {fit['steps']} steps, {fit['ended_by']}, best at {fit['best_step']}",
        }
        write(name, [record(figure, value, **facts)])
