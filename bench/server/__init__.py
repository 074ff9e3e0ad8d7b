"""The flag server: a process of its own that answers as slowly as it is told, and is its own witness."""
