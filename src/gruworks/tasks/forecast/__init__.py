"""Time-series forecasting: from a CSV or data frame to a forecast with intervals."""
