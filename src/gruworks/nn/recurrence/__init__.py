"""The GRU recurrence on torch tensors: operands, conditions, implementations."""
