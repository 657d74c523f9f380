"""Torch modules, a family a file."""
