"""Support for gruworks' modules in tools that depend on the exact classes of torch.nn."""
