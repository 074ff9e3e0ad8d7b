"""Asking git about the folder in which the command was given."""

import subprocess
from typing import Final

_PATIENCE_S: Final = 30
"""A large repository takes its time where nothing of it is in memory."""


def git(*words: str) -> str:
    """Return what git says, without the white space around it.

    Raises:
        OSError: there is no git.
        subprocess.SubprocessError: it refused, or took too long.
    """
    # a git that is interrupted while it refreshes the index leaves a lock in the user's repository, and the
    # folder's own settings may name a program as fsmonitor
    command = ["git", "--no-optional-locks", "-c", "core.fsmonitor=false", *words]
    return subprocess.run(  # noqa: S603  no shell
        command, capture_output=True, text=True, check=True, timeout=_PATIENCE_S
    ).stdout.strip()
