"""One error tree: what went wrong, where, and what to do.

A failed request is data and a broken trial is a failed measurement; only a broken harness raises
one of these. The command line turns the ``kind`` into an exit code; nothing else exits.
"""


class BenchError(Exception):
    """Say what is wrong and what to do about it, in one line each."""

    kind = "bug"

    def __init__(self, what: str, *, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.what}; {self.hint}" if self.hint else self.what


class UsageError(BenchError):
    """Something asked for does not exist or does not fit together."""

    kind = "usage"


class ConfigError(BenchError):
    """A config that cannot be run; ``problems`` holds every fault found, one line each."""

    kind = "config"

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class SetupError(BenchError):
    """The machine cannot do what is asked: a port, a limit, a folder, a library."""

    kind = "environment"


class ResourceError(SetupError):
    """The machine has less than a run takes; ``shortages`` holds a line for each thing of which it has."""

    def __init__(self, shortages: tuple[str, ...]) -> None:
        super().__init__("\n".join(shortages))
        self.shortages = shortages


class ServerDiedError(SetupError):
    """The flag server stopped answering its control pipe."""

    kind = "server"


class IncomparableError(BenchError):
    """What is to be compared was not measured so that it can be, or there is nothing to compare with."""

    kind = "incomparable"


class LockedError(BenchError):
    """Another process is at work in the folder of a run."""

    kind = "locked"


class UnreadableResultError(BenchError):
    """A results file is damaged or of another version; it is left as it was."""

    kind = "results"
