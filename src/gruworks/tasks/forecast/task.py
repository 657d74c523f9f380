"""Description of the task forecast: verb, input, extra and example, for the registry and the command line."""

from __future__ import annotations

from gruworks.tasks.description import Task

__all__ = ["TASK"]

TASK = Task(
    name="forecast",
    package=__package__,
    estimator="Forecaster",
    purpose="Time-series forecasting: from a CSV to a forecast with prediction intervals.",
    data="FILE.csv",
    verb="predict",
    method="predict",
    example="gruworks forecast fit shop.csv --horizon 28 --out runs/shop",
    upload="table.csv",
)
