"""Run one trial in a process of its own: one JSON task in, JSON events and a report out."""
