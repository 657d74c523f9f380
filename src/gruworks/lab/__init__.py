"""Instruments: look inside a unit, compare cells, follow gradients."""
