"""Requirements as they are written: which of them a variant may have, and what they depend on."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from bench.errors import UsageError
from bench.model.text import one_line
from bench.variants.run_command import without_addresses

_BY_NAME: Final = re.compile(r"[A-Za-z0-9][\w.-]*\s*(\[[^\]/@]*\])?\s*([=<>!~;(][^/@]*)?")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SEPARATORS: Final = re.compile(r"[-_.]+")
_EXTRAS: Final = re.compile(r"(?P<path>.*?)(?P<extras>\[[^\]]*\])?")
_CREDENTIALS: Final = re.compile(r"(?P<scheme>[\w.+-]+)://(?P<user>[^/?#\s]*)@")
_EDITABLE: Final = re.compile(r"(?m)^[ \t]*(-e|--editable)(?:[ \t]+|=)")
_COMMENT: Final = re.compile(r"(^|\s)#.*")


def name_of(requirement: str) -> str:
    """Return the name of the distribution that is asked for, as indexes compare names; empty without one."""
    is_bare = is_local(requirement) or ("://" in requirement and "@" not in requirement.partition("://")[0])
    found = None if is_bare else _NAME.match(requirement)
    return "" if found is None else comparable(found[0])


def comparable(name: str) -> str:
    """Write the name of a distribution so that equal ones are equal (PEP 503)."""
    return _SEPARATORS.sub("-", name).lower()


def is_local(requirement: str) -> bool:
    """Say whether a requirement is a path, such as ``.`` or ``./x[extra]``."""
    return "://" not in requirement and (requirement[:1] in {".", "/", "~"} or "/" in requirement)


def located(requirement: str, tree: Path) -> str:
    """Write a requirement as it is for the files of a tree: paths are counted from there.

    Raises:
        UsageError: it leads out of the tree, or there is nothing at its path.
    """
    if not is_local(requirement):
        return requirement
    parts = _EXTRAS.fullmatch(requirement)
    path = Path(requirement) if parts is None else tree / parts["path"]
    extras = "" if parts is None else parts["extras"] or ""
    if not path.resolve().is_relative_to(tree.resolve()) or not path.exists():
        raise UsageError(
            f"the requirement {one_line(requirement)!r} is not in the variant's tree",
            hint="name what is in there, such as . or ./libraries/x, or a distribution",
        )
    return f"{path}{extras}"


def refuse_unfit(requirements: Iterable[str]) -> None:
    """Refuse what is no requirement, or would be stored with secrets or names of this machine.

    Raises:
        UsageError: one of them is such.
    """
    for requirement in requirements:
        # what has credentials in it is not repeated
        shown = one_line(without_addresses(requirement))
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
    """Say whether an address in a requirement names a user, other than that of a server behind ssh."""
    return any(
        ":" in found["user"] or "ssh" not in found["scheme"] for found in _CREDENTIALS.finditer(requirement)
    )


def without_editables(text: str) -> str:
    """Write a file of requirements without its ``-e``: a tree is installed from a copy that goes."""
    return _EDITABLE.sub("", text)


def stands_alone(text: str) -> bool:
    """Say whether a file of requirements means the same wherever it lies: names, versions and hashes only."""
    return all(_BY_NAME.fullmatch(_without_hashes(line)) for line in _logical_lines(text))


def is_hashed(text: str) -> bool:
    """Say whether every requirement of a file has hashes, so that nothing else may be installed."""
    lines = [line for line in _logical_lines(text) if not line.startswith("-")]
    return bool(lines) and all("--hash=" in line for line in lines)


def _without_hashes(line: str) -> str:
    return re.sub(r"\s--hash[=\s]\S+", "", line).strip()


def _logical_lines(text: str) -> list[str]:
    """Return the lines of a file of requirements, continued ones as one, without comments and empty ones."""
    joined = re.sub(r"\\\r?\n", " ", text)
    lines = (_COMMENT.sub("", line).strip() for line in joined.splitlines())
    return [line for line in lines if line]
