"""The applications, all with one file layout; `registry.py` lists them."""
