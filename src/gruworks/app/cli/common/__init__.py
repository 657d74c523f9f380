"""Flags, output and run folders shared by all commands."""
