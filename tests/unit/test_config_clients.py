"""Clients of a config in versions with environments of their own."""

import tomllib
from itertools import chain
from pathlib import Path

import pytest

from bench.app.select import apply_overrides
from bench.config.catalog import find_clients, read_client
from bench.errors import UsageError
from bench.model.cases import Experiment
from tests.config_catalog import experiment_of, problems_of

NO_VERSION = "must be a version such as 0.28.1, not"


def load(folder: Path, clients: str, strategies: str = "[threadpool_map]") -> Experiment:
    """Load a config with these clients."""
    return experiment_of(written(folder, clients, strategies))


def written(folder: Path, clients: str, strategies: str = "[threadpool_map]") -> Path:
    """Write a config with these clients."""
    file = folder / "c.yaml"
    file.write_text(f"strategies: {strategies}\nclients: {clients}\nworkers: 3\n", encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("clients", "names"),
    [
        ("[{name: httpx, version: [0.27.2, 0.28.1]}]", ["httpx==0.27.2", "httpx==0.28.1"]),
        ("{name: httpx, version: 0.28}", ["httpx==0.28"]),
        ("{name: httpx, version: v1.0RC1}", ["httpx==1.0rc1"]),
        ("[httpx, {name: httpx, version: 0.27.2}]", ["httpx", "httpx==0.27.2"]),
        ("[{name: requests}, {name: httpx}]", ["requests", "httpx"]),
        (
            "[{name: httpx, requirements: ['HTTPX [http2] >= 0.27', h2==4.1.0]}]",
            ["HTTPX[http2]>=0.27+h2==4.1.0"],
        ),
    ],
)
def test_each_version_of_a_client_is_a_client_of_its_own(
    clients: str, names: list[str], tmp_path: Path
) -> None:
    experiment = load(tmp_path, clients)
    assert [case.client for case in experiment.cases] == names
    separate = {name: each.requirements for name, each in experiment.separate_clients.items()}
    assert separate == {name: tuple(name.split("+")) for name in names if "=" in name}
    assert {each.module for each in experiment.separate_clients.values()} <= {"httpx"}


def test_version_of_a_strategy_alone_is_separate_and_deviates_like_the_client(tmp_path: Path) -> None:
    entry = "[threadpool_map, {name: asyncio_gather, clients: [{name: httpx, version: [0.27.2]}]}]"
    experiment = load(tmp_path, "[httpx]", entry)
    assert [case.id for case in experiment.cases] == [
        "threadpool_map/httpx/3/local",
        "asyncio_gather/httpx==0.27.2/3/local",
    ]
    assert experiment.deviations["httpx==0.27.2"] == experiment.deviations["httpx"]
    only = apply_overrides(experiment, only="*httpx==0.27.2*")
    assert [case.client for case in only.cases] == ["httpx==0.27.2"]


@pytest.mark.parametrize(
    ("clients", "problem"),
    [
        ("[{name: httpx, version: latest}]", f"clients[0].version: {NO_VERSION} 'latest'"),
        ("[{name: httpx, version: [1, '>=2']}]", f"clients[0].version[1]: {NO_VERSION} '>=2'"),
        (
            f"[{{name: httpx, version: '1.{'0' * 100}'}}]",
            f"clients[0].version: {NO_VERSION} '1.{'0' * 55}...'",
        ),
        ("[{name: httpx, version: []}]", "clients[0].version: must not be empty"),
        ("[{name: httpx, version: [1, 1]}]", "clients[0].version[1]: is a duplicate; remove it"),
        (
            "[{name: httpx, version: [1.0, 2.0]}, {name: httpx, version: 2.0}]",
            "clients[1]: is a duplicate; remove it",
        ),
        ("[{name: httpx, version: [v1, '1']}]", "clients[0]: is a duplicate; remove it"),
        ("[{name: httpx, versions: 1}]", "clients[0].versions: unknown key; did you mean 'version'?"),
        ("[{version: 1}]", "clients[0].name: is missing"),
        (
            "[{name: urllib3, version: 2.0}]",
            "clients[0].version: urllib3 is of the standard library, which has no versions; remove the key",
        ),
        (
            "[{name: httpx, version: 1, requirements: [httpx]}]",
            "clients[0].requirements: cannot be combined with 'version'; keep one of them",
        ),
        (
            "[{name: httpx, requirements: [h2]}]",
            "clients[0].requirements: must name httpx itself, such as httpx==1.2.3",
        ),
        *(
            (
                f"[{{name: httpx, requirements: ['{text}']}}]",
                f"clients[0].requirements[0]: must be a requirement such as httpx==0.28.1, not '{text}'",
            )
            for text in ("./httpx", "-r x.txt", "httpx @ https://a/b.whl", 'httpx; python_version>"3"')
        ),
    ],
)  # fmt: skip
def test_version_that_cannot_be_is_a_problem_at_its_place(clients: str, problem: str, tmp_path: Path) -> None:
    (found,) = problems_of(written(tmp_path, clients))
    assert found.split(" ", 1)[1] == problem


def test_problem_of_a_strategys_client_is_at_its_entry_behind_one_of_several_versions(tmp_path: Path) -> None:
    entry = "[{name: threadpool_map, clients: [{name: httpx, version: [1, 2]}, {name: aiohttp, version: 3}]}]"
    (problem,) = problems_of(written(tmp_path, "[httpx]", entry))
    assert problem.endswith("clients[1]: threadpool_map needs a synchronous client, which aiohttp==3 is not")


def test_function_of_the_user_has_no_versions(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def get(url: str) -> bytes: ...\n", encoding="utf-8")
    (problem,) = problems_of(written(tmp_path, "[{name: mine.py, version: 1}]"))
    assert problem.endswith(
        "mine.get is a function of yours or of a package, which has no versions; remove the key"
    )


def test_client_that_is_not_installed_can_be_measured_in_a_version(tmp_path: Path) -> None:
    file = tmp_path / "nowhere.py"
    file.write_text("import nowhere\ndef open_client(settings): ...\n", encoding="utf-8")
    client = read_client(file)
    assert (client.missing, client.distribution) == (("nowhere",), "nowhere")


def test_library_of_each_shipped_client_is_named_like_its_file() -> None:
    """Its distribution has this name, too, and a worker reads the version by it."""
    packages = {name: each.distribution for name, each in find_clients().items()}
    standard = {"asyncio_streams", "http_client", "urllib_request"}
    assert packages == {name: "" if name in standard else name for name in packages}


@pytest.mark.parametrize("written", ["'niquests'", "[]", "()", "(1,)", "name"])
def test_own_environment_that_is_no_tuple_of_requirements_is_refused(written: str, tmp_path: Path) -> None:
    file = tmp_path / "odd.py"
    text = f"import odd\nOWN_ENVIRONMENT = {written}\ndef open_client(settings): ...\n"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="OWN_ENVIRONMENT is no tuple of requirements"):
        read_client(file)
    file.write_text(text.replace(written, "('odd', 'even>=2')"), encoding="utf-8")
    client = read_client(file)
    assert (client.missing, client.requirements) == ((), ("odd", "even>=2"))


def test_nothing_that_is_installed_with_flagbench_brings_a_library_that_must_be_alone() -> None:
    root = Path(__file__).parents[2]
    texts = [file.read_text("utf-8") for file in root.glob("requirements*.txt")]
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    texts += [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    alone = {each for client in find_clients().values() for each in client.requirements}
    assert "niquests" in alone
    assert not [text for text in texts for name in {*alone, "urllib3-future"} if name in text]
