"""Side room: named sets and files. NumPy only; imports none of the stair."""
