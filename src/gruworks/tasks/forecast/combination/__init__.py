"""Forecast combination: predictor, blending with a naive forecast, conformal prediction intervals."""
