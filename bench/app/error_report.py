"""Print the error that ended a command, and find its exit code. Loaded after a failure only."""

import sys
from contextlib import suppress

import click

from bench.api.error_outcomes import local_fault
from bench.errors import BenchError, ConfigError, ExitCode, SetupError
from bench.model.process_limit import describe_process_limit
from bench.model.text import printable
from bench.system.program_name import program_name


def report_error(error: Exception) -> ExitCode:
    """Print an error and return its exit code."""
    if isinstance(error, ConfigError):
        _print_to_stderr(*error.lines)  # each begins with its place in the file
        return error.exit_code
    if isinstance(error, BenchError):
        _print_to_stderr(*(f"error[{error.kind}]: {line}" for line in error.lines), *error.details)
        return error.exit_code
    if (fault := local_fault(error)) is not None:
        file = f": {fault.filename}" if fault.filename else ""
        return report_error(SetupError(f"out of system resources: {fault.strerror}{file}"))
    if (limit := describe_process_limit(error)) is not None:
        return report_error(SetupError(limit, hint="raise it, end other processes, or use fewer workers"))
    message = f"{type(error).__name__}: {error}"
    _print_to_stderr(f"error[bug]: {message}; please report the output of `{program_name()} --debug …`")
    return ExitCode.BUG


def _print_to_stderr(*lines: str) -> None:
    """Print lines that may quote file names; on a full disk, the exit code has to do."""
    with suppress(OSError):
        for line in lines:
            click.echo(printable(line), file=sys.stderr)
