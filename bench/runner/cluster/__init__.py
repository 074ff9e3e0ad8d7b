"""Blocks of a run on machines of a cluster: what is sent to them, their processes, and who measures what."""
