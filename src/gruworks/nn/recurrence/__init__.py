"""The GRU recurrence on torch tensors: operands, conditions, implementations."""

from gruworks.nn.compatibility.torch_version import check_version

check_version()
