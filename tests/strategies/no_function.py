"""A strategy without its function."""
