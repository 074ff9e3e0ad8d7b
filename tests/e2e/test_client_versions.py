"""Clients in several versions: environments of their own, and one table."""

from pathlib import Path

import pytest

from bench.config.catalog import find_clients
from bench.config.clients import in_environment
from bench.model.comparison import Variant
from bench.storage.run_folder import JOURNAL
from bench.variants.build import build_variant
from tests.package_index import need_index
from tests.program import call
from tests.runs import config, document, resumed, run

pytestmark = pytest.mark.e2e

BOTH = [{"name": "httpx", "version": ["0.27.2", "0.28.1"]}]
NAMES = ["httpx==0.27.2", "httpx==0.28.1"]
TELLING = """
import httpx

def download_many(job):
    with job.client():
        raise RuntimeError(f"this is httpx {httpx.__version__}")
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Share one cache between these tests; skip them where no package can be installed."""
    need_index(tmp_path_factory.mktemp("target"))
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def _cached(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLAGBENCH_CACHE", str(cache))


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.usefixtures("_cached")
def test_two_versions_are_measured_in_one_run_which_can_be_resumed(tmp_path: Path) -> None:
    (tmp_path / "telling.py").write_text(TELLING, encoding="utf-8")
    strategies = ["threadpool_map", {"name": "processpool_map", "clients": BOTH}, "telling.py"]
    path = config(tmp_path, strategies, clients=["httpx", *BOTH])
    ended = run(path, "--full")
    assert ended.returncode == 3, ended.stderr
    stored = document(path)
    trials = {(trial["case"], trial["block"]): trial for trial in stored["trials"]}
    cases = {f"threadpool_map/{name}/3/5ms" for name in ("httpx", *NAMES)}
    cases |= {f"processpool_map/{name}/3/5ms" for name in NAMES}
    assert {(case, block) for case in cases for block in (0, 1)} <= trials.keys()
    assert {trials[case, block]["outcome"] for case in cases for block in (0, 1)} == {"ok"}
    assert {
        served["server"]["requests"] for case in cases for served in trials[case, 0]["rounds"]
    } == {3}  # fmt: skip
    environments, printed = stored["config"]["environments"], " ".join(ended.stdout.split())
    assert [*environments] == NAMES
    for name in NAMES:
        version = name.partition("==")[2]
        assert environments[name]["libraries"]["httpx"] == version
        assert trials[f"telling/{name}/3/5ms", 0]["detail"].startswith(
            f"RuntimeError: this is httpx {version}"
        )
        _, _, line = printed.partition(f"{name} had an environment of its own: ")
        assert f" httpx {version}, " in line.partition(" had ")[0], printed
    orders = [[trial["case"] for trial in stored["trials"] if trial["block"] == block] for block in (0, 1)]
    assert orders[0] != orders[1]
    journal = tmp_path / "run" / JOURNAL
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:6]))
    (tmp_path / "run" / "run.json").unlink()
    again = resumed(path, "--quiet")
    assert again.returncode == 3, again.stderr
    assert {(each["case"], each["block"]) for each in document(path)["trials"]} == trials.keys()


@pytest.mark.long
@pytest.mark.usefixtures("_cached")
def test_folder_of_the_users_that_hides_the_library_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(TELLING, encoding="utf-8")
    (tmp_path / "httpx").mkdir()
    (tmp_path / "httpx" / "__init__.py").write_text("__version__ = '0.27.2'\n", encoding="utf-8")
    path = config(tmp_path, ["mine.py"], clients=BOTH)
    ended = run(path)
    assert ended.returncode == 4
    assert "the workers of httpx==0.27.2 " in ended.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.long
@pytest.mark.usefixtures("_cached")
def test_variant_has_an_environment_for_each_version(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("idna==3.10\n", encoding="utf-8")
    httpx = find_clients()["httpx"]
    clients = {name: in_environment(httpx, (name,)) for name in NAMES}
    built = build_variant(Variant(path=tmp_path), {**clients, "urllib3": None}, {}, print, print)
    assert "urllib3" in built.about["libraries"]
    assert "httpx" not in built.about["libraries"]
    libraries = {name: built.about["environments"][name]["libraries"] for name in NAMES}
    assert [each["httpx"] for each in libraries.values()] == ["0.27.2", "0.28.1"]
    assert {each["idna"] for each in libraries.values()} == {"3.10"}
    assert len({built.python, *(each.python for each in built.environments.values())}) == 3


@pytest.mark.long
@pytest.mark.usefixtures("_cached")
def test_version_that_does_not_exist_ends_the_run_before_its_first_trial(tmp_path: Path) -> None:
    path = config(tmp_path, ["threadpool_map"], clients=[{"name": "httpx", "version": "99.9"}])
    ended = run(path)
    assert ended.returncode == 4
    assert "cannot install the requirements of httpx==99.9: " in ended.stderr
    assert "check that they can be met" in ended.stderr
    assert not (tmp_path / "run").exists()


def test_without_uv_a_run_says_how_to_install_it_and_check_needs_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FLAGBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("bench.variants.uv.missing_extra", lambda _: "uv")
    monkeypatch.setenv("PATH", "")
    path = config(tmp_path, ["threadpool_map"], clients=BOTH)
    assert call(monkeypatch, "check", str(path)) == 0
    assert not (tmp_path / "cache").exists()
    assert call(monkeypatch, "run", str(path), "--out", str(tmp_path / "run")) == 4
    assert "uv, which makes environments of variants and clients, is not installed" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
