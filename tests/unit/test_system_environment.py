"""The recorded description of a machine."""

import json
import os
import platform
import subprocess
from importlib.metadata import distribution
from pathlib import Path

import pytest

from bench import __version__
from bench.system.cpu_affinity import Pinning
from bench.system.environment import describe_environment, machine_fingerprint


def test_interpreter_system_processor_and_libraries_are_recorded() -> None:
    found = describe_environment({"urllib3", "-"}, Pinning())
    assert found["python"]["version"] == platform.python_version()
    assert found["system"]["name"] == "Linux"
    assert found["processor"]["cores"] >= 1
    assert found["flagbench"] == __version__
    assert found["libraries"]["urllib3"]["version"].startswith("urllib3 ")
    installer = (distribution("urllib3").read_text("INSTALLER") or "").strip()
    assert found["libraries"]["urllib3"]["from"] == installer != ""
    assert "-" not in found["libraries"]
    assert {"httpcore", "httptools"} <= found["libraries"].keys()


def test_fingerprint_depends_on_python_kernel_and_processor_but_not_on_libraries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = machine_fingerprint()
    assert (
        describe_environment((), Pinning())["fingerprint"]
        == describe_environment({"requests"}, Pinning())["fingerprint"]
        == here
    )
    assert len(here) == 64
    monkeypatch.setattr("os.sched_getaffinity", lambda _pid: {0})
    assert machine_fingerprint() == here
    changes = {
        "platform.python_version": lambda: "3.99.0",
        "platform.release": lambda: "7.0",
        "platform.libc_ver": lambda: ("musl", "2"),
        "os.cpu_count": lambda: 96,
        "bench.system.environment._read": lambda _path: "performance",
    }
    for name, call in changes.items():
        with monkeypatch.context() as changed:
            changed.setattr(name, call)
            assert machine_fingerprint() != here


def test_host_user_folders_and_secrets_are_not_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_TOKEN", "hunter2hunter2")
    monkeypatch.chdir(tmp_path)
    text = json.dumps(describe_environment({"requests", "httpx"}, Pinning()))
    for private in (f'"{platform.node()}"', str(Path.home()), str(tmp_path), "site-packages", "hunter2"):
        assert private not in text


def test_commit_of_the_current_folder_is_recorded_with_whether_files_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert describe_environment((), Pinning())["git"] is None
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    (tmp_path / "file").write_text("one", encoding="utf-8")
    for words in (["init", "-q"], ["add", "."], [*identity, "commit", "-qm", "one"]):
        subprocess.run(["git", *words], check=True)
    clean = describe_environment((), Pinning())["git"]
    assert len(clean["commit"]) == 40
    assert clean["dirty"] is False
    (tmp_path / "file").write_text("two", encoding="utf-8")
    assert describe_environment((), Pinning())["git"] == {"commit": clean["commit"], "dirty": True}


def test_recording_the_commit_does_not_refresh_the_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "file"
    file.write_text("one", encoding="utf-8")
    for words in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", *words], check=True)
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", *identity, "commit", "-qm", "one"], check=True)
    index = tmp_path / ".git" / "index"
    before = index.read_bytes()
    os.utime(file, (1, 1))  # the index is out of date, and the content is not
    assert describe_environment((), Pinning())["git"]["dirty"] is False
    assert index.read_bytes() == before
    subprocess.run(["git", "status"], check=True, capture_output=True)
    assert index.read_bytes() != before
