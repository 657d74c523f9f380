"""Figures: arrays in, picture files out."""
