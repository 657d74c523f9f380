"""Forecast with an exported model: python onnx_forecast.py FOLDER FILE.csv (one series). No Gruworks, no torch."""

import csv
import json
import sys
from pathlib import Path

import numpy
import onnxruntime

folder, file = map(Path, sys.argv[1:])
says = json.loads((folder / "model.json").read_text())
session = onnxruntime.InferenceSession(folder / "model.onnx")
columns, at = says["columns"], says["positions"]
rows = list(csv.DictReader(file.read_text().splitlines()))
feed = {"y": numpy.array([[float(row[columns["target"]]) for row in rows]])}
if at:  # the model knows seasons: tell it where each row stands in the calendar, in steps
    stamps = numpy.array([row[columns["time"]] for row in rows], "datetime64[s]")
    if at["unit"] == "months":
        steps = stamps.astype("datetime64[M]").astype(float)
    elif at["unit"] == "business days":
        steps = numpy.busday_count(at["origin"], stamps.astype("datetime64[D]"))
    else:
        steps = (stamps - numpy.datetime64(at["origin"])) / numpy.timedelta64(1, "s")
    feed["positions"] = steps[None] / at["multiple"]
(quantiles,) = session.run(None, feed)
for ahead, values in enumerate(quantiles[0], 1):
    print(ahead, *(f"{value:.4f}" for value in values))
