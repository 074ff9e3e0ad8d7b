"""A strategy's file as a program of its own."""

import os
import sys


def run_strategy(file: str) -> None:
    """Become ``bench download`` with the strategy of this file, whether it ships or is one's own."""
    command = [sys.executable, "-m", "bench", "download", "--strategy", file, *sys.argv[1:]]
    os.execv(sys.executable, command)  # noqa: S606  no shell is wanted
