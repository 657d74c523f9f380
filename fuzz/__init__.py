"""Fuzzing of the loaders: mutated files, loaded and used within limits of time and memory (`python -m fuzz`)."""
