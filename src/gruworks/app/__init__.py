"""Command line, server and page: they parse input, call the layers below and show the results."""
