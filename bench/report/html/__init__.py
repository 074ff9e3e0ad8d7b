"""Stored runs as HTML."""
