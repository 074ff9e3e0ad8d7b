"""A server of the user's that is measured in place of the flag server, and the files that it serves."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from string import ascii_uppercase
from typing import Self


@dataclass(frozen=True, slots=True)
class Target:
    """A server of the user's.

    Attributes:
        url: the address below which its files are, without a slash at its end.
        paths: the path of each file below the address, percent-encoded, by the code that strategies know.
        checksums: the SHA-256 of each file in hex digits, by code; empty if they are unknown.
        rate: the most requests that are started in a second; None: any number.
        authority: PEM file of the certificate authorities to trust; None: those of the system.
        is_remote: whether it has an address that is not a loopback address.
    """

    url: str
    paths: Mapping[str, str]
    checksums: Mapping[str, str]
    rate: float | None = None
    authority: Path | None = None
    is_remote: bool = False

    @property
    def is_encrypted(self) -> bool:
        """Tell whether it is asked over TLS."""
        return self.url.startswith("https:")

    def address(self, code: str) -> str:
        """Return the address of a file."""
        return f"{self.url}/{self.paths[code]}"

    def as_remote(self) -> Self:
        """Return the same target, known not to be on this machine."""
        return replace(self, is_remote=True)


def file_codes(count: int) -> tuple[str, ...]:
    """Return codes for so many files: AA, AB and so on, with a third letter for more than 676 of them."""
    length = 2
    while len(ascii_uppercase) ** length < count:
        length += 1
    letters = product(ascii_uppercase, repeat=length)
    return tuple("".join(code) for code, _ in zip(letters, range(count), strict=False))


def flag_paths(codes: tuple[str, ...]) -> Mapping[str, str]:
    """Return the paths at which the flag server has its flags, as the chapter's server does."""
    return {code: f"flags/{code.lower()}/{code.lower()}.gif" for code in codes}
