"""What optional parts of the project need, and the command that installs it."""

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final


@dataclass(frozen=True, slots=True)
class Extra:
    """An optional part: its name in the project's metadata, and the modules that it needs."""

    name: str
    modules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MissingExtra:
    """What is not installed: the end of a sentence, and the command that mends it."""

    what: str
    hint: str

    def __str__(self) -> str:
        return f"{self.what}: {self.hint}"


TLS: Final = Extra("tls", ("trustme", "h2"))
"""Encrypted connections, and HTTP/2 on them."""
PARQUET: Final = Extra("parquet", ("pyarrow",))
"""Trials as Parquet."""
VARIANTS: Final = Extra("variants", ("uv",))
"""Environments of their own for the sides of a contest."""


def missing_extra(extra: Extra) -> MissingExtra | None:
    """Say what is not installed of what an optional part needs; ``None`` if nothing is missing."""
    missing = [module for module in extra.modules if find_spec(module) is None]
    if not missing:
        return None
    verb = "is" if len(missing) == 1 else "are"
    return MissingExtra(
        f"needs {' and '.join(missing)}, which {verb} not installed", f"pip install 'flagbench[{extra.name}]'"
    )
