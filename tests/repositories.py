"""Git repositories to compare revisions of: this project's own files, and branches with something planted."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.runs import ROOT

_TAKEN = ("bench", "strategies", "configs", "requirements.txt", "pyproject.toml", ".gitignore")


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository in a folder of its own."""

    folder: Path

    def git(self, *words: str) -> str:
        """Give git a command, as somebody who has no name elsewhere."""
        identity = ["-c", "user.name=Tester", "-c", "user.email=tester@example.invalid"]
        return subprocess.run(
            ["git", *identity, "-c", "commit.gpgsign=false", "-C", str(self.folder), *words],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()

    def commit(self, why: str) -> str:
        """Commit everything, and return the commit."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", why)
        return self.git("rev-parse", "HEAD")

    def branch(self, name: str, path: str, old: str, new: str) -> str:
        """Commit one change of a file on a branch of its own, from where main is; return to main."""
        self.git("checkout", "--quiet", "-b", name, "main")
        file = self.folder / path
        text = file.read_text("utf-8")
        assert old in text
        file.write_text(text.replace(old, new), "utf-8")
        commit = self.commit(f"Change {path}")
        self.git("checkout", "--quiet", "main")
        return commit


def small_repository(folder: Path, branch: str = "main") -> Repository:
    """Make a repository of one empty file, on a branch of this name."""
    folder.mkdir()
    repository = Repository(folder)
    repository.git("init", "--quiet", "--initial-branch", branch)
    (folder / "x").touch()
    repository.commit("Begin")
    return repository


def own_repository(folder: Path) -> Repository:
    """Make a repository of this project's files as they are here, on a branch called main."""
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
    """Have ``threadpool_map`` sleep before each fetch, on a branch of its own."""
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
