"""Describe the libraries of variants and clients: versions, and dependency files that were not read."""

from collections.abc import Iterator, Mapping
from typing import Any

from bench.model.results import Run
from bench.model.text import join_and, printable

_NOT_LOADED = "not loaded"


def library_lines(variants: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Write a line for each library that differs, and one for the dependency files that were not read.

    Args:
        variants: the stored facts about base and candidate, by label.
    """
    if len(variants) != 2:  # noqa: PLR2004  an older run, or one of several variants
        return
    (base, first), (candidate, second) = ((printable(label), about) for label, about in variants.items())
    old, new = _mapping(first, "libraries"), _mapping(second, "libraries")
    yield from _differing(old, new, base, candidate)
    theirs = _mapping(first, "environments"), _mapping(second, "environments")
    for client in sorted(theirs[0].keys() & theirs[1].keys()):
        old_ones, new_ones = (_mapping(each[client], "libraries") for each in theirs)
        yield from _differing(old_ones, new_ones, base, candidate, f" for {printable(client)}")
    if unread := _unread_files(first, second):
        same = [
            f"{printable(name)} {printable(str(old[name]))}"
            for name in sorted(old)
            if old[name] == new.get(name)
        ]
        used = f"; both used {', '.join(same)}" if same else ""
        yield f"not read: {join_and(list(map(printable, unread)))}{used}"


def _differing(
    old: Mapping[str, Any], new: Mapping[str, Any], base: str, candidate: str, purpose: str = ""
) -> Iterator[str]:
    """Write a line for each library whose version differs between two variants."""
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            versions = [printable(str(each.get(name, _NOT_LOADED))) for each in (old, new)]
            yield f"{printable(name)}{purpose}: {versions[0]} in {base}, {versions[1]} in {candidate}"


def environment_lines(run: Run) -> Iterator[str]:
    """Write a line for each client with an environment of its own: the libraries that it imported."""
    for client, about in _mapping(run.config, "environments").items():
        libraries = [f"{name} {version}" for name, version in _mapping(about, "libraries").items()]
        if libraries:
            yield printable(f"{client} had an environment of its own: {join_and(libraries)}.")


def differing_locks(variants: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the files that decide versions, differ between two variants, and were not read."""
    first, second = (_mapping(about, "dependencies") for about in variants.values())
    unread = [_mapping(each, "unread") for each in (first, second)]
    locks = {*first.get("unread_locks", ()), *second.get("unread_locks", ())}
    return sorted(name for name in locks if unread[0].get(name) != unread[1].get(name))


def _unread_files(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    """Return the unread files that decide versions, and those that differ."""
    sides = [_mapping(about, "dependencies") for about in (first, second)]
    unread = [_mapping(side, "unread") for side in sides]
    locks = {name for side in sides for name in side.get("unread_locks", ())}
    differing = {name for name in {*unread[0], *unread[1]} if unread[0].get(name) != unread[1].get(name)}
    return sorted(map(str, locks | differing))


def _mapping(about: Any, key: str) -> Mapping[str, Any]:
    value = about.get(key) if isinstance(about, Mapping) else None
    return value if isinstance(value, Mapping) else {}
