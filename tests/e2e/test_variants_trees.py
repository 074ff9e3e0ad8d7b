"""Copying trees of real repositories, to which nothing is written."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.errors import SetupError, UsageError
from bench.model.comparison import Variant
from bench.variants.tree import Tree, make_tree
from tests.repositories import commit_all, git

pytestmark = [pytest.mark.e2e]

ROOT = Path(__file__).parents[2]


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a repository of one commit, change to it, and use a temporary cache."""
    folder = tmp_path / "repository"
    (folder / "package").mkdir(parents=True)
    (folder / "package" / "a.py").write_text("A = 1\n", encoding="utf-8")
    (folder / "run.sh").write_text("#!/bin/sh\n", encoding="utf-8")
    (folder / "run.sh").chmod(0o755)
    (folder / "link").symlink_to("package/a.py")
    (folder / ".gitignore").write_text("ignored*\n", encoding="utf-8")
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit_all(folder)
    monkeypatch.setenv("FLAGBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    monkeypatch.chdir(folder)
    return folder


def tree(variant: Variant) -> Tree:
    """Make a tree; fail if something is left out."""
    return make_tree(variant, pytest.fail)


def names(folder: Path) -> list[str]:
    """Return the names of all files below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


def state(folder: Path) -> dict[str, tuple[int, int, str]]:
    """Return mode, time and content of a folder and everything below it."""
    found = {}
    for path in (folder, *folder.rglob("*")):
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        found[str(path)] = (path.lstat().st_mode, path.lstat().st_mtime_ns, content)
    return found


def test_clean_work_tree_and_its_commit_share_a_folder_with_modes_and_links(repository: Path) -> None:
    head, work = tree(Variant(rev="main")), tree(Variant())
    assert head == work
    assert (head.commit, head.id) == (
        git(repository, "rev-parse", "HEAD"),
        git(repository, "rev-parse", "HEAD^{tree}"),
    )
    assert head.dirty is False
    assert names(head.folder) == [".gitignore", "link", "package/a.py", "run.sh"]
    assert os.access(head.folder / "run.sh", os.X_OK)
    assert str((head.folder / "link").readlink()) == "package/a.py"


def test_work_tree_has_uncommitted_and_untracked_files_but_not_ignored_ones(repository: Path) -> None:
    for name in ("ignored_but_tracked", "changed", "removed", "becomes_a_folder", "staged_then_changed"):
        (repository / name).write_text("old", encoding="utf-8")
    git(repository, "add", "--force", "ignored_but_tracked")
    commit_all(repository)
    for name in ("ignored_but_tracked", "changed", "ignored", "new", "staged_then_changed"):
        (repository / name).write_text("staged", encoding="utf-8")
    git(repository, "add", "staged_then_changed")
    (repository / "staged_then_changed").write_text("new", encoding="utf-8")
    (repository / "removed").unlink()
    (repository / "becomes_a_folder").unlink()
    (repository / "becomes_a_folder").mkdir()
    (repository / "becomes_a_folder" / "x").touch()
    (repository / "package").rename(repository / "ignored_package")
    (repository / "package").symlink_to("ignored_package")
    (repository / "__pycache__").mkdir()
    (repository / "__pycache__" / "a.pyc").touch()
    made = tree(Variant())
    assert names(made.folder) == [
        ".gitignore",
        "becomes_a_folder/x",
        "changed",
        "ignored_but_tracked",
        "link",
        "new",
        "package",
        "run.sh",
        "staged_then_changed",
    ]
    assert (made.folder / "ignored_but_tracked").read_text(encoding="utf-8") == "staged"
    assert (made.folder / "staged_then_changed").read_text(encoding="utf-8") == "new"
    assert (made.dirty, made.commit) == (True, git(repository, "rev-parse", "HEAD"))


def test_nothing_is_written_to_the_repository(repository: Path) -> None:
    (repository / "package" / "a.py").write_text("A = 2\n", encoding="utf-8")
    (repository / "new").touch()
    (repository / "run.sh").touch()  # git would refresh its index
    before = state(repository)
    assert tree(Variant()).id != tree(Variant(rev="main")).id
    tree(Variant(path=repository))
    tree(Variant(path=repository / "package"))
    assert state(repository) == before


def test_tree_is_that_of_the_top_in_subfolders_hooks_and_other_work_trees(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repository / "new").touch()
    top = tree(Variant())
    monkeypatch.chdir(repository / "package")
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_INDEX_FILE", "/nowhere/index")
    assert tree(Variant()) == top
    other = repository.parent / "other"
    git(repository, "worktree", "add", "--quiet", str(other))
    monkeypatch.chdir(other)
    assert tree(Variant()).id == tree(Variant(rev="main")).id


def test_folder_without_git_is_copied_whole_and_versioned_one_without_ignored_files(
    repository: Path, tmp_path: Path
) -> None:
    plain = tmp_path / "plain"
    (plain / "package").mkdir(parents=True)
    (plain / ".gitignore").write_text("generated.py", encoding="utf-8")
    (plain / "generated.py").touch()
    made = tree(Variant(path=plain))
    assert names(made.folder) == [".gitignore", "generated.py"]
    assert (made.commit, made.dirty) == (None, None)
    (repository / "package" / "ignored").touch()
    part = tree(Variant(path=repository / "package"))
    assert names(part.folder) == ["a.py"]
    assert part.dirty is False
    (repository / "ignored_build").mkdir()
    (repository / "ignored_build" / "x").touch()
    assert names(tree(Variant(path=Path("ignored_build"))).folder) == ["x"]


def test_missing_revision_folder_or_repository_is_a_usage_error_with_a_hint(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for rev in ("no-such", "--all", "main:run.sh", "a\x1b[2Jb", "HEAD~99"):
        with pytest.raises(UsageError, match="there is no revision") as refused:
            tree(Variant(rev=rev))
        assert str(refused.value).isprintable()
        assert refused.value.hint
    with pytest.raises(UsageError, match="there is no folder"):
        tree(Variant(path=repository / "run.sh"))
    monkeypatch.chdir(tmp_path)
    for variant in (Variant(), Variant(rev="main")):
        with pytest.raises(UsageError, match="in no repository") as refused:
            tree(variant)
        assert "path=" in refused.value.hint


def test_repository_without_a_commit_and_bare_repository_work(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    git(fresh, "init", "--quiet")
    (fresh / "x").touch()
    made = tree(Variant(path=fresh))
    assert (names(made.folder), made.commit, made.dirty) == (["x"], None, None)
    git(tmp_path, "clone", "--quiet", "--bare", str(repository), "bare")
    monkeypatch.chdir(tmp_path / "bare")
    assert "run.sh" in names(tree(Variant(rev="main")).folder)


def test_shallow_clone_and_commit_without_a_branch_work(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (repository / "new").touch()
    commit = commit_all(repository)
    git(tmp_path, "clone", "--quiet", "--depth=1", repository.as_uri(), "shallow")
    (tmp_path / "shallow" / "newer").touch()
    newer = commit_all(tmp_path / "shallow")
    git(tmp_path / "shallow", "reset", "--quiet", "--hard", "HEAD~")
    monkeypatch.chdir(tmp_path / "shallow")
    assert tree(Variant(rev="HEAD")).commit == commit
    assert "newer" in names(tree(Variant(rev=newer)).folder)


def clone(repository: Path, *options: str) -> Path:
    """Clone a repository of two commits with these options, and return the clone."""
    git(repository, "config", "uploadpack.allowFilter", "true")
    (repository / "package" / "a.py").write_text("A = 'of a second commit'\n", encoding="utf-8")
    commit_all(repository)
    folder = repository.parent / "clone"
    git(repository.parent, "clone", "--quiet", *options, repository.as_uri(), str(folder))
    return folder


@pytest.mark.parametrize("rev", ["HEAD~", "pinned", "full commit"])
@pytest.mark.parametrize("kind", ["shallow", "shallow and partial"])
def test_revision_that_a_shallow_clone_lacks_names_the_clone_and_a_remedy_that_works(
    repository: Path, monkeypatch: pytest.MonkeyPatch, rev: str, kind: str
) -> None:
    options, remedies = ["--depth=1"], ["--unshallow"]
    if "partial" in kind:
        options.append("--filter=blob:none")
        remedies.append("--refetch --no-filter")
    git(repository, "tag", "pinned")
    rev = rev if rev != "full commit" else git(repository, "rev-parse", "HEAD")
    folder = clone(repository, *options)
    monkeypatch.chdir(folder)
    with pytest.raises(UsageError, match=rf"^this repository is a {kind} clone: there is no rev") as refused:
        tree(Variant(rev=rev))
    for remedy in remedies:
        assert f"`git fetch {remedy}`" in refused.value.hint
        git(folder, "fetch", "--quiet", *remedy.split())
    assert names(tree(Variant(rev=rev)).folder)


@pytest.mark.parametrize("kind", ["blob:none", "tree:0", "blob:limit=1", "sparse"])
def test_partial_clone_without_the_files_of_a_revision_names_the_clone_and_a_remedy_that_works(
    repository: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    options = ("--filter=blob:none", "--sparse") if kind == "sparse" else (f"--filter={kind}",)
    folder = clone(repository, *options)
    monkeypatch.chdir(folder)
    rev = "HEAD" if kind == "sparse" else "HEAD~"
    with pytest.raises(SetupError, match=rf"^this repository is a partial clone: .* of {rev}") as fault:
        tree(Variant(rev=rev))
    assert "`git fetch --refetch --no-filter`" in fault.value.hint
    git(folder, "fetch", "--quiet", "--refetch", "--no-filter")
    assert "package" in {path.parts[0] for path in map(Path, names(tree(Variant(rev=rev)).folder))}


def test_revision_that_a_partial_clone_has_whole_is_copied(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(clone(repository, "--filter=blob:none"))
    assert tree(Variant(rev="HEAD")).id == tree(Variant()).id
    with pytest.raises(UsageError, match=r"^there is no revision 'nowhere'"):
        tree(Variant(rev="nowhere"))


def test_damaged_repository_is_not_taken_for_a_partial_clone(repository: Path) -> None:
    blob = git(repository, "rev-parse", "HEAD:package/a.py")
    (repository / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(SetupError, match=r"^git cannot copy the tree of HEAD") as fault:
        tree(Variant(rev="HEAD"))
    assert "git fsck" in fault.value.hint


def test_repository_with_sha256_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLAGBENCH_CACHE", str(tmp_path / "cache"))
    (tmp_path / "long").mkdir()
    monkeypatch.chdir(tmp_path / "long")
    git(Path(), "init", "--quiet", "--object-format=sha256")
    Path("x").touch()
    commit_all(Path())
    made = tree(Variant())
    assert made == tree(Variant(rev="HEAD"))
    assert (len(made.id), len(made.folder.name), made.dirty) == (64, 16, False)


def test_no_hook_or_filter_runs_and_no_byte_is_converted(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch '{ran}'\ncat\n", encoding="utf-8")
    program.chmod(0o755)
    attributes = "*.bin filter=evil diff=evil\n*.txt text=auto eol=crlf ident\n/secret export-ignore\n"
    (repository / ".gitattributes").write_text(attributes, encoding="utf-8")
    (repository / "x.bin").write_bytes(b"pointer")
    (repository / "x.txt").write_bytes(b"$Id$\none\r\ntwo\n")
    (repository / "secret").touch()
    git(repository, "-c", "core.safecrlf=false", "add", "--all")
    commit_all(repository)
    (repository / "x.bin").write_bytes(b"changed")
    hooks = repository / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in (
        "post-checkout",
        "post-index-change",
        "pre-commit",
        "reference-transaction",
        "fsmonitor-watchman",
    ):
        (hooks / name).symlink_to(program)
    settings = {
        "filter.evil.smudge": program,
        "filter.evil.clean": program,
        "filter.evil.process": program,
        "diff.evil.textconv": program,
        "diff.external": program,
        "core.fsmonitor": program,
        "core.pager": program,
        "core.sshCommand": program,
        "core.editor": program,
    }
    users = tmp_path / ".gitconfig"
    for name, value in settings.items():
        git(repository, "config", name, str(value))
        git(repository, "config", "--file", str(users), name, str(value))
    for name, place in (("core.hooksPath", hooks), ("init.templateDir", hooks.parent)):
        git(repository, "config", "--file", str(users), name, str(place))
    monkeypatch.setenv("HOME", str(tmp_path))
    ran.unlink(missing_ok=True)
    work, head = tree(Variant()), tree(Variant(rev="main"))
    assert not ran.exists()
    assert (work.folder / "x.bin").read_bytes() == b"changed"
    assert (head.folder / "x.bin").read_bytes() == b"pointer"
    assert (work.folder / "x.txt").read_bytes() == b"$Id$\none\r\ntwo\n"
    assert (head.folder / "secret").is_file()


def test_submodules_and_links_out_of_the_tree_are_left_out_and_reported(
    repository: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (repository / "away").symlink_to(outside)
    (repository / "up").symlink_to("../../outside")
    (repository / "by_way_of").symlink_to("away/x")
    (repository / "circle").symlink_to("circle")
    inner = repository / "inner"
    inner.mkdir()
    git(inner, "init", "--quiet")
    (inner / "x").touch()
    commit_all(inner)
    git(repository, "-c", "advice.addEmbeddedRepo=false", "add", "--all")
    commit_all(repository)
    for variant in (Variant(rev="main"), Variant()):
        said: list[str] = []
        made = make_tree(variant, said.append)
        assert names(made.folder) == [".gitignore", "circle", "link", "package/a.py", "run.sh"]
        (note,) = said
        assert note.startswith("note: the tree of ")
        assert all(name in note for name in ("inner", "away", "by_way_of", "up"))
        assert made.dirty is False


def test_file_name_that_is_too_long_is_an_environment_error_and_leaves_nothing(repository: Path) -> None:
    blob = git(repository, "hash-object", "-w", "--stdin", stdin=b"x")
    for name in ("x" * 300, "y" * 300 + "/z"):
        folder, _, file = name.rpartition("/")
        made = git(repository, "mktree", stdin=f"100644 blob {blob}\t{file}\n".encode())
        if folder:
            made = git(repository, "mktree", stdin=f"040000 tree {made}\t{folder}\n".encode())
        commit = git(repository, "commit-tree", "-m", "x", made)
        with pytest.raises(SetupError, match="git cannot copy the tree") as fault:
            tree(Variant(rev=commit))
        assert str(fault.value).isprintable()
    assert list((repository.parent / "cache" / "trees").iterdir()) == []


def test_odd_names_of_files_and_of_the_repository_are_copied(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = ['a "quoted" \\ name', "new\nline", "-rf", "\x1b[2J", ":(glob)*", "\N{SNOWMAN}", "#x"]
    for name in odd:
        (repository / name).touch()
    moved = tmp_path / 'a "re\\po": #\nx'
    repository.rename(moved)
    monkeypatch.chdir(moved)
    assert set(odd) <= set(names(tree(Variant()).folder))
    commit_all(moved)
    assert tree(Variant()).id == tree(Variant(rev="HEAD")).id


def test_cache_and_runs_within_the_tree_are_left_out(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLAGBENCH_CACHE", str(repository / "cache"))
    first = tree(Variant())
    (repository / "results" / "runs" / "x").mkdir(parents=True)
    (repository / "results" / "runs" / "x" / "journal.jsonl").touch()
    (repository / "results" / "runs" / "x" / "table.md").touch()
    assert tree(Variant()) == first


def test_paths_of_all_trees_are_equally_long(repository: Path) -> None:
    (repository / "new").touch()
    # the length of a path is part of the cost of an import
    lengths = {
        len(str(tree(variant).folder))
        for variant in (Variant(), Variant(rev="main"), Variant(path=Path("package")))
    }
    assert len(lengths) == 1


def test_two_processes_make_one_complete_tree(repository: Path) -> None:
    for number in range(200):
        (repository / f"file{number}").write_text(str(number), encoding="utf-8")
    code = (
        "from bench.model.comparison import Variant\nfrom bench.variants.tree import make_tree\n"
        "print(make_tree(Variant(), print).folder)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    both = [
        subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    folders = {process.communicate(timeout=60)[0].strip() for process in both}
    assert [process.returncode for process in both] == [0, 0]
    (folder,) = map(Path, folders)
    assert len(names(folder)) == 204
    assert [entry.name for entry in folder.parent.iterdir()] == [folder.name]
