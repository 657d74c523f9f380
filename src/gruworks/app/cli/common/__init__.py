"""Flags, output and run folders, as all commands have them."""
