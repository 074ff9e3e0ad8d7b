"""``python -m bench`` and ``flagbench``: call a command, print its error, exit.

Nothing else exits but the second Ctrl-C, in ``bench.runner.processes.signals``.
"""

import sys

import click

from bench.cli import cli
from bench.errors import ExitCode
from bench.runner.processes.signals import Interrupted, handle_termination
from bench.system.console_encoding import use_stand_ins
from bench.system.program_name import program_name


def main() -> None:
    """Run a command and exit with its code (``bench.errors.ExitCode``)."""
    for stream in (sys.stdout, sys.stderr):
        use_stand_ins(stream)
    sys.exit(_run_command())


def _run_command() -> int:
    try:
        with handle_termination():
            return int(cli.main(prog_name=program_name(), standalone_mode=False) or ExitCode.OK)
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
        # late: `--help` and `--version` would wait for modules that only a failure needs
        from bench.app.error_report import report_error

        return report_error(error)


if __name__ == "__main__":
    main()
