"""How many files a process may have open: what the shell allows is less than what the system does."""

import resource
from contextlib import suppress


def raise_limit() -> None:
    """Let this process, and what it starts, have as many open files as it may allow itself."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):  # some systems call a limit infinite that they do not grant
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
