"""Which Python a version means, and what is said where there is none."""

import json
import sys
from pathlib import Path

import pytest

from bench.errors import SetupError, UsageError
from bench.variants.interpreter import interpreter_for, is_within


def pretend(program: Path, version: str) -> None:
    """Write a program that says that it is a Python of this version."""
    answer = {"program": str(program), "version": version, "platform": [], "is_free_threaded": False}
    program.write_text(f"#!/bin/sh\necho '{json.dumps(answer)}'\n", encoding="utf-8")
    program.chmod(0o755)


@pytest.mark.parametrize(
    ("version", "wanted", "fits"),
    [
        ("3.13.0", "3.13", True),
        ("3.13.0", "3", True),
        ("3.13.0", "3.13.0", True),
        ("3.13.0", "3.1", False),
        ("3.13.0", "3.13.1", False),
        ("3.13.0t", "3.13", False),
        ("3.13.0t", "3.13t", True),
        ("3.13.0", "3.13t", False),
    ],
)
def test_a_shorter_version_means_all_that_begin_so(version: str, wanted: str, fits: bool) -> None:  # noqa: FBT001  a row of a table
    """By whole numbers; a build without a global lock must be asked for."""
    assert is_within(version, wanted) is fits


def test_the_running_python_is_taken_without_its_environment() -> None:
    """Its libraries are not those of a variant."""
    found = interpreter_for("")
    assert found.version.removesuffix("t").split(".") == [str(part) for part in sys.version_info[:3]]
    assert found.program.is_relative_to(Path(sys.base_prefix).resolve())
    assert interpreter_for(sys.executable) == found


@pytest.mark.parametrize(
    "named", ["/bin/ls", "/nowhere/python", "/dev/null", "/", "x\0y", "python3.13\x1b[2J"]
)
def test_what_is_no_python_is_refused(named: str) -> None:
    """Whatever it is, in one printable line."""
    with pytest.raises(UsageError, match="is no Python") as refused:
        interpreter_for(named)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    ("version", "what"), [("3.10.13", "cannot be measured"), ("2.7", "cannot be measured")]
)
def test_a_python_that_the_worker_does_not_know_cannot_be_measured(
    version: str, what: str, tmp_path: Path
) -> None:
    """The message says since when one can be."""
    old = tmp_path / "python"
    pretend(old, version)
    with pytest.raises(SetupError, match=what) as refused:
        interpreter_for(str(old))
    assert "3.11" in str(refused.value)


def test_pyenv_is_asked_where_the_path_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It shows only those on PATH that it was told to; the latest of those that fit is taken."""
    for version, patch in (("3.99.2", "2"), ("3.99.10", "10"), ("3.98.1", "1")):
        program = tmp_path / "versions" / version / "bin" / "python"
        program.parent.mkdir(parents=True)
        minor = version.split(".")[1]
        pretend(program, f"3.{minor}.{patch}")
    uv = tmp_path / "uv"
    uv.write_text("#!/bin/sh\nexit 2\n", encoding="utf-8")
    uv.chmod(0o755)
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setattr("bench.variants.uv._program", lambda: str(uv))
    assert interpreter_for("3.99").version == "3.99.10"
    assert interpreter_for("3.98").version == "3.98.1"
    with pytest.raises(SetupError, match=r"there is no Python 3\.97"):
        interpreter_for("3.97")
