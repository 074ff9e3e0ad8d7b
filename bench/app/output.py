"""Write results to stdout and everything else to stderr. A reader may leave early, such as ``| head``."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import Literal, TextIO, TypeAlias

from rich.console import Console

from bench.errors import ExitCode, SetupError, UnsavedRunError, UsageError
from bench.model.text import printable
from bench.storage.atomic_write import replace_file, write_atomically, write_remedy
from bench.system.console_encoding import use_stand_ins
from bench.system.program_name import program_name

OutputForm: TypeAlias = Literal["summary", "full", "json"]
"""The results on stdout: a summary, every table, or a document for programs."""


class BrokenPipeConsole(Console):
    """A console that ignores a broken pipe: the run goes on and is stored."""

    def on_broken_pipe(self) -> None:
        """Print nothing from now on."""
        self.quiet = True
        _redirect_to_null(self.file)


def stdout_console() -> Console:
    """Return the console for results; it prints text without highlighting."""
    use_stand_ins(sys.stdout)  # not the stream that the program began with, where pytest replaced it
    return BrokenPipeConsole(highlight=False, markup=False, emoji=False)


def stderr_console() -> Console:
    """Return the console for progress, notes and warnings; it prints text without highlighting."""
    use_stand_ins(sys.stderr)
    return BrokenPipeConsole(stderr=True, highlight=False, markup=False, emoji=False)


@contextmanager
def optional_stdout() -> Iterator[None]:
    """Print a warning if stdout cannot be written: the exit code does not depend on it."""
    try:
        yield
    except OSError as error:
        _redirect_to_null(sys.stdout)
        print_note(f"warning: stdout cannot be written: {error.strerror}; see the results with `show`")


@contextmanager
def saved(save: Callable[[], None], code: ExitCode) -> Iterator[bool]:
    """Save a run, then let it be shown; yield whether it could be saved.

    Raises:
        UnsavedRunError: it could not be saved; raised at the end.
    """
    unsaved: SetupError | None = None
    try:
        save()
    except SetupError as error:
        unsaved = error
    yield unsaved is None
    if unsaved is not None:
        raise UnsavedRunError(unsaved, code) from unsaved


def print_note(line: str) -> None:
    """Print a line to stderr, however wide it is; no character of it can move the cursor."""
    stderr_console().print(printable(line), soft_wrap=True)


def ignore_line(_line: str) -> None:
    """Print nothing, in place of ``print_note``."""


def how_to_show(name: str | None) -> str:
    """Return the command that prints all of a stored run; None: it is not stored, and may be later."""
    return "once the results are stored" if name is None else f"{program_name()} show {quote(name)} --full"


@contextmanager
def optional_file(file: Path, option: str) -> Iterator[None]:
    """Print a warning if a file cannot be written: the exit code does not depend on it."""
    try:
        yield
    except OSError as error:
        print_note(
            f"warning: {option}: {file} was not written: {error.strerror}; {write_remedy(error, file)}"
        )


def write_linked_file(file: Path, content: str | bytes) -> None:
    """Write a file atomically, where links lead to, and create its folder if it is missing."""
    target = Path(os.path.realpath(file))
    target.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(target, content)


def write_result(content: str | bytes, target: Path | None) -> None:
    """Write a result to a file, or to stdout.

    Raises:
        UsageError: stdout is a terminal and the content is binary.
        SetupError: the file cannot be written; it is unchanged.
    """
    if target is not None:
        replace_file(target, content)
    elif isinstance(content, bytes) and sys.stdout.isatty():
        raise UsageError("this format is binary", hint="name a file with -o, or redirect stdout")
    else:
        write_stdout(content.encode() if isinstance(content, str) else content)


def write_stdout(content: str | bytes) -> None:
    """Write text or bytes to stdout unchanged."""
    _write(sys.stdout, content)


def write_stderr(text: str) -> None:
    """Write a text to stderr unchanged."""
    _write(sys.stderr, text)


def _write(stream: TextIO, content: str | bytes) -> None:
    try:
        if isinstance(content, bytes):
            stream.flush()
            stream.buffer.write(content)
            stream.buffer.flush()
        else:
            stream.write(content)
            stream.flush()
    except BrokenPipeError:
        _redirect_to_null(stream)


def _redirect_to_null(stream: object) -> None:
    """Redirect a stream to /dev/null, so that flushing at exit does not fail."""
    if hasattr(stream, "fileno"):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
