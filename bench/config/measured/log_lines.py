"""Read an access log: find its format and its server, and the figures of each line."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Final

from bench.config.measured.answers import Answer, Entry, Measured
from bench.config.measured.default_formats import DEFAULT_FORMATS
from bench.config.measured.figures import (
    SERVERS,
    LoggedFigure,
    Server,
    ServerName,
    read_any_status,
    read_whole,
    time_reader,
)
from bench.config.measured.format_string import guess_server, parse_format, spellings
from bench.config.measured.line_fields import Fields, Split, combined_kind, split_json, split_pairs
from bench.config.measured.tally import Tally
from bench.errors import UsageError
from bench.model.text import join_and

_HEAD: Final = 100


@dataclass(frozen=True, slots=True)
class LogOptions:
    """What the user has said of a log.

    Attributes:
        server: whose log it is; None: to be found.
        log_format: its format string.
        column: the name of the time.
        unit: that of ``column``, if it is none of the known times.
        size_column: the name of the size.
    """

    server: ServerName | None = None
    log_format: str | None = None
    column: str | None = None
    unit: str | None = None
    size_column: str | None = None


def read_log(lines: Iterator[str], options: LogOptions) -> Measured:
    """Read an access log.

    Raises:
        UsageError: its format is not known, it has no times, or too many lines cannot be read.
    """
    head = list(islice((line for line in lines if line.strip()), _HEAD))
    if not head:
        raise UsageError("the file is empty", hint="name a file with measurements")
    server, split = _choose(head, options)
    server = _named(server, options)
    tally = Tally(f"a log of {server.title}", "line", server.times, server.sizes)
    has_size = options.size_column is None
    for line in chain(head, lines):
        if line.strip():
            fields = split(line)
            has_size = has_size or _has_any(fields, server.sizes)
            tally.add(_entry(fields, server))
    measured = tally.result()
    if not has_size:
        raise UsageError(f"no line has a field '{options.size_column}'", hint="see --size-column")
    return measured


def _has_any(fields: Fields | None, figures: Sequence[LoggedFigure]) -> bool:
    return fields is not None and any(figure.find(fields) is not None for figure in figures)


def _choose(head: Sequence[str], options: LogOptions) -> tuple[Server, Split]:
    """Return the server whose log begins with these lines, and what finds the fields of each.

    Raises:
        UsageError: they are of no known format, or could be of several.
    """
    if options.log_format is not None:
        name = options.server or guess_server(options.log_format)
        named = [each for each in (options.column, options.size_column) if each is not None]
        return SERVERS[name], parse_format(options.log_format, name, named).read
    if head[0].lstrip().startswith("{"):
        return _find_server(head, options, split_json), split_json
    for name, text in DEFAULT_FORMATS:
        split = parse_format(text, name).read
        if options.server in {None, name} and 2 * sum(split(line) is not None for line in head) > len(head):
            return SERVERS[name], split
    return _find_server(head, options, split_pairs), split_pairs


def _find_server(head: Sequence[str], options: LogOptions, split: Split) -> Server:
    """Return the server whose figures most of the first lines have by their names."""
    split_head = [(line, fields) for line in head if (fields := split(line)) is not None]
    lines = [fields for _, fields in split_head]

    def are_in(names: Collection[str]) -> bool:
        return 2 * sum(not fields.keys().isdisjoint(names) for fields in lines) > len(head)

    if options.column is not None and options.unit is not None:
        if not are_in([options.column]):
            raise UsageError(
                f"most lines have no field '{options.column}'", hint="see how the file names its times"
            )
        return SERVERS[options.server] if options.server else _unknown_server()
    if options.server is not None:
        server = SERVERS[options.server]
        if are_in([key for figure in server.times for key in figure.keys]):
            return server
        raise _no_times(head, split, server)
    in_combined = [fields.keys() for line, fields in split_head if combined_kind(line) is not None]

    def has_short_marks(server: Server) -> bool:
        return 2 * sum(not keys.isdisjoint(server.short_marks) for keys in in_combined) > len(head)

    found = [server for server in SERVERS.values() if are_in(server.marks) or has_short_marks(server)]
    if len(found) > 1:
        titles = join_and([server.title for server in found])
        raise UsageError(f"the log has figures of {titles}", hint="name its server with --format")
    if found:
        return found[0]
    short = {name for server in SERVERS.values() for name in server.short_marks if are_in([name])}
    if short:
        names = join_and([f"'{name}'" for name in sorted(short)])
        raise UsageError(
            f"the log has times named {names}, but nothing else says whose or in which unit",
            hint="name the time with --column, and its unit with --unit; or the server with --format",
        )
    raise _no_times(head, split, None)


def _no_times(head: Sequence[str], split: Split, server: Server | None) -> UsageError:
    """Return the error that says what to do about a log without known times."""
    if split is split_json:
        what = "the log is JSON without a key of a known time"
        hint = "name the key with --column, and its unit with --unit; a HAR file may take --format har"
        return UsageError(what, hint=hint)
    kinds = [combined_kind(line) for line in head]
    if 2 * kinds.count("plain") > len(head):
        what = "the log is in the format 'combined' or 'common', which has no times"
        servers = [SERVERS["nginx"], SERVERS["apache"]] if server is None else [server]
        advice = " or ".join(f"in {each.title} with {each.advice}" for each in servers)
        return UsageError(what, hint=f"log them {advice}")
    if 2 * kinds.count("longer") > len(head):
        what = "the log begins as 'combined' or 'common'; the fields after that have no known names"
        return UsageError(what, hint="give its format string with --log-format")
    what = "the format of the file is not known"
    hint = "give that of a log with --log-format; name the column of a CSV file with --column, and --unit"
    return UsageError(what, hint=hint)


def _unknown_server() -> Server:
    """Return a server of which only the names of the status are known."""
    return Server(
        title="a server",
        times=(),
        sizes=(),
        statuses=("status", "response_code"),
        marks=frozenset(),
        short_marks=frozenset(),
        advice="",
        read_status=read_any_status,
    )


def _named(server: Server, options: LogOptions) -> Server:
    """Return the server with only the time and the size that the user has named.

    Raises:
        UsageError: a name is not known, and has no unit.
    """
    if options.column is not None:
        times = [each for each in server.times if _is_named(each, options.column)]
        if options.unit is not None:
            contains = f"the field '{options.column}' of the log, in {options.unit}"
            times = [
                LoggedFigure(options.column, contains, time_reader(options.unit), spellings(options.column))
            ]
        elif not times:
            raise UsageError(
                f"'{options.column}' is no time of {server.title} with a known unit", hint="add --unit"
            )
        server = replace(server, times=tuple(times))
    elif options.unit is not None:
        raise UsageError("--unit is that of --column", hint="name the time with --column, too")
    if options.size_column is not None:
        sizes = [each for each in server.sizes if _is_named(each, options.size_column)]
        contains = f"the field '{options.size_column}' of the log, in bytes"
        named = LoggedFigure(options.size_column, contains, read_whole, spellings(options.size_column))
        server = replace(server, sizes=tuple(sizes or [named]))
    return server


def _is_named(figure: LoggedFigure, name: str) -> bool:
    return name in {figure.name, figure.name.strip("$%"), *figure.keys}


def _entry(fields: Fields | None, server: Server) -> Entry:
    """Return the figures of a line; None if one cannot be read, or there is no time at all."""
    if fields is None:
        return None
    times = [(figure, figure.find(fields)) for figure in server.times]
    if all(text is None for _, text in times):
        return None
    status = next((fields[name] for name in server.statuses if name in fields), None)
    sizes = [(figure, figure.find(fields)) for figure in server.sizes]
    try:
        return Answer(
            status=None if status is None else server.read_status(status),
            times_ms=tuple(None if text is None else figure.read(text) for figure, text in times),
            sizes=tuple(None if text is None else figure.read(text) for figure, text in sizes),
        )
    except ValueError:
        return None
