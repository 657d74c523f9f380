"""Features of a series: encoding, seasonal component, autoregression on differences, naive forecasts."""
