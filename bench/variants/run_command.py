"""Run a program that builds a variant to its end.

Its error output is summed up in one line.
"""

import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from bench.errors import SetupError
from bench.model.text import one_line

_URL: Final = re.compile(r"[A-Za-z][\w+.-]*://[^\s`'\")>]+")
_MAX_LINES: Final = 4


def run_command(
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str],
    timeout_s: float,
    cwd: Path | None = None,
    stdin: bytes = b"",
) -> subprocess.CompletedProcess[bytes]:
    """Run a program to its end, and return its output and exit code.

    Raises:
        SetupError: it cannot be started, or takes longer than ``timeout_s`` seconds.
    """
    name = Path(command[0]).name
    try:
        return subprocess.run(  # noqa: S603  no shell
            [str(word) for word in command],
            env=dict(environment),
            cwd=cwd,
            input=stdin,
            capture_output=True,
            timeout=timeout_s,
            check=False,
        )
    except (OSError, ValueError) as error:
        raise SetupError(f"cannot run {one_line(name)}: {one_line(str(error))}") from error
    except subprocess.TimeoutExpired as error:
        raise SetupError(f"{one_line(name)} did not end within {timeout_s:g} s", hint="run again") from error


def summarize_stderr(stderr: bytes) -> str:
    """Fold the first and last lines of a program's error output into one line, without URLs.

    Of a traceback, that is the error alone. A URL may hold credentials, or the name of a private index.
    """
    text = replace_urls(stderr.decode(errors="replace"))
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    if lines and lines[0].startswith("Traceback"):
        lines = lines[-1:]
    elif len(lines) > _MAX_LINES:
        lines = [*lines[: _MAX_LINES - 2], "…", *lines[-2:]]
    return one_line(" ".join(lines)) or "it did not say why"


def replace_urls(text: str) -> str:
    """Replace each URL of a text by ``(address)``."""
    return _URL.sub("(address)", text)
