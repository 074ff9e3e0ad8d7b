"""Run git for a variant: read the user's repository, and copy files through a temporary one.

The user's repository is never written to, and none of its hooks, filters or other programs runs. ``git clone
--shared`` could not take the place of the temporary repository: where git writes an object that the user's
repository has, it gives that one a new date instead; of a shallow repository it copies the branches alone.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.errors import SetupError, UsageError
from bench.model.comparison import is_full_sha
from bench.system.git import FILTERS, IS_SHALLOW, READ_ONLY
from bench.variants.cache import scratch_folder
from bench.variants.run_command import run_command, summarize_stderr

_TIMEOUT_S: Final = 300.0
_USER_VARIABLES: Final = ("GIT_CEILING_DIRECTORIES", "GIT_CONFIG_", "GIT_DISCOVERY_ACROSS_FILESYSTEM")
"""Prefixes of the variables that decide how the user's repository is found; a hook's ``GIT_DIR`` must not."""
_OFFLINE: Final = {"GIT_NO_LAZY_FETCH": "1", "GIT_NO_REPLACE_OBJECTS": "1", "GIT_TERMINAL_PROMPT": "0"}
_NO_CONFIG: Final = {"GIT_ATTR_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
_SETTINGS: Final = ("core.symlinks=true", "core.fileMode=true", "core.looseCompression=0")
_EXACT_BYTES: Final = "* -text -ident -filter -working-tree-encoding -diff -merge\n"
"""Attributes that overrule those of a tree, so that bytes stay as they are and no filter runs."""


class GitError(Exception):
    """Git exited with an error; the message is its own."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A git repository, as its commands are run.

    Attributes:
        folder: the current folder of git.
        options: git's options before the command.
        environment: git's environment variables.
    """

    folder: Path
    options: tuple[str, ...]
    environment: Mapping[str, str]

    def git(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """Run a git command and return its output without the last line break.

        Raises:
            GitError: git exits with an error.
            SetupError: git is not installed, or does not end in time.
        """
        command = ("git", "-C", str(self.folder), *self.options, *arguments)
        try:
            ended = run_command(command, environment=self.environment, timeout_s=_TIMEOUT_S, stdin=stdin)
        except SetupError as error:
            raise SetupError(f"a variant needs git: {error.what}", hint="install git") from error
        if ended.returncode != 0:
            raise GitError(summarize_stderr(ended.stderr))
        return ended.stdout.removesuffix(b"\n")

    def rev_parse(self, *arguments: str) -> str:
        """Return the answer of ``git rev-parse``; raise GitError if it has none."""
        return os.fsdecode(self.git("rev-parse", *arguments))

    def object_format(self) -> str:
        """Return the kind of the repository's hashes."""
        return self.rev_parse("--show-object-format")

    def resolve_commit(self, rev: str) -> str | None:
        """Return the full commit of a revision, or None if there is none."""
        try:
            commit = self.rev_parse("--verify", "--quiet", "--end-of-options", f"{rev}^{{commit}}")
        except GitError:
            return None
        return commit if is_full_sha(commit) else None  # it is none for an exclusion, such as ^HEAD

    def is_shallow(self) -> bool:
        """Tell whether this is a clone without old commits."""
        return self._answer(*IS_SHALLOW) == b"true"

    def is_partial(self) -> bool:
        """Tell whether this is a clone that may lack files of its commits."""
        return bool(self._answer(*FILTERS))

    def lacks_objects(self, commit: str) -> bool:
        """Tell whether a file or a folder of a commit is not here."""
        command = ("rev-list", "--objects", "--missing=print", "--no-object-names", f"{commit}^{{tree}}")
        try:
            return any(line.startswith(b"?") for line in self.git(*command).splitlines())
        except GitError:  # the top folder itself
            return True

    def _answer(self, *words: str) -> bytes:
        """Return the answer of git; an empty one if it fails."""
        try:
            return self.git(*words)
        except GitError:
            return b""

    def tree_of_head(self) -> str | None:
        """Return git's hash of this folder in the checked-out commit.

        Return None if the folder is not in it.
        """
        try:
            return self.rev_parse("--verify", "--quiet", "HEAD:./")
        except GitError:
            return None

    def tracks_folder(self) -> bool:
        """Tell whether this folder is the top of the repository, or has files that it tracks.

        Raises:
            GitError: git refuses the repository, for example because another user owns it.
        """
        try:
            top = Path(self.rev_parse("--show-toplevel"))
            return top.resolve() == self.folder.resolve() or bool(self.git("ls-files", "-z"))
        except GitError:
            if (self.folder / ".git").exists():
                raise
            return False


def user_repository(folder: Path) -> Repository:
    """Return the user's repository as it is seen from a folder, for reading only."""
    chosen = {name: value for name, value in os.environ.items() if name.startswith(_USER_VARIABLES)}
    return Repository(folder, READ_ONLY, {**_environment_without_git(), **chosen, **_OFFLINE})


def current_repository() -> Repository:
    """Return the repository of the current folder: its top, or the git folder if it is bare.

    Raises:
        UsageError: there is none that git can read.
        SetupError: git is not installed.
    """
    repository = user_repository(Path.cwd())
    try:
        is_bare = repository.rev_parse("--is-bare-repository") == "true"
        top = repository.rev_parse("--absolute-git-dir" if is_bare else "--show-toplevel")
    except GitError as error:
        raise UsageError(
            f"the current folder is in no repository that git can read: {error}",
            hint="change to one, or name a folder with path=FOLDER",
        ) from error
    return user_repository(Path(top))


def work_tree_top() -> Path:
    """Return the top of the current git work tree, or the current folder outside of any.

    Raises:
        SetupError: git is not installed.
    """
    try:
        return Path(user_repository(Path.cwd()).rev_parse("--show-toplevel")).resolve()
    except GitError:
        return Path.cwd().resolve()


def folder_in_work_tree(folder: Path) -> str | None:
    """Return the path of a folder below the top of its work tree.

    Return None outside of any work tree.

    Raises:
        SetupError: git is not installed.
    """
    try:
        return user_repository(folder).rev_parse("--show-prefix")
    except GitError:
        return None


@contextmanager
def temporary_repository(
    work_tree: Path, object_format: str = "sha1", objects: Path | None = None
) -> Iterator[Repository]:
    """Make a repository without hooks, filters and configuration, and remove it in the end.

    Args:
        work_tree: the folder that it takes files from.
        object_format: the kind of its hashes.
        objects: the folder of the user's objects, in the place of its own. Commands that write objects must
            not be run then.

    Raises:
        GitError: git refuses.
        SetupError: git is not installed.
        OSError: there is no space for it.
    """
    environment = {**_environment_without_git(), **_NO_CONFIG, **_OFFLINE}
    with scratch_folder() as folder:
        created = Repository(folder, (), environment)
        created.git("init", "--quiet", "--bare", "--template=", f"--object-format={object_format}", ".")
        (folder / "info").mkdir(exist_ok=True)
        (folder / "info" / "attributes").write_text(_EXACT_BYTES, encoding="ascii")
        settings = (word for setting in _SETTINGS for word in ("-c", setting))
        options = (f"--git-dir={folder}", f"--work-tree={work_tree}", *settings)
        if objects is not None:
            environment["GIT_OBJECT_DIRECTORY"] = str(objects)
        yield Repository(work_tree, options, environment)


def _environment_without_git() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
