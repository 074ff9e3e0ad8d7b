"""``python -m bench`` and ``flagbench``: call a command, say what went wrong, exit. The only exit."""

import sys
from typing import Final

import rich_click as click

from bench.cli import cli
from bench.errors import BenchError, ConfigError, ShortageFault
from bench.outcomes import local_fault
from bench.runner.interrupt import Interrupted

_EXIT_BY_KIND: Final = {"usage": 2, "config": 2, "environment": 4, "server": 4, "results": 5}
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
        for problem in error.problems:
            click.echo(problem, err=True)
        return _USAGE
    if isinstance(error, ShortageFault):
        for shortage in error.shortages:
            click.echo(f"error[{error.kind}]: {shortage}", err=True)
        return _EXIT_BY_KIND[error.kind]
    if isinstance(error, BenchError):
        click.echo(f"error[{error.kind}]: {error}", err=True)
        return _EXIT_BY_KIND.get(error.kind, _BUG)
    if (lack := local_fault(error)) is not None:
        place = f": {lack.filename}" if lack.filename else ""
        click.echo(f"error[environment]: the machine has no more to give: {lack.strerror}{place}", err=True)
        return _EXIT_BY_KIND["environment"]
    what = f"{type(error).__name__}: {error}"
    click.echo(f"error[bug]: {what}; please report what `flagbench --debug …` says", err=True)
    return _BUG


if __name__ == "__main__":
    main()
