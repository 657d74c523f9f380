"""Translate with an exported model, greedily: python onnx_translate.py FOLDER LINE. No Gruworks, no torch."""

import json
import re
import sys
import unicodedata
from pathlib import Path

import numpy
import onnxruntime

folder, line = Path(sys.argv[1]), unicodedata.normalize("NFC", sys.argv[2])
says = json.loads((folder / "model.json").read_text(encoding="utf-8"))
source, special, graph = says["source"], says["specials"], says["graphs"]["decoder"]
rank = {tuple(pair): i for i, pair in enumerate(source["tokenizer"]["model"]["merges"])}


def subwords(parts):
    while len(parts) > 1:  # byte pair encoding: the pair that was learnt first is joined first
        i = min(range(len(parts) - 1), key=lambda i: rank.get(tuple(parts[i : i + 2]), len(rank)))
        if tuple(parts[i : i + 2]) not in rank:
            break
        parts = [*parts[:i], parts[i] + parts[i + 1], *parts[i + 2 :]]
    return [source["symbols"].index(p) if p in source["symbols"] else special["unknown"] for p in parts]


line = "▁" + (line.lower() if says["lowercase"] else line).replace(" ", "▁")
marks = "".join({re.escape(c) for c in line if c != "▁" and unicodedata.category(c)[0] in "PS"}) or "."
words = re.findall(f"▁?[{marks}]|▁?[^▁{marks}]+|▁", line)  # punctuation stands apart
read = [number for word in words for number in subwords(list(word))] + [special["end"]]
encoder, decoder = (onnxruntime.InferenceSession(folder / f"{name}.onnx") for name in ("encoder", "decoder"))
found = encoder.run(None, {"source": numpy.array([read]), "lengths": numpy.array([len(read)])})
memory = dict(zip(says["graphs"]["encoder"]["outputs"], found, strict=True))
state, token, text = {name: memory[name][:, None] for name in graph["carried"].values()}, special["begin"], ""
memory = {name: value for name, value in memory.items() if name in graph["inputs"] and name not in state}
while token != special["end"] and len(text) < 1000:
    answer, *after = decoder.run(None, {"tokens": numpy.array([[token]]), **memory, **state})
    state, token = dict(zip(state, after, strict=True)), int(answer[0, 0].argmax())
    text += says["target"]["symbols"][token] if token != special["end"] else ""
print(text.replace("▁", " ").strip())
