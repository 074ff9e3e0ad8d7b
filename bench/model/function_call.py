"""The place of a function of the user's, and the arguments with which the worker calls it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

ENTRY: Final = "download_many"
"""The function of a strategy, unless its reference names another one."""

CURRENT_ROUND: Final = "current"
"""In place of a round's number in an address and a folder: a function that knows no job has the same in each
round, and the server reads the number from a file."""
ROUND_DIGITS: Final = 6
"""Digits of the number in that file, zeros before it included: a shorter one never shows part of a longer."""

ArgumentKind: TypeAlias = Literal["codes", "address", "verbose", "workers", "folder"]
"""The values of a parameter, in this order: the country codes, the address of the flags (``http://…/flags``),
False, the number of workers, and the folder for the flags."""


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A function of the user's, and how it is called; the default is ``download_many(job)`` of a file.

    Attributes:
        function: the name of the function.
        module: the dotted name of its module; empty: its file is imported.
        arguments: the kind of each argument, by parameter; empty: it takes one argument, a job or a URL.
        addresses: module constants that hold an address, which is replaced by that of the flag server.
        folders: module constants that hold the folder for downloads, which is replaced by the round's.
    """

    function: str = ENTRY
    module: str = ""
    arguments: Mapping[str, ArgumentKind] = field(default_factory=dict)
    addresses: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()

    @property
    def is_foreign(self) -> bool:
        """True if the function takes codes instead of a job; it may return anything."""
        return bool(self.arguments)
