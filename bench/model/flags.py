"""Provide the flags that are served, by upper-case country code: the project's own, or those of a folder.

Sizes are spread like those of the chapter's flags (1.2 to 36 KB, median 9.9 KB), because the size of a
download is part of what is timed. The designs are invented: real flags would only add a licence.
"""

from collections.abc import Mapping
from functools import cache
from hashlib import blake2b
from math import exp, sqrt
from pathlib import Path
from statistics import NormalDist
from types import MappingProxyType
from typing import Final

from bench.api.job import is_country_code
from bench.errors import SetupError, UsageError
from bench.model.countries import COUNTRIES
from bench.model.flag_pictures import DESIGNS, Colour, Picture, area_of, encode_gif
from bench.model.planned_delays import to_unit_interval
from bench.model.text import count_names

_MEDIAN_BYTES: Final = 9_900
_SMALLEST_BYTES: Final = 1_250
_LARGEST_BYTES: Final = 36_000
_LOG_SIZE: Final = NormalDist(0.0, 0.7)
"""Logarithm of size ÷ median: 95 % of the flags lie within a factor of 4 of the median."""

_COLOURS: Final[tuple[Colour, ...]] = (
    (255, 255, 255),
    (206, 17, 38),
    (0, 56, 168),
    (0, 122, 61),
    (252, 209, 22),
    (17, 17, 17),
    (91, 169, 221),
)


def served_flags(folder: Path | None) -> Mapping[str, bytes]:
    """Return the flags of a folder, or the project's own if it is None."""
    return all_flags() if folder is None else load_flags(folder)


@cache
def all_flags() -> Mapping[str, bytes]:
    """Return the project's own flags, as GIF files."""
    return MappingProxyType({code: make_flag(code) for code in COUNTRIES})


def make_flag(code: str) -> bytes:
    """Generate the flag of a country: the same bytes on every machine."""
    digest = blake2b(code.encode(), digest_size=16, person=b"cloth").digest()
    area = area_of(_size_bytes(digest[:8]))
    height = max(1, round(sqrt(area * 2 / 3)))
    width = area // height
    draw_design = DESIGNS[digest[8] % len(DESIGNS)]
    return encode_gif(Picture(width, height, _pick_colours(digest[9:12]), draw_design(width, height)))


def load_flags(folder: Path) -> Mapping[str, bytes]:
    """Read the flags of a folder with ``br.gif``, or ``br/br.gif`` as in the chapter, in any case.

    Raises:
        SetupError: the folder or a flag cannot be read, a flag is empty, or the folder has no flag.
        UsageError: two files are the flag of one country.
    """
    try:
        files = _find_flag_files(folder)
        flags = {code: file.read_bytes() for code, file in files.items()}
    except OSError as error:
        raise SetupError(f"{error.filename or folder}: the flag cannot be read: {error.strerror}") from error
    if not flags:
        raise SetupError(f"{folder}: no flag found", hint="flags_dir needs files such as br.gif or br/br.gif")
    for code, flag in flags.items():
        if not flag:  # a fetch could not tell it from a response that lost its body
            raise SetupError(
                f"{files[code]}: the flag is empty", hint="save a picture there, or remove the file"
            )
    return MappingProxyType(flags)


def describe_ignored_files(folder: Path) -> str | None:
    """Return a sentence on files that look like flags, but are not served; None if there are none.

    They have the suffix of a flag or the code of a country, but not both, or are in the wrong folder.
    """
    ignored = [
        str(file.relative_to(folder))
        for file in _list_files(folder)
        if (_is_gif(file) or _is_named(file)) and not _is_flag(file, folder)
    ]
    if not ignored:
        return None
    files = count_names(ignored, "file is not served", "files are not served")
    return f"{folder}: {files}; a flag is named like br.gif or br/br.gif."


def _find_flag_files(folder: Path) -> Mapping[str, Path]:
    found: dict[str, Path] = {}
    for file in _list_files(folder):
        if _is_flag(file, folder) and (first := found.setdefault(file.stem.upper(), file)) != file:
            raise UsageError(
                f"{first} and {file} are both the flag of {file.stem.upper()}", hint="keep one of them"
            )
    return found


def _list_files(folder: Path) -> list[Path]:
    """Return the paths with a suffix in a folder and its folders, without hidden ones."""
    found = (*folder.glob("*.*"), *folder.glob("*/*.*")) if folder.is_dir() else ()
    return sorted(file for file in found if not any(part.startswith(".") for part in file.parts[-2:]))


def _is_flag(file: Path, folder: Path) -> bool:
    is_in_place = file.parent == folder or file.parent.name.lower() == file.stem.lower()
    return _is_gif(file) and _is_named(file) and is_in_place


def _is_gif(file: Path) -> bool:
    return file.suffix.lower() == ".gif"


def _is_named(file: Path) -> bool:
    """Tell whether a file is named by the code of a country.

    Only ASCII counts: one other letter may become two in upper case.
    """
    return file.stem.isascii() and is_country_code(file.stem.upper())


def _size_bytes(digest: bytes) -> int:
    size_bytes = round(_MEDIAN_BYTES * exp(_LOG_SIZE.inv_cdf(to_unit_interval(digest))))
    return min(max(size_bytes, _SMALLEST_BYTES), _LARGEST_BYTES)


def _pick_colours(digest: bytes) -> list[Colour]:
    """Pick three different colours."""
    colours = list(_COLOURS)
    return [colours.pop(byte % len(colours)) for byte in digest]
