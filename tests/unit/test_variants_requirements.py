"""Which requirements a variant may have, and what they depend on."""

from pathlib import Path

import pytest

from bench.errors import UsageError
from bench.variants.requirements import (
    is_hashed,
    is_local,
    located,
    refuse_unfit,
    stands_alone,
    without_editables,
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
def test_tells_paths_from_distributions(requirement: str, local: bool) -> None:  # noqa: FBT001  a row of a table
    """A path is counted from the tree, so what it means depends on that."""
    assert is_local(requirement) is local


def test_paths_are_counted_from_the_tree(tmp_path: Path) -> None:
    """With their extras; what is no path stays as it is."""
    (tmp_path / "x").mkdir()
    assert located("./x[fast,safe]", tmp_path) == f"{tmp_path / 'x'}[fast,safe]"
    assert located(".", tmp_path) == str(tmp_path)
    assert located("httpx[http2]", tmp_path) == "httpx[http2]"


@pytest.mark.parametrize("requirement", ["../x", "/etc", "~/x", "./nothing", "./way_out"])
def test_paths_out_of_the_tree_are_refused(requirement: str, tmp_path: Path) -> None:
    """Also over a link; what is there could change without the variant's being another."""
    tree = tmp_path / "tree"
    tree.mkdir()
    (tmp_path / "x").mkdir()
    (tree / "way_out").symlink_to(tmp_path / "x")
    with pytest.raises(UsageError, match="not in the variant's tree"):
        located(requirement, tree)


@pytest.mark.parametrize(
    ("requirement", "what"),
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
def test_refuses_what_is_no_requirement_of_a_variant(requirement: str, what: str) -> None:
    """In one line, in which no credentials are."""
    with pytest.raises(UsageError, match=what) as refused:
        refuse_unfit(["httpx", requirement])
    assert "secret" not in str(refused.value)
    assert "\n" not in str(refused.value)
    assert refused.value.hint


def test_requirements_of_servers_behind_ssh_are_taken() -> None:
    """Its user is part of such an address, and no secret."""
    refuse_unfit(["x @ git+ssh://git@host/x", "x @ https://host/x@1.whl", "httpx[http2]>=0.27"])


@pytest.mark.parametrize(
    ("text", "alone"),
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
def test_tells_which_files_mean_the_same_everywhere(text: str, alone: bool) -> None:  # noqa: FBT001  a row of a table
    """Those that name other files of the tree do not."""
    assert stands_alone(text) is alone


def test_a_file_is_hashed_only_if_all_of_it_is() -> None:
    """Options apart; one requirement without a hash would make uv refuse them all."""
    assert is_hashed(HASHED)
    assert is_hashed(f"--only-binary :all:\n{HASHED}")
    assert not is_hashed(f"{HASHED}b==2\n")
    assert not is_hashed("# nothing\n")


def test_editable_requirements_are_installed_as_they_are() -> None:
    """The copy that they would point to goes."""
    assert without_editables("-e .\nhttpx-e==1\n  --editable=./x\n") == ".\nhttpx-e==1\n./x\n"
