"""The one fitting loop, settings of a fit, run folders."""
