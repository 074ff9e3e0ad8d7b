"""The exit codes, and one tree of errors that each know theirs. ``bench.app.error_report`` prints them.

A failed request is data and a broken trial is a failed measurement: only a broken harness raises an error.
"""

from collections.abc import Mapping
from enum import IntEnum
from typing import Final


class ExitCode(IntEnum):
    """Exit codes of all commands; docs/exit-codes.md explains them to users."""

    OK = 0
    REGRESSION = 1  # a metric is slower, an absolute threshold is exceeded, or a case has vanished
    USAGE = 2  # wrong arguments or config
    FAILED_TRIALS = 3  # trials failed, in a comparison those of the candidate
    ENVIRONMENT = 4  # the machine lacks something
    UNREADABLE_RESULT = 5
    LOCKED = 6  # another process uses the run folder
    BUG = 7  # of flagbench
    INCONCLUSIVE = 8  # blocks or budget were spent before all metrics were decided; a case has too few blocks
    INCOMPARABLE = 9
    INTERRUPTED = 130  # Ctrl-C; like any signal that ends a command, 128 and its number
    TERMINATED = 143  # SIGTERM


EXIT_CODE_OF_VERDICT: Final[Mapping[str, ExitCode]] = {
    "passed": ExitCode.OK,
    "regression": ExitCode.REGRESSION,
    "failed": ExitCode.FAILED_TRIALS,
    "inconclusive": ExitCode.INCONCLUSIVE,
}
"""By the overall verdict of a comparison (``bench.stats.verdicts.Overall``)."""


class BenchError(Exception):
    """An error for the user: the problem, and a hint on how to solve it.

    Attributes:
        what: the problem.
        hint: the remedy; may be empty.
        lines: the message; one line for each problem.
        details: further lines, which are printed below the message.
    """

    kind = "bug"
    exit_code = ExitCode.BUG

    def __init__(self, what: str, *, hint: str = "", details: tuple[str, ...] = ()) -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint
        self.details = details
        self.lines: tuple[str, ...] = (str(self),)

    def __str__(self) -> str:
        return f"{self.what}; {self.hint}" if self.hint else self.what


class UsageError(BenchError):
    """An argument names something that does not exist, or contradicts another one."""

    kind = "usage"
    exit_code = ExitCode.USAGE


class ConfigError(BenchError):
    """A config is invalid; ``problems`` has a line with file, line and column for each problem."""

    kind = "config"
    exit_code = ExitCode.USAGE

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = self.lines = problems


class SetupError(BenchError):
    """The machine lacks something that was asked for: a port, a limit, a folder, a library."""

    kind = "environment"
    exit_code = ExitCode.ENVIRONMENT


class ResourceError(SetupError):
    """The machine lacks resources for the run; ``shortages`` has a line for each of them."""

    def __init__(self, shortages: tuple[str, ...]) -> None:
        super().__init__("\n".join(shortages))
        self.shortages = self.lines = shortages


class UnsavedRunError(SetupError):
    """The results of a run cannot be written; its exit code stands unless it is 0."""

    def __init__(self, error: SetupError, code: ExitCode) -> None:
        super().__init__(error.what, hint=error.hint)
        self.exit_code = code or ExitCode.ENVIRONMENT


class ServerDiedError(SetupError):
    """The flag server process ended or stopped answering on its control pipe."""

    kind = "server"


class IncomparableError(BenchError):
    """The runs cannot be compared, or there is no baseline."""

    kind = "incomparable"
    exit_code = ExitCode.INCOMPARABLE


class LockedError(BenchError):
    """Another process uses the run folder."""

    kind = "locked"
    exit_code = ExitCode.LOCKED


class UnreadableResultError(BenchError):
    """A results file is damaged or has another schema version; it is left unchanged."""

    kind = "results"
    exit_code = ExitCode.UNREADABLE_RESULT
