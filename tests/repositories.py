"""Make git repositories of this project's files, with branches that plant a change to be found."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.runs import ROOT

_TAKEN = ("bench", "strategies", "configs", "requirements.txt", "pyproject.toml", ".gitignore")


def git(folder: Path, *words: str, stdin: bytes = b"") -> str:
    """Run git in a folder without the user's configuration, and return its output."""
    identity = [
        "-c",
        "user.name=Tester",
        "-c",
        "user.email=tester@example.invalid",
        "-c",
        "commit.gpgsign=false",
    ]
    ended = subprocess.run(
        ["git", *identity, "-C", str(folder), *words],
        env={"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"},
        input=stdin,
        capture_output=True,
        check=True,
    )
    return os.fsdecode(ended.stdout).strip()


def commit_all(folder: Path, message: str = "x") -> str:
    """Commit everything, and return the commit."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)
    return git(folder, "rev-parse", "HEAD")


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository in a folder of its own."""

    folder: Path

    def git(self, *words: str) -> str:
        """Run git, and return its output."""
        return git(self.folder, *words)

    def commit(self, message: str) -> str:
        """Commit everything, and return the commit."""
        return commit_all(self.folder, message)

    def branch(self, name: str, path: str, old: str, new: str) -> str:
        """Commit one change of a file on a new branch from main, return to main, and return the commit."""
        self.git("checkout", "--quiet", "-b", name, "main")
        file = self.folder / path
        text = file.read_text("utf-8")
        assert old in text
        file.write_text(text.replace(old, new), "utf-8")
        commit = self.commit(f"Change {path}")
        self.git("checkout", "--quiet", "main")
        return commit


def small_repository(folder: Path, branch: str = "main") -> Repository:
    """Make a repository of one empty file, on this branch."""
    folder.mkdir()
    repository = Repository(folder)
    repository.git("init", "--quiet", "--initial-branch", branch)
    (folder / "x").touch()
    repository.commit("Begin")
    return repository


def own_repository(folder: Path) -> Repository:
    """Make a repository of this project's files as they are now, on the branch main."""
    folder.mkdir()
    for name in _TAKEN:
        source, target = ROOT / name, folder / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    repository = Repository(folder)
    repository.git("init", "--quiet", "--initial-branch", "main")
    repository.commit("Begin")
    return repository


def planted(repository: Repository, name: str, nap_s: float) -> str:
    """Make a branch on which ``threadpool_map`` sleeps before each fetch, and return its commit."""
    return repository.branch(
        name,
        "strategies/threadpool_map.py",
        "        return list(executor.map(download_one, job.countries))",
        f"""        from time import sleep

        def late(country: str) -> Fetch:
            sleep({nap_s})
            return download_one(country)

        return list(executor.map(late, job.countries))""",
    )
