"""Concurrency styles, one a file, each with the function ``download_many(job)``."""
