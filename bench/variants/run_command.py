"""Programs that are run to their end, and what they say of their failures, in one line."""

import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from bench.errors import SetupError
from bench.model.text import one_line

_ADDRESS: Final = re.compile(r"[A-Za-z][\w+.-]*://[^\s`'\")>]+")
_MOST_LINES: Final = 4


def run_command(
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str],
    within_s: float,
    cwd: Path | None = None,
    fed: bytes = b"",
) -> subprocess.CompletedProcess[bytes]:
    """Run a program to its end, whatever its exit code is.

    Raises:
        EnvironmentFault: it cannot be started, or takes longer than ``within_s`` seconds.
    """
    name = Path(command[0]).name
    try:
        return subprocess.run(  # noqa: S603  no shell
            [str(word) for word in command],
            env=dict(environment),
            cwd=cwd,
            input=fed,
            capture_output=True,
            timeout=within_s,
            check=False,
        )
    except (OSError, ValueError) as error:
        raise SetupError(f"cannot run {one_line(name)}: {one_line(str(error))}") from error
    except subprocess.TimeoutExpired as error:
        raise SetupError(f"{one_line(name)} did not end within {within_s:g} s", hint="run again") from error


def last_words(said: bytes) -> str:
    """Return the first and the last of what a program wrote to stderr as one line, without addresses.

    Of the stack of an error, that is what the error says. An address may hold credentials, or the name of a
    private index.
    """
    text = without_addresses(said.decode(errors="replace"))
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    if lines and lines[0].startswith("Traceback"):
        lines = lines[-1:]
    elif len(lines) > _MOST_LINES:
        lines = [*lines[: _MOST_LINES - 2], "…", *lines[-2:]]
    return one_line(" ".join(lines)) or "it did not say why"


def without_addresses(text: str) -> str:
    """Return a text with each URL replaced."""
    return _ADDRESS.sub("(address)", text)
