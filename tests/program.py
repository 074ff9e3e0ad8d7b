"""Calling the program within the test's own process."""

import pytest

from bench import __main__ as program


def call(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """Call the program as from a shell and return its exit code."""
    monkeypatch.setattr("sys.argv", ["flagbench", *words])
    with pytest.raises(SystemExit) as left:
        program.main()
    assert isinstance(left.value.code, int)
    return left.value.code
