"""The applications, four houses with the same floor plan; `registry.py` names them."""
