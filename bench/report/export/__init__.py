"""A run in the formats of others: a file a format, each one function from a run to text."""
