"""Parsing and checking requirements."""

from pathlib import Path

import pytest

from bench.errors import UsageError
from bench.variants.requirements import (
    check_requirements,
    drop_editable_options,
    is_fully_hashed,
    is_independent_of_tree,
    is_local,
    resolve_path,
)

HASHED = "a==1 \\\n    --hash=sha256:00 \\\n    --hash=sha256:11\n    # via b\n"


@pytest.mark.parametrize(
    ("requirement", "local"),
    [
        ("httpx==0.27.2", False),
        ("httpx[http2]>=0.27; python_version > '3'", False),
        ("pkg @ https://host/pkg.whl", False),
        ("git+ssh://git@host/pkg", False),
        (".", True),
        ("./x[extra]", True),
        ("libraries/x", True),
        ("~/x", True),
        ("/x", True),
    ],
)
def test_paths_are_told_from_distributions(requirement: str, local: bool) -> None:  # noqa: FBT001  table
    assert is_local(requirement) is local


def test_paths_are_resolved_in_the_tree(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    assert resolve_path("./x[fast,safe]", tmp_path) == f"{tmp_path / 'x'}[fast,safe]"
    assert resolve_path(".", tmp_path) == str(tmp_path)
    assert resolve_path("httpx[http2]", tmp_path) == "httpx[http2]"


@pytest.mark.parametrize("requirement", ["../x", "/etc", "~/x", "./nothing", "./way_out"])
def test_paths_out_of_the_tree_are_refused(requirement: str, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tmp_path / "x").mkdir()
    (tree / "way_out").symlink_to(tmp_path / "x")
    with pytest.raises(UsageError, match="not in the variant's tree"):
        resolve_path(requirement, tree)


@pytest.mark.parametrize(
    ("requirement", "problem"),
    [
        ("--index-url=https://host/simple", "is an option"),
        ("-r/etc/passwd", "is an option"),
        ("https://me:secret@host/x.whl", "has credentials"),
        ("x @ https://secret@host/x.whl", "has credentials"),
        ("x @ git+ssh://me:secret@host/x", "has credentials"),
        ("x @ file:///home/me/x.whl", "neither a distribution nor a path"),
        ("x @ ../x", "neither a distribution nor a path"),
    ],
)
def test_options_credentials_and_outside_files_are_refused_without_secrets_in_the_message(
    requirement: str, problem: str
) -> None:
    with pytest.raises(UsageError, match=problem) as refused:
        check_requirements(["httpx", requirement])
    assert "secret" not in str(refused.value)
    assert "\n" not in str(refused.value)
    assert refused.value.hint


def test_ssh_user_and_url_with_version_are_no_credentials() -> None:
    check_requirements(["x @ git+ssh://git@host/x", "x @ https://host/x@1.whl", "httpx[http2]>=0.27"])


@pytest.mark.parametrize(
    ("text", "is_independent"),
    [
        (HASHED, True),
        ("# nothing\n\nhttpx[http2] >= 0.27, < 1 ; python_version > '3.10'\n", True),
        ("httpx\n-r other.txt\n", False),
        ("-c constraints.txt\n", False),
        (".\n", False),
        ("./x\n", False),
        ("x @ file:./x\n", False),
        ("x/y\n", False),
    ],
)
def test_file_of_names_versions_and_hashes_is_independent_of_the_tree(
    text: str,
    is_independent: bool,  # noqa: FBT001  table
) -> None:
    assert is_independent_of_tree(text) is is_independent


def test_file_is_fully_hashed_only_if_each_requirement_is() -> None:
    assert is_fully_hashed(HASHED)
    assert is_fully_hashed(f"--only-binary :all:\n{HASHED}")
    assert not is_fully_hashed(f"{HASHED}b==2\n")
    assert not is_fully_hashed("# nothing\n")


def test_editable_options_are_removed() -> None:
    assert drop_editable_options("-e .\nhttpx-e==1\n  --editable=./x\n") == ".\nhttpx-e==1\n./x\n"
