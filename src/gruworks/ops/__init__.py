"""Arrays in, arrays out: the equations, the weights' one convention, and the compiled kernels. Imports no torch."""
