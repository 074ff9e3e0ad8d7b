"""Find the modules that files of strategies and clients import, by their text. Nothing is imported."""

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Final

from bench.config.catalog import foreign_modules
from bench.config.source_code import parse_source
from bench.errors import UsageError

_MOST_SOURCES: Final = 1000


def imported_modules(files: Collection[Path], folders: Iterable[Path] = ()) -> list[str]:
    """Return the top-level modules that files import, and those that modules of theirs in ``folders`` import.

    They are read from the text of each file; a file that cannot be read is left out.
    """
    places = tuple(folders)
    found: set[str] = set()
    waiting, seen = list(files), set(files)
    while waiting and len(seen) < _MOST_SOURCES:
        try:
            new = set(foreign_modules(parse_source(waiting.pop()), everywhere=True)) - found
        except UsageError:
            continue
        found |= new
        inner = (file for name in new for place in places for file in _module_sources(place, name))
        waiting += [file for file in inner if file not in seen]
        seen.update(waiting)
    return sorted(found)


def _module_sources(place: Path, name: str) -> Iterator[Path]:
    """Yield the files of a module or package in a folder."""
    if (place / f"{name}.py").is_file():
        yield place / f"{name}.py"
    if (place / name / "__init__.py").is_file():
        yield from sorted((place / name).rglob("*.py"))
