"""Decoders and the search over their outputs: beam search, sampling, n-gram blocking."""
