"""Commands of the four tasks."""
