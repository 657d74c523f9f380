"""Connectionist temporal classification: likelihood, alignment, lexicon and prefix beam search."""
