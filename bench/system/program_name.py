"""The words that started this program, for commands that a user may copy from a message."""

import os
import sys


def program_name() -> str:
    """Return the words that started this program."""
    started = os.path.basename(sys.argv[0])  # noqa: PTH119  `--help` need not wait for pathlib
    return "python -m bench" if started == "__main__.py" else "flagbench"
