"""State tracking beyond the training lengths: recurrent cells, attention and linear recurrences of equal size."""
