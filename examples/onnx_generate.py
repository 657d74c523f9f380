"""Write with an exported model: python onnx_generate.py FOLDER PROMPT [LENGTH [TEMPERATURE]]. No Gruworks, no torch."""

import json
import sys
from pathlib import Path

import numpy
import onnxruntime

folder, prompt, length, temperature = [*sys.argv[1:], *["200", "1.0"][len(sys.argv) - 3 :]]
says = json.loads((Path(folder) / "model.json").read_text())
session = onnxruntime.InferenceSession(Path(folder) / "model.onnx")
graph, symbols, rng = says["graphs"]["model"], says["symbols"], numpy.random.default_rng(0)
sizes = {name: [1 if axis == "B" else axis for axis in one["shape"]] for name, one in graph["inputs"].items()}
state = {name: numpy.zeros(sizes[name], graph["inputs"][name]["type"]) for name in graph["carried"].values()}
read = [says["first"], *map(symbols.index, prompt)]  # a model of characters
for _ in range(int(length)):
    answer, *after = session.run(None, {"tokens": numpy.array(read)[:, None], **state})
    state = dict(zip(graph["carried"].values(), after, strict=True))
    scores = answer[-1, 0] + float(temperature) * rng.gumbel(size=len(symbols))  # the largest is a fair draw
    scores[says["banned"]] = -numpy.inf
    read = [int(scores.argmax())]
    if read[0] == says["end"]:
        break
    print(symbols[read[0]], end="", flush=True)
print()
