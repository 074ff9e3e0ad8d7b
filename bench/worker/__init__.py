"""One trial in a process of its own: one JSON document in, one JSON document out."""
