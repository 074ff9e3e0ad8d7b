"""What the whole name of a commit is, by either of git's hashes."""

import re
from typing import Final

_COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def is_commit(text: str) -> bool:
    """Say whether a text is the whole name of a commit."""
    return _COMMIT.fullmatch(text) is not None
