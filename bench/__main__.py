"""``python -m bench`` and ``flagbench``: call a command, say what went wrong, exit. The only exit."""

import sys
from contextlib import suppress
from typing import Final

import rich_click as click

from bench.api.error_outcomes import local_fault
from bench.cli import cli
from bench.errors import BenchError, ConfigError, ResourceError
from bench.model.process_limit import describe_process_limit
from bench.model.text import printable
from bench.runner.processes.signals import Interrupted, handle_termination

_EXIT_BY_KIND: Final = {
    "usage": 2, "config": 2, "environment": 4, "server": 4, "results": 5, "locked": 6, "incomparable": 9,
}  # fmt: skip
_BUG: Final = 7
_USAGE: Final = 2
_INTERRUPTED: Final = 130


def main() -> None:
    """Run a command and leave with its exit code (docs/exit-codes.md)."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and not stream.isatty():
            # a C locale must not turn a table into a traceback
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    sys.exit(_call())


def _call() -> int:
    try:
        with handle_termination():
            return cli.main(prog_name="flagbench", standalone_mode=False) or 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return _INTERRUPTED
    except Interrupted as interrupted:
        return 128 + interrupted.number
    except Exception as error:
        if "--debug" in sys.argv:
            raise
        return _explain(error)


def _explain(error: Exception) -> int:
    if isinstance(error, ConfigError):
        _say(*error.problems)
        return _USAGE
    if isinstance(error, ResourceError):
        _say(*(f"error[{error.kind}]: {shortage}" for shortage in error.shortages))
        return _EXIT_BY_KIND[error.kind]
    if isinstance(error, BenchError):
        _say(f"error[{error.kind}]: {error}")
        return _EXIT_BY_KIND.get(error.kind, _BUG)
    if (lack := local_fault(error)) is not None:
        place = f": {lack.filename}" if lack.filename else ""
        _say(f"error[environment]: the machine has no more to give: {lack.strerror}{place}")
        return _EXIT_BY_KIND["environment"]
    if (limit := describe_process_limit(error)) is not None:
        _say(f"error[environment]: {limit}; raise it, end other processes, or use fewer workers")
        return _EXIT_BY_KIND["environment"]
    what = f"{type(error).__name__}: {error}"
    _say(f"error[bug]: {what}; please report what `flagbench --debug …` says")
    return _BUG


def _say(*lines: str) -> None:
    """Write to stderr, whatever a file that is quoted may hold; on a full disk, the exit code has to do."""
    with suppress(OSError):
        for line in lines:
            click.echo(printable(line), err=True)


if __name__ == "__main__":
    main()
