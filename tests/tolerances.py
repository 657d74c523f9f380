"""The tolerances of all tests, in one place: largest absolute difference unless said otherwise."""

FLOAT64 = 1e-12  # two float64 codes for the same formula
FLOAT32_OUTPUT = 2e-6  # float32 against float64 or torch, outputs and states
FLOAT32_GRADIENT = 1e-5  # the same for gradients, relative to the largest entry
INT8_STEP = 0.02  # a state after one step with int8 weights against float32
NARROW_SCORES = 0.03  # scores of a small language model with narrow weights against float32
FLOAT32_DEEP = 2e-5  # float32 through several layers, in one order of sums or another
FINITE_DIFFERENCES = 1e-7  # central differences in float64, step 1e-5
EXPORTED = 1e-5  # a graph in ONNX Runtime against the original
KALDI = 1e-3  # log-mel frames in float64 against Kaldi's in float32: silence is the logarithm of rounding
FORECAST_STREAM = 1e-5  # a forecast after observing, beside that of the same history encoded afresh
ATTRIBUTION = 1e-3  # attributions of a forecast beside forecast minus baseline, in the units of the test series
