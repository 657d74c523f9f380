"""Forecaster with the interface of sktime: `fit(y, X, fh)`, `predict`, `predict_interval`, `update`. Needs sktime."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy
import pandas

from gruworks.errors import require
from gruworks.tasks.forecast.config import Config
from gruworks.tasks.forecast.estimator import Forecaster
from gruworks.training.settings import FitSettings

__all__ = ["SktimeForecaster"]

_Base: Any = require("sktime.forecasting.base", extra="sktime").BaseForecaster


class SktimeForecaster(_Base):  # type: ignore[misc]
    """A `Forecaster` with sktime's interface, for its pipelines, splitters and metrics.

    >>> import pandas
    >>> from gruworks.tasks.forecast.sktime import SktimeForecaster
    >>> y = pandas.Series([1.0, 2, 3, 4, 5, 6])
    >>> SktimeForecaster().fit(y, fh=[1, 2]).predict().tolist()
    [7.0, 8.0]

    `fit` needs `fh`, and its furthest step is the horizon. The instances of y (pd-multiindex) are fitted together by
    one network; several columns are several targets. X are future covariates (`Config.future`); steps of the horizon
    that X leaves out are missing. `update` continues training on old and new rows; with `update_params=False` it moves
    the origin only. The models "segment" and "sampler" ignore X.

    Args:
        model: "encoder", "segment" or "sampler".
        steps: maximum number of optimizer steps.
        random_state: random seed.
        settings: the other fields of `Config` and `FitSettings` by name, such as {"hidden_size": 64}.

    Raises:
        DataError: what is wrong with y or X and where.
        OptionError: an unknown setting.
    """

    _tags: ClassVar[dict[str, Any]] = {
        "authors": "gruworks developers",
        "maintainers": "gruworks developers",
        "python_dependencies": ["torch", "lightning"],
        "y_inner_mtype": ["pd.DataFrame", "pd-multiindex", "pd_multiindex_hier"],
        "X_inner_mtype": ["pd.DataFrame", "pd-multiindex", "pd_multiindex_hier"],
        "capability:multivariate": True,
        "capability:exogenous": True,
        "capability:insample": False,
        "capability:pred_int": True,
        "capability:pred_int:insample": False,
        "capability:missing_values": True,
        "capability:categorical_in_X": True,
        "capability:update": True,
        "capability:random_state": True,
        "property:randomness": "derandomized",
        "requires-fh-in-fit": True,
    }

    def __init__(
        self,
        model: str = Config.model,
        steps: int = FitSettings.steps,
        random_state: int = FitSettings.seed,
        settings: dict[str, Any] | None = None,
    ) -> None:
        self.model, self.steps, self.random_state, self.settings = model, steps, random_state, settings
        super().__init__()
        if model != "encoder":
            self.set_tags(**{"capability:exogenous": False})

    def _fit(self, y: Any, X: Any, fh: Any) -> SktimeForecaster:
        self._steps_ahead = max(1, int(max(fh.to_relative(self.cutoff))))
        self._rows, self._columns = self._read(y, X), y.columns
        own: dict[str, Any] = {
            "horizon": self._steps_ahead, "model": self.model, "steps": self.steps, "seed": self.random_state,
            "target": ",".join(self._rows.targets), "future": self._rows.covariates, "time": "time",
        }  # fmt: skip
        self.forecaster_ = Forecaster(**(own | (self.settings or {})))
        self.forecaster_.fit(self._rows.frame, quiet=True)
        return self

    def _predict(self, fh: Any, X: Any) -> Any:
        return self._chosen(self._answer(X, ()), [f"{name}_hat" for name in self._rows.targets], self._columns, fh)

    def _predict_quantiles(self, fh: Any, X: Any, alpha: list[float]) -> Any:
        level = [round(abs(2 * share - 1) * 100, 6) for share in alpha]
        frame = self._answer(X, tuple(dict.fromkeys(one for one in level if one > 0)))
        ends = [_end(share, one) for share, one in zip(alpha, level, strict=True)]
        names = [f"{name}_hat{end}" for name in self._rows.targets for end in ends]
        return self._chosen(frame, names, pandas.MultiIndex.from_product([self._get_varnames(), alpha]), fh)

    def _update(self, y: Any, X: Any = None, update_params: bool = True) -> SktimeForecaster:
        self._rows = self._rows.grown(self._read(y, X))
        if update_params:
            self.forecaster_.continue_fit(self._rows.frame, quiet=True)
        return self

    def _read(self, y: Any, X: Any) -> _Rows:
        return _Rows(y, X if self.model == "encoder" else None)

    def _answer(self, X: Any, level: tuple[float, ...]) -> Any:
        """A frame of the forecasts of all steps up to the horizon, with columns y0_hat, y1_hat ... and intervals."""
        future = None if not self._rows.covariates else self._rows.ahead(X, self._steps_ahead, self.forecaster_)
        frame = self.forecaster_.predict(self._rows.frame, level=level, future=future)
        return frame.rename(columns=lambda name: name.replace("y_hat", "y0_hat"))

    def _chosen(self, frame: Any, names: list[str], columns: Any, fh: Any) -> Any:
        """The rows of `fh`, indexed as sktime expects them."""
        ahead = numpy.asarray(fh.to_relative(self.cutoff), dtype=int) - 1
        index = pandas.Index(fh.to_absolute_index(self.cutoff))
        parts = {
            key: pandas.DataFrame(
                rows[names].to_numpy()[ahead], index=index.rename(self._rows.time_name), columns=columns
            )
            for key, rows in frame.groupby("unique_id", sort=False)
        }
        if self._rows.instances is None:
            return next(iter(parts.values()))
        found = pandas.concat({instance: parts[str(i)] for i, instance in enumerate(self._rows.instances)})
        found.index = found.index.set_names(self._rows.names)
        return found

    @classmethod
    def get_test_params(cls, parameter_set: str = "default") -> list[dict[str, Any]]:
        """Small settings for sktime's own tests."""
        quick: dict[str, Any] = {"hidden_size": 4, "validate_every": 2, "batch_size": 2, "window": 16}
        return [{"steps": 2, "settings": quick}, {"model": "segment", "steps": 2, "settings": quick | {"segment": 4}}]


def _end(share: float, level: float) -> str:
    """Suffix of a quantile's column behind the target's name."""
    return "" if share == 0.5 else f"-{'lo' if share < 0.5 else 'hi'}-{level:g}"


class _Rows:
    """y and X of sktime as one long frame: unique_id (a number for each instance), time, y0 ..., x0 ..."""

    def __init__(self, y: Any, X: Any) -> None:
        self.targets = [f"y{i}" for i in range(y.shape[1])]
        self.covariates = tuple(f"x{i}" for i in range(0 if X is None else X.shape[1]))
        many = isinstance(y.index, pandas.MultiIndex)
        self.instances = list(y.index.droplevel(-1).unique()) if many else None
        self.names, self.time_name = y.index.names, y.index.names[-1]
        self.frame = self._long(y, self.targets)
        if X is not None:
            self.frame = self.frame.merge(self._long(X, list(self.covariates)), on=["unique_id", "time"], how="left")

    def _long(self, table: Any, names: list[str]) -> Any:
        """`table` as unique_id, time and the columns `names`, in the place of the caller's names."""
        index = table.index
        ids = ["0"] * len(table)
        if self.instances is not None:
            number = {instance: str(i) for i, instance in enumerate(self.instances)}
            ids = [number[key] for key in index.droplevel(-1)]
            index = index.get_level_values(-1)
        if isinstance(index, pandas.PeriodIndex):
            index = index.to_timestamp()
        found = table.set_axis(names, axis=1).reset_index(drop=True)
        return found.assign(unique_id=ids, time=index.to_numpy())

    def grown(self, later: _Rows) -> _Rows:
        """These rows and those of `later`, which replace rows of the same time."""
        joined = pandas.concat([self.frame, later.frame]).drop_duplicates(["unique_id", "time"], keep="last")
        self.frame = joined.sort_values(["unique_id", "time"], kind="stable").reset_index(drop=True)
        return self

    def ahead(self, X: Any, steps: int, forecaster: Forecaster) -> Any:
        """Covariates of the next `steps` rows of each instance, missing where X lacks them."""
        last = self.frame.groupby("unique_id", sort=False)["time"].last()
        wanted = pandas.concat([
            pandas.DataFrame({"unique_id": name, "time": forecaster.frequency.future(at, steps)})
            for name, at in last.items()
        ])  # fmt: skip
        known = self._long(X, list(self.covariates))
        return wanted.merge(known, on=["unique_id", "time"], how="left")
