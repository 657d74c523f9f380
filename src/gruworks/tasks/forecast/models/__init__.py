"""Networks of the forecaster: the GRU encoder, SegRNN, DeepAR, and the interface that they share."""
