"""Open what a user has measured, and read it as what it is: a HAR file, an access log, or a CSV file."""

import gzip
import io
import re
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Final, Literal, TypeAlias, cast

from bench.config.measured.answers import Measured
from bench.config.measured.csv_rows import has_column, read_csv
from bench.config.measured.figures import ServerName
from bench.config.measured.har import read_har
from bench.config.measured.log_lines import LogOptions, read_log
from bench.config.measured.tally import MOST_READ
from bench.errors import UsageError

FormatName: TypeAlias = ServerName | Literal["har", "csv"]
FORMATS: Final[tuple[FormatName, ...]] = ("har", "nginx", "apache", "envoy", "csv")

STDIN: Final = Path("-")
_GZIP: Final = b"\x1f\x8b"
_PEEKED: Final = 4096
_MOST_LINE: Final = 1 << 20
_MOST_HAR: Final = 64 << 20
"""Python's objects of a HAR file take up to 27 times as much memory as its text."""
_HAR_START: Final = re.compile(rb'(?:\xef\xbb\xbf)?\s*\{\s*"log"\s*:\s*\{')
"""A log of docker's is JSON with the key ``log``, too, with a text."""


def read_measured(file: Path, form: FormatName | None, options: LogOptions) -> Measured:
    """Read a file, which may be compressed by gzip, or stdin.

    Args:
        file: its path; ``-`` for stdin.
        form: its format; None: to be found.
        options: what else the user has said.

    Raises:
        UsageError: it cannot be read, or has too few figures; nothing of its content is in the message.
    """
    try:
        with _opened(file) as source:
            return _read(source, form, options)
    except (OSError, EOFError, zlib.error) as error:
        reason = (
            error.strerror if isinstance(error, OSError) and error.strerror else "the gzip data is damaged"
        )
        raise UsageError(f"{file} cannot be read: {reason}") from None


@contextmanager
def _opened(file: Path) -> Iterator[io.BufferedReader]:
    """Open a file, or stdin, which stays open, and decompress it."""
    if file == STDIN and sys.stdin is None:
        raise UsageError("stdin is closed", hint="name a file, or pipe one into the command")
    raw = sys.stdin.buffer if file == STDIN else file.open("rb")
    buffered = cast("io.BufferedReader", raw)  # stdin's is one, too
    try:
        if buffered.peek(len(_GZIP)).startswith(_GZIP):
            with gzip.open(buffered) as decompressed:
                yield io.BufferedReader(cast("io.RawIOBase", decompressed))
        else:
            yield buffered
    finally:
        if file != STDIN:
            raw.close()


def _read(source: io.BufferedReader, form: FormatName | None, options: LogOptions) -> Measured:
    is_har = form is None and _HAR_START.match(source.peek(_PEEKED)) is not None
    if form == "har" or is_har:
        if options != LogOptions():
            what = "--log-format, --column, --unit and --size-column have no meaning for a HAR file"
            raise UsageError(what, hint="leave them out")
        return read_har(_read_text(source))
    lines = _lines(source)
    if form == "csv":
        return _read_csv(lines, options)
    first = next(lines, "")
    if form is None and options.log_format is None and options.column and has_column(first, options.column):
        return _read_csv(chain([first], lines), options)
    return read_log(chain([first], lines), replace(options, server=form))


def _read_csv(lines: Iterator[str], options: LogOptions) -> Measured:
    if options.log_format is not None:
        raise UsageError("--log-format has no meaning for a CSV file", hint="leave it out")
    if options.column is None:
        raise UsageError("a CSV file has many columns", hint="name that of the times with --column")
    return read_csv(lines, options.column, options.unit, options.size_column)


def _read_text(source: io.BufferedReader) -> str:
    content = source.read(_MOST_HAR + 1)
    if len(content) > _MOST_HAR:
        raise UsageError(
            f"the HAR file has more than {_MOST_HAR >> 20} MiB of text",
            hint="export it without content (the bodies of answers), or save a shorter recording",
        )
    return content.decode("utf-8-sig", "replace")


def _lines(source: io.BufferedReader) -> Iterator[str]:
    """Yield the lines of a file, also blank ones; bytes that are no UTF-8 are replaced."""
    number = 0
    while line := source.readline(_MOST_LINE + 1):
        number += 1
        if number > MOST_READ:
            raise UsageError(f"the file has more than {MOST_READ:,} lines", hint="take a part of it")
        if len(line) > _MOST_LINE:
            raise UsageError(f"line {number} is longer than {_MOST_LINE >> 20} MiB", hint="see --format")
        yield line.decode("utf-8-sig" if number == 1 else "utf-8", "replace").rstrip("\r\n")
