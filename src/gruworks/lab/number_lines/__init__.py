"""After 1, 2, 3, 4, 5 comes 6: number lines, and units that continue them."""
