"""Data: known data sets and their download, documents, vocabularies."""
