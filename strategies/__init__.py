"""Concurrency styles, one a file, each with the function ``download_many(job)``."""

from bench.api.own_strategy import find_own_strategy

find_own_strategy()
