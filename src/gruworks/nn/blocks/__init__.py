"""Blocks of sequence models: residual stacks, convolutions, attention."""
