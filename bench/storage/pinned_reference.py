"""Load and save ``results/baselines/reference.json``, the commit that `gate` and `history` compare with."""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from bench.errors import UnreadableResultError
from bench.model.comparison import is_full_sha
from bench.model.json_codec import MalformedError, decode, to_json_value
from bench.storage.shared_files import read_shared_file, replace_shared_file
from bench.system.program_name import program_name

REFERENCE: Final = Path("results/baselines/reference.json")
"""Below the folder in which the command was given."""


@dataclass(frozen=True, slots=True)
class Reference:
    """The pinned commit.

    Attributes:
        rev: the full commit.
        since: the day on which it was pinned, UTC, ISO 8601.
        why: the reason given by the user who pinned it.
    """

    rev: str
    since: str
    why: str


def load_reference(path: Path = REFERENCE) -> Reference | None:
    """Read the pinned commit; return None if none is pinned.

    Raises:
        UnreadableResultError: the file cannot be read; the message has its path.
    """
    content = read_shared_file(path)
    if content is None:
        return None
    try:
        reference = decode(Reference, content)
    except MalformedError as error:
        raise _damaged(path, error.what) from error
    if not is_full_sha(reference.rev):
        raise _damaged(path, "rev is not a full commit")
    if not _is_day(reference.since):
        raise _damaged(path, "since is not a day")
    return reference


def save_reference(reference: Reference, path: Path = REFERENCE) -> None:
    """Pin a commit instead of the last one.

    Raises:
        SetupError: the file cannot be written; the last commit stays pinned.
    """
    text = json.dumps(to_json_value(reference), indent=1) + "\n"
    replace_shared_file(path, text, "pin a reference in")


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _damaged(path: Path, what: str) -> UnreadableResultError:
    return UnreadableResultError(
        f"{path}: {what}", hint=f"pin a commit again with `{program_name()} history pin`"
    )
