"""The command line: a file a task."""
