"""Parse and check requirements: those of a variant, and the requirements file of a tree."""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from bench.errors import UsageError
from bench.model.text import one_line
from bench.variants.run_command import replace_urls

_EXTRAS: Final = re.compile(r"(?P<path>.*?)(?P<extras>\[[^\]]*\])?")
_CREDENTIALS: Final = re.compile(r"(?P<scheme>[\w.+-]+)://(?P<user>[^/?#\s]*)@")
_EDITABLE: Final = re.compile(r"(?m)^[ \t]*(-e|--editable)(?:[ \t]+|=)")
_COMMENT: Final = re.compile(r"(^|\s)#.*")
_INCLUDE: Final = re.compile(r"(-r|-c|--requirements?|--constraints?)[ \t=]*(?P<path>\S+)")
_HASH: Final = re.compile(r"\s--hash[=\s]\S+")


def check_requirements(requirements: Iterable[str]) -> None:
    """Refuse requirements that are none, or that would store secrets or names of this machine.

    Raises:
        UsageError: one of them is an option, has credentials, or is a file outside of the tree.
    """
    for requirement in requirements:
        shown = one_line(replace_urls(requirement))  # without credentials
        if has_credentials(requirement):
            raise UsageError(
                f"the requirement {shown!r} has credentials in it",
                hint="give them to uv in ~/.netrc or its UV_INDEX_… variables",
            )
        if requirement.startswith("-"):
            raise UsageError(
                f"{shown!r} is an option, not a requirement",
                hint="put it into the requirements.txt of the tree, or set it in uv's variables",
            )
        if "file://" in requirement or ("@" in requirement and "://" not in requirement):
            raise UsageError(
                f"the requirement {shown!r} is neither a distribution nor a path in the tree",
                hint="write it like httpx==0.27.2, . or ./libraries/x",
            )


def has_credentials(requirement: str) -> bool:
    """Tell whether a URL in a requirement names a user.

    The user of a server behind ssh does not count.
    """
    return any(
        ":" in found["user"] or "ssh" not in found["scheme"] for found in _CREDENTIALS.finditer(requirement)
    )


def parse_requirement(requirement: str) -> Requirement | None:
    """Parse a requirement by PEP 508.

    Return None if it is none, such as a bare path or URL.
    """
    try:
        return Requirement(requirement)
    except InvalidRequirement:
        return None


def distribution_name(requirement: str) -> str | None:
    """Return the normalised name of the distribution that is required; None for a bare path or URL."""
    parsed = parse_requirement(requirement)
    return None if parsed is None else canonicalize_name(parsed.name)


def is_local(requirement: str) -> bool:
    """Tell whether a requirement is a path, such as ``.`` or ``./x[extra]``."""
    return "://" not in requirement and (requirement[:1] in {".", "/", "~"} or "/" in requirement)


def resolve_path(requirement: str, tree: Path) -> str:
    """Make the path of a local requirement absolute; return any other requirement as it is.

    Raises:
        UsageError: the path leads out of the tree, or does not exist.
    """
    if not is_local(requirement):
        return requirement
    parts = _EXTRAS.fullmatch(requirement)
    path = Path(requirement) if parts is None else tree / parts["path"]
    extras = "" if parts is None else parts["extras"] or ""
    if not path.resolve().is_relative_to(tree.resolve()) or not path.exists():
        raise UsageError(
            f"the requirement {one_line(requirement)!r} is not in the variant's tree",
            hint="name a path in the tree, such as . or ./libraries/x, or a distribution",
        )
    return f"{path}{extras}"


def drop_editable_options(text: str) -> str:
    """Remove ``-e`` from a requirements file: a tree is installed from a temporary copy."""
    return _EDITABLE.sub("", text)


def requirement_lines(text: str) -> list[str]:
    """Return the lines of a requirements file without comments and hashes, continued lines joined."""
    return [_HASH.sub("", line).strip() for line in _logical_lines(text)]


def included_files(file: Path, top: Path) -> set[Path]:
    """Return the files below ``top`` that a requirements file includes, and those that they include."""
    found: set[Path] = set()
    waiting = [file]
    while waiting:
        current = waiting.pop()
        text = current.read_text(encoding="utf-8", errors="replace")
        for match in map(_INCLUDE.match, _logical_lines(text)):
            other = current.parent / match["path"].strip("'\"") if match else None
            place = None if other is None else Path(os.path.normpath(other))
            if place is not None and place not in found and place.is_relative_to(top) and place.is_file():
                found.add(place)
                waiting.append(place)
    return found


def applies_to(requirement: Requirement, python: str) -> bool:
    """Tell whether a requirement is meant for a version of Python on this system."""
    if requirement.marker is None:
        return True
    version = python.removesuffix("t")
    short = ".".join(version.split(".")[:2])
    return requirement.marker.evaluate({"python_version": short, "python_full_version": version, "extra": ""})


def is_independent_of_tree(text: str) -> bool:
    """Tell whether a requirements file holds only names, versions and hashes, and no paths and options."""
    parsed = [parse_requirement(line) for line in requirement_lines(text)]
    return all(each is not None and each.url is None for each in parsed)


def is_fully_hashed(text: str) -> bool:
    """Tell whether every requirement of a file has hashes, so that nothing else may be installed."""
    lines = [line for line in _logical_lines(text) if not line.startswith("-")]
    return bool(lines) and all("--hash=" in line for line in lines)


def _logical_lines(text: str) -> list[str]:
    """Return the lines of a requirements file: continued ones joined, comments and empty ones dropped."""
    joined = re.sub(r"\\\r?\n", " ", text)
    lines = (_COMMENT.sub("", line).strip() for line in joined.splitlines())
    return [line for line in lines if line]
