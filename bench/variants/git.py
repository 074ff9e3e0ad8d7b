"""Git as variants use it: the user's repository is read, never written, and none of its programs run."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.errors import SetupError
from bench.variants.cache import scratch
from bench.variants.run_command import last_words, run_command

_WITHIN_S: Final = 300.0
_FOUND_BY: Final = ("GIT_CEILING_DIRECTORIES", "GIT_CONFIG_", "GIT_DISCOVERY_ACROSS_FILESYSTEM")
"""What of the user's variables counts where the user's repository is read; a hook's ``GIT_DIR`` does not."""
_READING: Final = {"GIT_NO_LAZY_FETCH": "1", "GIT_NO_REPLACE_OBJECTS": "1", "GIT_TERMINAL_PROMPT": "0"}
_NOBODYS: Final = {
    **_READING,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_SYSTEM": os.devnull,
}
_SETTINGS: Final = {"core.symlinks": "true", "core.fileMode": "true", "core.looseCompression": "0"}
_EXACTLY: Final = "* -text -ident -filter -working-tree-encoding -diff -merge\n"
"""Attributes that overrule those of a tree: bytes stay as they are, and no filter is asked."""


class GitError(Exception):
    """Git has refused; the message is what it said."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository of the user's, seen from one of its folders."""

    folder: Path

    def ask(self, *words: str) -> bytes:
        """Return what git says to a question, without the end of its last line.

        Raises:
            GitError: it refuses.
            EnvironmentFault: there is no git.
        """
        # a git that refreshes the index would write, and a repository may name a program as fsmonitor
        options = ("--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
        environment = {**_without_git(os.environ), **_chosen(os.environ), **_READING}
        return _git(("-C", str(self.folder), *options, *words), environment)

    def path(self, *words: str) -> Path:
        """Return the folder that ``git rev-parse`` names.

        Raises:
            GitError: it refuses.
        """
        return self.folder / os.fsdecode(self.ask("rev-parse", *words))

    def objects(self) -> Path:
        """Return the folder of its objects.

        Raises:
            GitError: git refuses.
        """
        return self.path("--git-path", "objects").resolve()

    def object_format(self) -> str:
        """Return the kind of its hashes.

        Raises:
            GitError: git refuses.
        """
        return self.ask("rev-parse", "--show-object-format").decode()


@dataclass(frozen=True, slots=True)
class ScratchRepository:
    """A repository of our own, without hooks, filters or config.

    Attributes:
        folder: its git folder.
        work_tree: the folder that it takes files from, or writes them into.
    """

    folder: Path
    work_tree: Path

    def ask(self, *words: str, fed: bytes = b"") -> bytes:
        """Return what git says to words and input.

        Raises:
            GitError: it refuses.
        """
        places = (f"--git-dir={self.folder}", f"--work-tree={self.work_tree}")
        return _git(("-C", str(self.work_tree), *places, *words), _secluded(), fed)


@contextmanager
def scratch_repository(
    work_tree: Path, object_format: str | None = None, objects: Path | None = None
) -> Iterator[ScratchRepository]:
    """Make a repository of our own for a work tree.

    Args:
        work_tree: the folder that it takes files from.
        object_format: the kind of its hashes; ``None`` is SHA-1.
        objects: a folder of objects that it sees. Nothing may then be written: git gives a new date to what
            it would write and finds there.

    Raises:
        GitError: git refuses.
        EnvironmentFault: there is no git.
        OSError: there is no room for it.
    """
    with scratch() as folder:
        form = object_format or "sha1"
        words = ("init", "--quiet", "--bare", "--template=", f"--object-format={form}", str(folder))
        _git(words, _secluded())
        for name, value in _SETTINGS.items():
            _git((f"--git-dir={folder}", "config", name, value), _secluded())
        (folder / "info").mkdir(exist_ok=True)
        (folder / "info" / "attributes").write_text(_EXACTLY, encoding="ascii")
        if objects is not None:
            (folder / "objects" / "info" / "alternates").write_bytes(_quoted(objects) + b"\n")
        yield ScratchRepository(folder, work_tree)


def _git(words: tuple[str, ...], environment: Mapping[str, str], fed: bytes = b"") -> bytes:
    try:
        ended = run_command(("git", *words), environment=environment, within_s=_WITHIN_S, fed=fed)
    except SetupError as error:
        raise SetupError(f"a variant needs git: {error.what}", hint="install git") from error
    if ended.returncode != 0:
        raise GitError(last_words(ended.stderr))
    return ended.stdout.removesuffix(b"\n")


def _without_git(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not name.startswith("GIT_")}


def _chosen(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name.startswith(_FOUND_BY)}


def _secluded() -> dict[str, str]:
    return {**_without_git(os.environ), **_NOBODYS}


def _quoted(path: Path) -> bytes:
    """Write a path as git reads it whatever signs are in it."""
    signs = os.fsencode(path).replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    return b'"' + signs + b'"'
