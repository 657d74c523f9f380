"""Experiments on recurrent cells: gates, gradients, comparisons, and the tables of papers."""
