"""Translation of run folders of format 1, and of the weights in early ones of format 2, to the names of today."""

from __future__ import annotations

from typing import Any

__all__ = ["translated", "translated_arrays"]

NAMES: dict[str, dict[str, dict[str, str]]] = {  # task, file, path of the old name: new name
    "forecast": {
        "config.json": {"layers": "num_layers", "gate": "blend"},
        "codec/codec.json": {"gate": "blend", "remarks": "fit_warnings"},
        "metrics.json": {"gate": "blend"},
        "weights.safetensors": {"highway_gain": "difference_ar_weight", "season_gain": "seasonal_weight"},
    },
    "generate": {
        "config.json": {
            "unit": "token", "symbols": "vocabulary_size", "width": "kernel_size", "drop_input": "input_dropout",
            "drop_output": "output_dropout", "drop_weights": "weight_dropout",
        },
        "codec/codec.json": {"vocabulary.unit": "token"},
    },
    "translate": {
        "config.json": {
            "vocabulary": "vocabulary_size", "held_out": "validation", "drop_words": "word_dropout",
            "drop_weights": "weight_dropout",
        },
    },
    "transcribe": {
        "config.json": {
            "units": "token", "bpe_size": "vocabulary_size", "kernel": "kernel_size", "held_out": "validation",
            "drop_weights": "weight_dropout", "drop_state": "recurrent_dropout",
        },
        "codec/codec.json": {"alphabet.units": "token", "remarks": "fit_warnings"},
        "metrics.json": {"held_out": "validation"},
        "weights.safetensors": {"speller": "attention_decoder"},
    },
}  # fmt: skip
VALUES = {"token": {"bpe": "subword", "characters": "character", "words": "word"}}  # new name, old value: new value


def translated(task: str, file: str, values: dict[str, Any]) -> dict[str, Any]:
    """The values of a JSON file of a run of format 1 under the names of format 2.

    >>> translated("transcribe", "config.json", {"units": "words", "layers": 2})
    {'token': 'word', 'layers': 2}
    """
    return _renamed(values, NAMES.get(task, {}).get(file, {}), "")


def translated_arrays(task: str, file: str, arrays: dict[str, Any]) -> dict[str, Any]:
    """The arrays of a safetensors file under the parameter names of today.

    >>> translated_arrays("transcribe", "weights.safetensors", {"speller.head.bias": 0, "head.bias": 1})
    {'attention_decoder.head.bias': 0, 'head.bias': 1}
    """
    names = NAMES.get(task, {}).get(file, {})
    parts = {old: old.partition(".") for old in arrays}
    return {names.get(first, first) + dot + rest: arrays[old] for old, (first, dot, rest) in parts.items()}


def _renamed(values: dict[str, Any], names: dict[str, str], place: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for old, value in values.items():
        new = names.get(place + old, old)
        if isinstance(value, dict):
            value = _renamed(value, names, f"{place}{old}.")
        elif new != old and isinstance(value, str):
            value = VALUES.get(new, {}).get(value, value)
        found[new] = value
    return found
