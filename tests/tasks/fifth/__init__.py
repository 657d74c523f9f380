"""A fifth task, as small as one can be: the next number of a line, by one GRU."""
