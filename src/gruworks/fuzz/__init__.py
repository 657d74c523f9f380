"""Mutated files, loaded and used within limits: `python -m gruworks.fuzz --seconds 60 --seed 1`."""
