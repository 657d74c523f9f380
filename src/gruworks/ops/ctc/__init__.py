"""Connectionist temporal classification: loss, alignment, lexicon and prefix search."""
