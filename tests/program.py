"""Call the program in the process of the test."""

import pytest

from bench import __main__ as program


def call(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """Call the program as a shell would, and return its exit code."""
    monkeypatch.setattr("sys.argv", ["flagbench", *words])
    with pytest.raises(SystemExit) as exited:
        program.main()
    assert isinstance(exited.value.code, int)
    return exited.value.code
