"""The words that started this program, for commands that a user may copy from a message."""

import sys
from pathlib import Path


def program_name() -> str:
    """Return the words that started this program."""
    return "python -m bench" if Path(sys.argv[0]).name == "__main__.py" else "flagbench"
