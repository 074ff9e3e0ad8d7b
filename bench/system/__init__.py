"""The machine: what it is, what it does meanwhile, what to change about it, and who runs where on it."""
