"""Transcribe while hearing: python onnx_stream.py FOLDER FILE.wav (16 bit, mono). No Gruworks, no torch."""

import json
import sys
import wave
from pathlib import Path

import numpy
import onnxruntime

folder, file = map(Path, sys.argv[1:])
says = json.loads((folder / "model.json").read_text(encoding="utf-8"))
features, model = (onnxruntime.InferenceSession(folder / f"{name}.onnx") for name in ("features", "stream"))
inputs, carried = (says["graphs"]["stream"][name] for name in ("inputs", "carried"))
sizes = {name: [1 if axis == "B" else axis for axis in one["shape"]] for name, one in inputs.items()}
state = {name: numpy.zeros(sizes[name], inputs[name]["type"]) for name in carried.values()}
chunk, shift, size = says["chunk_frames"], says["frame_shift_samples"], says["frame_samples"]
heard, before, last = numpy.zeros(0, numpy.float32), says["blank"], False
with wave.open(str(file)) as audio:
    while not last:  # a piece of samples, as a microphone gives it
        piece = audio.readframes(shift * chunk)
        last = not piece
        heard = numpy.concatenate([heard, numpy.frombuffer(piece, "<i2") / numpy.float32(32768)])
        count = max(0, (len(heard) - size) // shift + 1)
        count = count if last else min(count, chunk) // chunk * chunk
        if count == 0 and not last:
            continue
        (frames,) = features.run(None, {"samples": heard[None, : (max(count, 1) - 1) * shift + size]})
        feed = {"frames": frames[:, : max(count, 1)], "lengths": numpy.array([count]), "last": numpy.array([last])}
        answer, ready, *after = model.run(None, feed | state)
        state, heard = dict(zip(state, after, strict=True)), heard[count * shift :]
        for one in answer[0, : ready[0]].argmax(-1):
            if one not in (before, says["blank"]):
                print(says["symbols"][one].replace("▁", " "), end="", flush=True)
            before = one
print()
