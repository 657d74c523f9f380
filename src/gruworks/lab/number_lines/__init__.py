"""Number lines (1, 2, 3, 4, 5) and small GRUs that predict their next number."""
