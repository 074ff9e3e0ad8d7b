"""Show whether the cases of a run were measured under equal conditions: the last tables of `--full`."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import PurePath
from typing import Final

from bench.model.cases import NO_CLIENT, Profile
from bench.model.results import Run
from bench.model.text import join_and, printable
from bench.model.worker_runtime import ImportedLibrary
from bench.report.case_columns import CaseColumn, filled_columns, measured_column
from bench.report.case_label import client_label
from bench.report.number_format import MISSING, format_count, format_number, format_signed
from bench.report.table import Column, Row, Section, Table
from bench.stats.case_summary import CaseSummary
from bench.stats.fairness import Fairness
from bench.stats.ranking import Ranking

_PER_FETCHES: Final = "per 1,000 fetches, garbage collections and memory blocks left allocated"
_BY_THE_LOG: Final = "connections, median of a round in the server log"
_STANDARD_LIBRARY: Final = "stdlib"
_SWITCHED_OFF: Final = "retries, redirects, cookies, decoding and proxies of the environment are off"
_MIB: Final = 1 << 20
_PACKAGES: Final = frozenset({"site-packages", "dist-packages"})


def fairness_note(ranking: Ranking) -> str:
    """Explain the columns of the fairness table; a target has no log."""
    return _PER_FETCHES if ranking.rows[0].case.profile.server else f"{_BY_THE_LOG}; {_PER_FETCHES}"


def fairness_columns(ranking: Ranking) -> tuple[CaseColumn, ...]:
    """Return the columns of the fairness table that have a value for any case."""
    return filled_columns(
        (
            CaseColumn("version", _client_version, align="left"),
            *_differing("Python", ranking, lambda found: ", ".join(found.python)),
            *_differing("GIL", ranking, lambda found: _yes_or_no(found.has_gil)),
            measured_column("loop", "fairness.event_loops", _name_loops),
            measured_column("keep alive", "fairness.settings.keep_alive", _yes_or_no),
            measured_column("conns opened", "fairness.connections_opened", format_count),
            measured_column("fetches per conn", "fairness.fetches_per_connection", format_number),
            measured_column("GC per 1,000", "fairness.gc_collections", format_number),
            measured_column("blocks per 1,000", "fairness.blocks_grown", format_signed),
        ),
        ranking,
    )


def describe_settings(run: Run, ranking: Ranking) -> str | None:
    """Say which settings all clients of a profile have alike; None if no case has a client of ours."""
    profile = ranking.rows[0].case.profile
    cases = [row.case for row in ranking.rows]
    if not any(case.has_settings for case in cases):
        return None
    timeout_s, largest_bytes = run.config.get("request_timeout_s"), run.config.get("largest_bytes")
    settings = [
        "HTTP/2" if profile.http2 else "HTTP/1.1",
        _describe_encryption(profile),
        *([f"{timeout_s:g} s for a fetch"] if isinstance(timeout_s, int | float) else []),
        *([f"bodies up to {largest_bytes / _MIB:.3g} MiB"] if isinstance(largest_bytes, int) else []),
        "no more connections than workers",
    ]
    has_functions = any(case.client != NO_CLIENT and not case.has_settings for case in cases)
    every = "Every client of flagbench" if has_functions else "Every client"
    return f"{every} is opened with {join_and(settings)}; {_SWITCHED_OFF}."


def _describe_encryption(profile: Profile) -> str:
    if not (profile.tls or profile.http2):
        return "no TLS"
    if profile.server:
        return "TLS with the same certificate authorities"
    return "TLS with the certificate authority of the run only"


def library_tables(ranking: Ranking) -> Iterator[Table]:
    """Return the table of the libraries that workers imported, with their versions and files, if any did."""
    users: dict[ImportedLibrary, list[CaseSummary]] = {}
    for row in ranking.rows:
        for library in () if row.fairness is None else row.fairness.libraries:
            users.setdefault(library, []).append(row)
    if not users:
        return
    places = shorten_files(library.file for library in users)
    rows = tuple(
        Row(
            (
                _name_library(library),
                printable(library.version) or MISSING,
                printable(places[library.file]) or MISSING,
                join_and(_name_users(found, ranking)),
            )
        )
        for library, found in sorted(users.items(), key=lambda item: (item[0].module, item[0].version))
    )
    headings = ("library", "version", "imported from")
    columns = (*(Column(heading, "left") for heading in headings), Column("by", "left", wraps=True))
    yield Table("libraries", columns, (Section("", rows),), note=", ".join(_describe_interpreters(ranking)))


def shorten_files(files: Iterable[str]) -> Mapping[str, str]:
    """Return the place of each file: from ``site-packages`` on, unless another one would look the same."""
    places = {file: _place(PurePath(file)) for file in files}
    short = {file: _from_packages(place) if file else "" for file, place in places.items()}
    known = list(short.values())
    return {file: short[file] if known.count(short[file]) == 1 else str(places[file]) for file in places}


def _place(file: PurePath) -> PurePath:
    """Return the folder of a package, or the file of a module without the tag of a compiled one."""
    if file.stem == "__init__":
        return file.parent
    return file.with_name(f"{file.name.partition('.')[0]}{file.suffix}") if file.name else file


def _from_packages(place: PurePath) -> str:
    """Leave out the folders above the one with the installed packages."""
    above = [number for number, part in enumerate(place.parts) if part in _PACKAGES]
    return str(PurePath(*place.parts[above[-1] :])) if above else str(place)


def _client_version(row: CaseSummary) -> str:
    """Write the version of the library that a case downloads with, as its workers imported it."""
    found = row.fairness
    if found is None or not found.python:
        return MISSING
    importer = "strategy" if row.case.client == NO_CLIENT else "client"
    libraries = [each for each in found.libraries if each.importer == importer]
    if not libraries:
        return MISSING if importer == "strategy" else _STANDARD_LIBRARY
    client = re.match(r"\w*", row.case.client)
    own = [each for each in libraries if client and each.module == client[0]]
    if own or len({each.module for each in libraries}) == 1:
        return printable(", ".join(each.version or MISSING for each in own or libraries))
    return printable(", ".join(f"{each.module} {each.version or MISSING}" for each in libraries))


def _differing(heading: str, ranking: Ranking, write: Callable[[Fairness], str]) -> Iterator[CaseColumn]:
    """Return a column of something that is the same for most runs only if it differs between cases."""

    def cell(row: CaseSummary) -> str:
        return MISSING if row.fairness is None else printable(write(row.fairness)) or MISSING

    if len({cell(row) for row in ranking.rows} - {MISSING}) > 1:
        yield CaseColumn(heading, cell, align="left")


def _describe_interpreters(ranking: Ranking) -> Iterator[str]:
    """Say which interpreters the workers had, as far as they had the same."""
    known = [row.fairness for row in ranking.rows if row.fairness is not None and row.fairness.python]
    if len({each.python for each in known}) == 1:
        yield f"{printable(', '.join(known[0].python))}"
    if len({each.has_gil for each in known}) == 1:
        yield "GIL enabled" if known[0].has_gil else "GIL disabled"
    yield "as the workers imported them"


def _name_loops(loops: Iterable[str]) -> str:
    """Name the packages of event loops; a dash if no client was opened in one."""
    packages = sorted({loop.partition(".")[0] for loop in loops})
    return printable(", ".join(packages)) or MISSING


def _yes_or_no(truth: bool | None) -> str:  # noqa: FBT001  the value of a cell
    return MISSING if truth is None else "yes" if truth else "no"


def _client_name(row: CaseSummary) -> str:
    """Name the client of a case, with its variant, whatever its connections."""
    return client_label(replace(row.case, keep_alive=True))


def _name_library(library: ImportedLibrary) -> str:
    """Name a module, and its distribution if that has another name."""
    module, distribution = library.module, library.distribution
    is_same = _normalise(module) == _normalise(distribution)
    return printable(module if is_same or not distribution else f"{module} ({distribution})")


def _normalise(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _name_users(users: Iterable[CaseSummary], ranking: Ranking) -> list[str]:
    """Name the clients whose cases all import a library, and the strategies of the other cases."""
    importing = {row.case.id for row in users}
    cases: dict[str, set[str]] = {}
    for row in ranking.rows:
        if row.fairness is not None:
            cases.setdefault(_client_name(row), set()).add(row.case.id)
    names = {
        _client_name(row)
        if row.case.client != NO_CLIENT and cases[_client_name(row)] <= importing
        else printable(row.case.strategy)
        for row in ranking.rows
        if row.case.id in importing
    }
    return sorted(names)
