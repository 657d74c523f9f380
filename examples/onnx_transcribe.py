"""Transcribe with an exported model: python onnx_transcribe.py FOLDER FILE.wav (16 bit, mono). No Gruworks or torch."""

import itertools
import json
import sys
import wave
from pathlib import Path

import numpy
import onnxruntime

folder, file = map(Path, sys.argv[1:])
says = json.loads((folder / "model.json").read_text(encoding="utf-8"))
features, model = (onnxruntime.InferenceSession(folder / f"{name}.onnx") for name in ("features", "model"))
with wave.open(str(file)) as audio:
    if audio.getframerate() != says["rate"]:
        sys.exit(f"{file} has {audio.getframerate()} samples a second, and the model hears {says['rate']}")
    samples = numpy.frombuffer(audio.readframes(audio.getnframes()), "<i2") / numpy.float32(32768)
(frames,) = features.run(None, {"samples": samples[None]})
answer, steps = model.run(None, {"frames": frames, "lengths": numpy.array([frames.shape[1]])})
best = answer[0, : steps[0]].argmax(-1)
text = [says["symbols"][one] for one, _ in itertools.groupby(best) if one != says["blank"]]
print((" " if says["token"] == "word" else "").join(text).replace("▁", " ").strip())
