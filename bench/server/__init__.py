"""The flag server: a process of its own that answers with planned delays and faults, and logs requests."""
