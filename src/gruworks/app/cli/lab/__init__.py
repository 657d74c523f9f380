"""Subcommands of `gruworks lab`: traces, experiments, comparisons, reproductions of papers."""
