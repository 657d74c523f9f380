"""Forecasts of shops, their regions and their total that add up, by the reconciliation of hierarchicalforecast.

    pip install 'gruworks[forecast]' hierarchicalforecast
    gruworks sample shop
    python examples/forecast_totals.py shop.csv

Every series, sums included, is forecast by itself; minimum trace reconciliation (Wickramasuriya et al. 2019) then
changes the forecasts as little as possible so that shops add up to the total.
"""

import sys

import pandas
from hierarchicalforecast.core import HierarchicalReconciliation
from hierarchicalforecast.methods import MinTrace
from hierarchicalforecast.utils import aggregate

from gruworks import Forecaster

HORIZON = 14


def forecast_totals(rows: pandas.DataFrame, horizon: int = HORIZON, **settings: object) -> pandas.DataFrame:
    """unique_id, ds, the forecast of each shop and of the total by itself, "GRU", and the reconciled "GRU/MinTrace".

    Args:
        rows: date, shop and sales, one row for each shop and day.
        **settings: of `Forecaster`.
    """
    table = rows.rename(columns={"date": "ds", "sales": "y"}).assign(total="total")
    table["ds"] = pandas.to_datetime(table["ds"])
    series, sums, tags = aggregate(table, spec=[["total"], ["total", "shop"]])
    forecaster = Forecaster(horizon=horizon, **settings).fit(series)
    ahead = forecaster.predict().rename(columns={"y_hat": "GRU"})[["unique_id", "ds", "GRU"]]
    reconciler = HierarchicalReconciliation([MinTrace(method="ols")])
    found = reconciler.reconcile(Y_hat_df=ahead, S_df=sums, tags=tags)
    return found.rename(columns={"GRU/MinTrace_method-ols": "GRU/MinTrace"})


if __name__ == "__main__":
    print(forecast_totals(pandas.read_csv(sys.argv[1])).to_string(index=False))
