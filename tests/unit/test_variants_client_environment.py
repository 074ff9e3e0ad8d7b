"""The environments of clients: their libraries are those that were asked for."""

from collections.abc import Mapping

import pytest

from bench.config.catalog import find_clients
from bench.config.clients import in_environment
from bench.errors import SetupError
from bench.variants.client_environment import from_index, refuse_other_versions
from bench.variants.probe import FROM_TREE


@pytest.mark.parametrize(
    "libraries",
    [{"httpx": "0.27.2", "h2": "4.1.0"}, {"HTTPX": "0.27.2"}, {"httpx": "0.27.2", "anyio": FROM_TREE}],
    ids=["both", "another spelling, and one not imported", "another library of the user's"],
)
def test_environment_with_the_required_versions_is_accepted(libraries: Mapping[str, str]) -> None:
    """It is by its versions: the same environment is refused if another one is required."""
    httpx = find_clients()["httpx"]
    refuse_other_versions(in_environment(httpx, ("httpx==0.27.2", "h2<5")), libraries)
    with pytest.raises(SetupError, match=r"would import httpx 0\.27\.2"):
        refuse_other_versions(in_environment(httpx, ("httpx==0.28.1", "h2<5")), libraries)


@pytest.mark.parametrize(
    ("libraries", "found"),
    [
        ({"httpx": "0.28.1"}, "httpx 0.28.1"),
        ({"httpx": FROM_TREE}, "httpx from another folder"),
        ({}, "httpx from another folder"),
        ({"httpx": "0.27.2", "h2": "5.0"}, "h2 5.0"),
    ],
    ids=["another version", "a folder of the user's", "none", "another version of a further requirement"],
)
def test_environment_that_would_import_another_version_is_refused(
    libraries: Mapping[str, str], found: str
) -> None:
    client = in_environment(find_clients()["httpx"], ("httpx==0.27.2", "h2<5"))
    with pytest.raises(SetupError) as raised:
        refuse_other_versions(client, libraries)
    assert raised.value.what == f"the workers of httpx==0.27.2+h2<5 would import {found}"


def test_libraries_from_folders_are_not_sought_in_an_index() -> None:
    """Flagbench itself is installed from its folder where it is developed."""
    assert from_index(["idna", "no_such_module"]) == ["idna"]
