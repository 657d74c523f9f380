"""Entries for our modules in torch's tools and other libraries, which go by torch's own classes."""
