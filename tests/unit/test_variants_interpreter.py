"""Finding interpreters by version or path."""

import json
import sys
from pathlib import Path

import pytest

from bench.errors import SetupError, UsageError
from bench.variants.interpreter import find_interpreter, matches_version


def write_fake_python(program: Path, version: str) -> None:
    """Write a program that describes itself as a Python of this version."""
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
def test_shorter_version_matches_all_that_begin_with_its_numbers(
    version: str,
    wanted: str,
    fits: bool,  # noqa: FBT001  table
) -> None:
    assert matches_version(version, wanted) is fits


def test_running_python_is_found_without_its_virtual_environment() -> None:
    found = find_interpreter("")
    assert found.version.removesuffix("t").split(".") == [str(part) for part in sys.version_info[:3]]
    assert found.program.is_relative_to(Path(sys.base_prefix).resolve())
    assert find_interpreter(sys.executable) == found


@pytest.mark.parametrize(
    "named", ["/bin/ls", "/nowhere/python", "/dev/null", "/", "x\0y", "python3.13\x1b[2J"]
)
def test_path_that_is_no_python_is_refused_in_a_printable_line(named: str) -> None:
    with pytest.raises(UsageError, match="is not a working Python") as refused:
        find_interpreter(named)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    ("version", "what"), [("3.10.13", "cannot be measured"), ("2.7", "cannot be measured")]
)
def test_python_before_3_11_cannot_be_measured(version: str, what: str, tmp_path: Path) -> None:
    old = tmp_path / "python"
    write_fake_python(old, version)
    with pytest.raises(SetupError, match=what) as refused:
        find_interpreter(str(old))
    assert "3.11" in str(refused.value)


def test_latest_matching_python_of_pyenv_is_found_if_uv_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version, patch in (("3.99.2", "2"), ("3.99.10", "10"), ("3.98.1", "1")):
        program = tmp_path / "versions" / version / "bin" / "python"
        program.parent.mkdir(parents=True)
        minor = version.split(".")[1]
        write_fake_python(program, f"3.{minor}.{patch}")
    uv = tmp_path / "uv"
    uv.write_text("#!/bin/sh\nexit 2\n", encoding="utf-8")
    uv.chmod(0o755)
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setattr("bench.variants.uv._find_uv", lambda: str(uv))
    assert find_interpreter("3.99").version == "3.99.10"
    assert find_interpreter("3.98").version == "3.98.1"
    with pytest.raises(SetupError, match=r"there is no Python 3\.97"):
        find_interpreter("3.97")
