"""Stored runs as HTML: reports with charts, which need the extra ``report``, and tables for notebooks."""
