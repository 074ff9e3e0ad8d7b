"""Showing what was found; nothing here measures or decides."""
