"""What machines of a cluster are sent of a config, and what is refused because it cannot be sent."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from bench.app.select import load_experiment
from bench.errors import UsageError
from bench.runner.cluster.messages import SentConfig
from bench.runner.cluster.sent_config import send_config, unpack_config
from tests import runs

STRATEGY = (runs.ROOT / "strategies" / "threadpool_map.py").read_text("utf-8")


def send(path: Path, **changes: object) -> SentConfig:
    """Send the config of a file, after changes to its experiment."""
    experiment = replace(load_experiment(str(path)), **changes)  # type: ignore[arg-type]
    content = path.read_text("utf-8")
    return send_config(experiment, path, content, only=None, blocks=None, seed=None, sha256="s")


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")


def test_files_arrive_where_the_config_looks_for_them(tmp_path: Path) -> None:
    there = tmp_path / "there"
    write(tmp_path / "here", {"code/mine.py": STRATEGY, "configs/flags/br.gif": "GIF89a of Brazil"})
    path = runs.config(
        tmp_path / "here" / "configs", ["../code/mine.py", "sequential"], flags_dir="flags", countries=["BR"]
    )
    sent = send(path)
    assert sorted(sent.files) == ["code/mine.py", "configs/flags/br.gif"]
    config = unpack_config(sent, there)
    assert config == there / "configs" / "test.yaml"
    assert (there / "code" / "mine.py").read_text("utf-8") == STRATEGY
    experiment = load_experiment(str(config), sent.content)
    assert [each.id for each in experiment.cases] == [each.id for each in load_experiment(str(path)).cases]


@pytest.mark.parametrize("key", ["profile", "profiles"])
@pytest.mark.parametrize("sample", ["../data/mine.csv", {"file": "../data/mine.csv"}])
@pytest.mark.parametrize(("figure", "content"), [("latency", "5ms\n6ms\n"), ("sizes", "5kB\n6kB\n")])
def test_files_of_values_are_sent(
    tmp_path: Path, key: str, figure: str, content: str, sample: object
) -> None:
    write(tmp_path, {"data/mine.csv": content, "configs/unused": ""})
    profile = {figure: {"sample": sample}}
    written = {"profile": None, key: profile if key == "profile" else [profile, "local"]}
    path = runs.config(tmp_path / "configs", ["sequential"], **written)
    sent = send(path)
    assert sorted(sent.files) == ["data/mine.csv"]
    config = unpack_config(sent, tmp_path / "there")
    assert load_experiment(str(config), sent.content).cases == load_experiment(str(path)).cases


def test_a_config_of_shipped_strategies_has_no_files(tmp_path: Path) -> None:
    assert send(runs.config(tmp_path, ["threadpool_map"])).files == {}


@pytest.mark.parametrize("name", ["../up.py", "a/../../up.py", "/tmp/up.py"])  # noqa: S108  refused
def test_no_file_is_written_elsewhere(tmp_path: Path, name: str) -> None:
    sent = SentConfig("test.yaml", "", {name: ""}, None, None, None, "s")
    with pytest.raises(UsageError, match="is not below the folder"):
        unpack_config(sent, tmp_path / "inner")
    assert not (tmp_path / "inner").exists()


def test_a_strategy_that_needs_another_file_is_refused_by_name(tmp_path: Path) -> None:
    write(tmp_path, {"mine.py": "import helpers\n" + STRATEGY, "helpers.py": ""})
    with pytest.raises(UsageError, match=r"--on: mine\.py imports helpers, which is not sent"):
        send(runs.config(tmp_path, ["./mine.py"]))


def test_an_absolute_path_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"mine.py": STRATEGY})
    with pytest.raises(UsageError, match="is an absolute path, and other machines lack it"):
        send(runs.config(tmp_path, [str(tmp_path / "mine.py")]))


def test_an_address_of_this_machine_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"the flag server's address 10\.0\.0\.1 is one of this machine"):
        send(runs.config(tmp_path, ["sequential"]), host="10.0.0.1")


def test_a_client_with_an_environment_of_its_own_is_refused(tmp_path: Path) -> None:
    path = runs.config(tmp_path, ["sequential"], clients=[{"name": "httpx", "version": "0.27.2"}])
    with pytest.raises(UsageError, match=r"client httpx==0\.27\.2 needs an environment of its own"):
        send(path)


def test_strategies_of_modules_and_packages_are_refused(tmp_path: Path) -> None:
    path = runs.config(tmp_path, ["sequential"])
    strategy = load_experiment(str(path)).strategies["sequential"]
    packaged = {"sequential": replace(strategy, package="theirs 1.0")}
    with pytest.raises(UsageError, match="sequential is of an installed package"):
        send(path, strategies=packaged)
    of_module = {"sequential": replace(strategy, call=replace(strategy.call, module="theirs.code"))}
    with pytest.raises(UsageError, match=r"sequential is imported as theirs\.code"):
        send(path, strategies=of_module)


def test_too_many_bytes_are_refused(tmp_path: Path) -> None:
    (tmp_path / "flags").mkdir()
    (tmp_path / "flags" / "br.gif").write_bytes(bytes(9 << 20))
    with pytest.raises(UsageError, match="the files have 9 MiB"):
        send(runs.config(tmp_path, ["sequential"], flags_dir="flags", countries=["BR"]))
