"""Strategies and clients of a package that pip has installed are listed, and run when a config names them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import runs
from tests.packages import MODULES, build_wheel

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which pip has installed the package."""
    folder = tmp_path_factory.mktemp("package")
    wheel = build_wheel(folder, {**MODULES, "__init__.py": ""})
    install = [sys.executable, "-m", "pip", "install", "--no-index", "--no-deps", "--quiet", "--target"]
    subprocess.run([*install, str(folder / "site"), str(wheel)], check=True, timeout=60)
    return folder / "site"


def bench(site: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bench", *words],
        cwd=runs.ROOT,
        env={**os.environ, "PYTHONPATH": str(site), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_package_is_listed_with_its_version_and_not_imported(site: Path) -> None:
    for noun, name in (("strategies", "acme_loop"), ("clients", "acme_http")):
        ended = bench(site, "list", noun)
        assert ended.returncode == 0, ended.stderr
        (line,) = [line for line in ended.stdout.splitlines() if name in line]
        assert "acme-flags 1.2" in line
        assert "of a package." in line
        assert "was imported" not in ended.stdout + ended.stderr


@pytest.mark.parametrize(
    "others", [[], pytest.param(["threadpool_map", "processpool_map"], marks=pytest.mark.long)]
)
def test_strategy_and_client_of_a_package_are_measured(site: Path, tmp_path: Path, others: list[str]) -> None:
    path = runs.config(tmp_path, ["acme_loop", *others], clients=["acme_http"], blocks=1)
    ended = bench(site, "run", str(path), "--out", str(tmp_path / "run"), "--quiet")
    assert runs.outcomes(path) == {name: ["ok"] for name in ("acme_loop", *others)}, ended.stderr
    config = runs.document(path)["config"]
    assert config["packages"] == {"acme_loop": "acme-flags 1.2", "acme_http": "acme-flags 1.2"}
    assert set(config["clients"]) == {"acme_http"}
