"""The config that measures a script: its text, and the experiment that it is loaded as."""

from pathlib import Path
from typing import Any

import pytest

from bench.app.select import find_script, load_experiment, load_target, script_config
from bench.config.script_config import ScriptOptions
from bench.config.source_code import parse_reference
from bench.errors import ConfigError, UsageError
from bench.runner.run_document import config_record
from tests.program import call

POOL = (
    "from bench.api import Fetch, Job\n\n\n"
    "def download_many(job: Job) -> list[Fetch]:\n"
    "    with job.client() as download_one:\n"
    "        return [download_one(country) for country in job.countries]\n"
)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(POOL)


def cases(target: str = "mine.py", **options: Any) -> list[str]:
    """Return the cases of a script."""
    return [case.id for case in load_target(target, ScriptOptions(**options)).cases]


def test_script_is_measured_beside_three_references() -> None:
    assert cases() == [
        "sequential/requests/1/10ms-20ms",
        "threadpool_map/requests/20/10ms-20ms",
        "asyncio_gather/aiohttp/20/10ms-20ms",
        "mine/requests/20/10ms-20ms",
    ]


@pytest.mark.parametrize("reference", ["sub/mine.py", "sub/mine.py:download_many", "../other/mine.py"])
def test_script_may_be_in_another_folder(
    reference: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is named as the current folder sees it."""
    here = tmp_path / "here"
    for folder in (here / "sub", tmp_path / "other"):
        folder.mkdir(parents=True)
        (folder / "mine.py").write_text(POOL)
    monkeypatch.chdir(here)
    assert cases(reference)[-1] == "mine/requests/20/10ms-20ms"
    code = find_script(reference)
    assert code is not None
    assert script_config(code, ScriptOptions(), only="mine/*").count("name: 'mine.py'") == 0
    (described,) = [
        each for each in load_target(reference, ScriptOptions()).strategies.values() if each.name == "mine"
    ]
    assert described.file == Path(reference.partition(":")[0]).absolute().parent.resolve() / "mine.py"


def test_default_profile_countries_and_blocks_are_those_of_the_default_config() -> None:
    default, mine = load_experiment("default"), load_target("mine.py", ScriptOptions())
    (profile,) = {case.profile for case in default.cases}
    (countries,) = {case.countries for case in default.cases}
    assert {(case.profile, case.countries) for case in mine.cases} == {(profile, countries)}
    assert (mine.blocks, mine.rounds, mine.deadline_s) == (default.blocks, default.rounds, default.deadline_s)


def test_workers_are_those_of_the_script_and_the_references() -> None:
    assert cases(workers="2,5", latency="5ms", clients="httpx") == [
        "sequential/httpx/1/5ms",
        "threadpool_map/httpx/2/5ms",
        "threadpool_map/httpx/5/5ms",
        "asyncio_gather/httpx/2/5ms",
        "asyncio_gather/httpx/5/5ms",
        "mine/httpx/2/5ms",
        "mine/httpx/5/5ms",
    ]


def test_reference_keeps_its_client_where_no_named_one_fits() -> None:
    assert [case.split("/")[1] for case in cases(clients="urllib3")] == [
        "urllib3", "urllib3", "aiohttp", "urllib3",
    ]  # fmt: skip


def test_client_that_cannot_keep_connections_alive_is_compared_with_others_that_do_not() -> None:
    assert [
        case.split("/", 1)[1] for case in cases(workers="2", latency="20ms", clients="urllib_request")
    ] == [
        "urllib_request/1/20ms/close",
        "urllib_request/2/20ms/close",
        "aiohttp/2/20ms/close",
        "urllib_request/2/20ms/close",
    ]


def test_function_that_opens_no_client_of_ours_makes_one_case_for_any_keep_alive() -> None:
    """It is called in the same way for each setting, so a second case would show what was not measured."""
    Path("codes.py").write_text("def download_many(cc_list): ...\n")
    Path("get.py").write_text("def get(url): ...\n")
    Path("own.yaml").write_text(
        "clients: requests\nkeep_alive: [true, false]\nstrategies:\n- sequential\n- codes.py\n"
        "- {name: threadpool_map, clients: ['get.py:get'], workers: [2], keep_alive: false}\n",
    )
    assert cases("own.yaml") == [
        "sequential/requests/1/local",
        "sequential/requests/1/local/close",
        "codes/-/20/local",
        "threadpool_map/get.get/2/local",
    ]


@pytest.mark.parametrize(
    ("options", "name", "deadline_s"),
    [
        ({"profile": "local"}, "local", 60),
        ({"profile": "delay"}, "delay*0.1", 60),
        ({"profile": "delay", "countries": "all"}, "delay*0.1", 582),
        ({"latency": "50ms"}, "50ms", 60),
        ({"latency": "1s"}, "1s", 120),
        ({"latency": "20ms-80ms"}, "20ms-80ms", 60),
    ],
)
def test_profile_is_given_by_name_or_latency(options: dict[str, Any], name: str, deadline_s: int) -> None:
    """A trial of the sequential strategy has time for all delays, twice."""
    experiment = load_target("mine.py", ScriptOptions(**options))
    assert {case.profile.name for case in experiment.cases} == {name}
    assert experiment.deadline_s == deadline_s


@pytest.mark.parametrize(
    ("countries", "codes"),
    [("BR,no", ("BR", "NO")), ("NO", ("NO",)), ("pop20", None), ("all", None), ("B", None)],
)
def test_countries_are_codes_or_a_name(countries: str, codes: tuple[str, ...] | None) -> None:
    (selection,) = {
        case.countries for case in load_target("mine.py", ScriptOptions(countries=countries)).cases
    }
    assert selection.codes == codes if codes else selection.label == countries


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"workers": "0"}, "--workers must be a whole number from 1 to 10000, not '0'"),
        ({"workers": "5,,20"}, "--workers: an empty item in '5,,20'; write items with commas between"),
        ({"profile": "dleay"}, "--profile: unknown profile 'dleay'; did you mean 'delay'?"),
        ({"profile": "delay", "latency": "5ms"}, "leave out --latency or --profile"),
        ({"latency": "50"}, "--latency must be a duration such as 50ms, 1.5s or 2m, not '50'"),
        ({"latency": "20ms-10ms"}, "--latency: 20ms is above 10ms; write 10ms-20ms"),
        ({"countries": "BRA"}, "--countries must be pop20, all"),
        ({"countries": "BR,all"}, "--countries must be a code of two letters, not 'all'"),
        ({"clients": "htpx"}, "--clients: unknown client 'htpx'; did you mean 'httpx'?"),
    ],
)
def test_invalid_option_is_named_with_its_value(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError) as refused:
        load_target("mine.py", ScriptOptions(**options))
    assert message in str(refused.value)


def test_option_for_scripts_is_refused_for_a_config() -> None:
    with pytest.raises(UsageError, match="--workers and --latency are for a script; default is a config"):
        load_target("default", ScriptOptions(workers="5", latency="5ms"))


def test_options_that_a_config_can_have_replace_its_settings() -> None:
    experiment = load_target("default", ScriptOptions(blocks=3, seed=5))
    assert (experiment.blocks, experiment.seed) == (3, 5)


def test_file_with_the_name_of_a_function_of_a_module_is_a_config() -> None:
    assert find_script("mine:download_many") is not None
    Path("mine:download_many").write_text("strategies: sequential\n")
    assert find_script("mine:download_many") is None
    assert find_script("default") is None
    assert find_script("configs/default.yaml") is None


def test_printed_config_is_the_same_experiment(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its hash is that which a run stores, and by which it is resumed."""
    words = ["--workers", "2,5", "--latency", "5ms-9ms", "--countries", "BR,NO", "--clients", "httpx"]
    assert call(monkeypatch, "run", "mine.py", *words, "--blocks", "3", "--seed", "9", "--print-config") == 0
    Path("printed.yaml").write_text(capsys.readouterr().out)
    options = ScriptOptions("2,5", None, "5ms-9ms", "BR,NO", "httpx", 3, 9)
    script, printed = load_target("mine.py", options), load_experiment("printed.yaml")
    assert config_record(printed, {}) == config_record(script, {})
    assert printed.name == "mine"


def test_config_is_printed_for_a_script_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "run", "default", "--print-config") == 2
    assert "--print-config is for a script" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        (POOL, "mine"),
        (POOL, "*/5/*"),
        (POOL, "seq*"),
        (POOL, "*/aiohttp/*"),
        ("def download_many(cc_list): ...\n", "mine*"),
        ("def download_many(cc_list, workers): ...\n", "*/2/*"),
        ("def get(url): ...\n", "*/mine.get/*"),
        ("def get(url): ...\n", "threadpool_map/*/2/*"),
        ("async def get(url): ...\n", "asyncio_gather*"),
    ],
)
def test_printed_config_has_the_selected_cases_only(
    text: str, pattern: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("mine.py").write_text(text)
    words = ["--workers", "2,5,20", "--only", pattern, "--print-config"]
    assert call(monkeypatch, "run", "mine.py", *words) == 0
    Path("printed.yaml").write_text(capsys.readouterr().out)
    selected = load_target("mine.py", ScriptOptions("2,5,20"), only=pattern).cases
    assert set(load_experiment("printed.yaml").cases) == set(selected)


def test_pattern_without_a_case_prints_no_config(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "run", "mine.py", "--only", "other*", "--print-config") == 2
    assert "no case matches 'other*'" in capsys.readouterr().err


def test_script_with_a_path_that_yaml_would_misread_is_quoted(tmp_path: Path) -> None:
    folder = tmp_path / "a, {b}: #c's"
    folder.mkdir()
    (folder / "mine.py").write_text(POOL)
    code = parse_reference(f"{folder}/mine.py")
    assert code is not None
    assert f"{folder}/mine.py".replace("'", "''") in script_config(code, ScriptOptions())
    assert cases(f"{folder}/mine.py")[-1] == "mine/requests/20/10ms-20ms"


def test_two_functions_of_one_name_are_refused_as_clients(tmp_path: Path) -> None:
    """One of them would be measured under the name of both."""
    for folder in ("p", "q"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.py").write_text("def get(url): ...\n")
    text = (
        "strategies: [{name: sequential, clients: ['p/x.py:get']}, "
        "{name: threadpool_map, clients: ['q/x.py:get']}]\n"
    )
    (tmp_path / "two.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"another function is also the client x\.get"):
        load_experiment("two.yaml")


def test_module_is_found_in_folders_that_are_no_packages(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c.py").write_text("def get(url): ...\n")
    assert "sequential/c.get/1/10ms-20ms" in cases("a.b.c:get")
