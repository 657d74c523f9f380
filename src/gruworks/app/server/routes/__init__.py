"""HTTP routes, one module for each task."""
