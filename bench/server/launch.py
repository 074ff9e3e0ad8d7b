"""How a flag server is started: by whoever looks after its process, then told over its pipes what to do."""

import sys


def server_command() -> tuple[str, ...]:
    """Return the command of the server's process, whose ``PYTHONPATH`` must lead to ``bench``.

    ``-P`` keeps a foreign ``bench`` of the current folder out.
    """
    return (sys.executable, "-P", "-m", "bench.server")
