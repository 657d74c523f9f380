"""Torch modules: GRU, GRUCell, other recurrent cells, blocks and decoders."""
