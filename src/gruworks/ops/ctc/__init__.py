"""Connectionist temporal classification: alignment, lexicon and prefix beam search."""
