"""``python -m bench`` and ``flagbench``: call a command, print its error, exit.

Nothing else exits but the second Ctrl-C, in ``bench.runner.processes.signals``.
"""

import sys
from contextlib import suppress

import rich_click as click

from bench.api.error_outcomes import local_fault
from bench.cli import cli
from bench.errors import BenchError, ConfigError, ExitCode, SetupError
from bench.model.process_limit import describe_process_limit
from bench.model.text import printable
from bench.runner.processes.signals import Interrupted, handle_termination
from bench.system.console_encoding import use_stand_ins


def main() -> None:
    """Run a command and exit with its code (``bench.errors.ExitCode``)."""
    for stream in (sys.stdout, sys.stderr):
        use_stand_ins(stream)
    sys.exit(_run_command())


def _run_command() -> int:
    try:
        with handle_termination():
            return int(cli.main(prog_name="flagbench", standalone_mode=False) or ExitCode.OK)
    except click.ClickException as error:
        error.show(sys.stderr)  # click would write UTF-8 to a console without it
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    except Interrupted as interrupted:
        return 128 + interrupted.number
    except Exception as error:
        if "--debug" in sys.argv:
            raise
        return _report(error)


def _report(error: Exception) -> ExitCode:
    """Print an error and return its exit code."""
    if isinstance(error, ConfigError):
        _print_to_stderr(*error.lines)  # each begins with its place in the file
        return error.exit_code
    if isinstance(error, BenchError):
        _print_to_stderr(*(f"error[{error.kind}]: {line}" for line in error.lines))
        return error.exit_code
    if (fault := local_fault(error)) is not None:
        file = f": {fault.filename}" if fault.filename else ""
        return _report(SetupError(f"out of system resources: {fault.strerror}{file}"))
    if (limit := describe_process_limit(error)) is not None:
        return _report(SetupError(limit, hint="raise it, end other processes, or use fewer workers"))
    message = f"{type(error).__name__}: {error}"
    _print_to_stderr(f"error[bug]: {message}; please report the output of `flagbench --debug …`")
    return ExitCode.BUG


def _print_to_stderr(*lines: str) -> None:
    """Print lines that may quote file names; on a full disk, the exit code has to do."""
    with suppress(OSError):
        for line in lines:
            click.echo(printable(line), file=sys.stderr)


if __name__ == "__main__":
    main()
