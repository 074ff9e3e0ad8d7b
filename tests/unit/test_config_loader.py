"""Valid configs: their experiments, cases and notes."""

from pathlib import Path

import pytest

from bench.app.select import load_experiment
from bench.errors import ConfigError
from bench.model.cases import PROBES, Experiment, Fault, Fixed, LogNormal, Profile, Sampled, Stopping, Uniform
from bench.model.work import Work
from tests.config_catalog import experiment_of


def _experiment(folder: Path, text: str) -> Experiment:
    file = folder / "my config!.yaml"
    file.write_text(text)
    return experiment_of(file)


def _ids(folder: Path, text: str) -> list[str]:
    return [case.id for case in _experiment(folder, text).cases]


def test_defaults_of_every_key(tmp_path: Path) -> None:
    experiment = _experiment(tmp_path, "strategies: threadpool_map\n")
    assert experiment.name == "my-config-"
    assert [case.id for case in experiment.cases] == [
        "threadpool_map/requests/20/local",
        "threadpool_map/httpx/20/local",
    ]
    assert experiment.cases[0].countries.label == "pop20"
    assert (experiment.blocks, experiment.rounds, experiment.seed) == (10, None, 1)
    assert (experiment.deadline_s, experiment.request_timeout_s) == (60.0, 10.0)
    assert experiment.flags_dir is None
    assert (experiment.stopping, experiment.probes, experiment.pinning) == (None, PROBES, True)
    assert experiment.disturbed == "keep"
    assert experiment.notes == ()
    assert experiment.source == {"strategies": "threadpool_map"}


def test_value_of_every_key_arrives_in_the_experiment(tmp_path: Path) -> None:
    (tmp_path / "flags").mkdir()
    experiment = _experiment(
        tmp_path,
        "name: mine\ncountries: {codes: [BR, NO], limit: 1, repeat: 3}\nworkers: 2\nclients: requests\n"
        "keep_alive: false\nstrategies: [threadpool_map]\nblocks: {min: 6, max: 30}\nrounds: 7\n"
        "deadline: 2m\nrequest_timeout: 500ms\nseed: 9\nflags_dir: flags\n"
        "precision: 2.5%\nbudget: 1.5m\nprobes: [gc, cpu]\npinning: false\ndisturbed: refuse\n"
        "process_names: false\n"
        "profile: {name: lossy, latency: 5ms, jitter: 1ms, bandwidth: 2MiB,\n"
        "  error_rate: 5%, error_status: 503}\n",
    )
    (case,) = experiment.cases
    assert case.id == "threadpool_map/requests/2/lossy/close"
    assert case.countries.fetches == ("BR", "BR", "BR")
    assert case.profile == Profile("lossy", Fixed(0.005), 0.001, 2_097_152.0, (Fault("status", 0.05, 503),))
    assert experiment.name == "mine"
    assert (experiment.blocks, experiment.rounds, experiment.seed) == (30, 7, 9)
    assert (experiment.deadline_s, experiment.request_timeout_s) == (120.0, 0.5)
    assert experiment.flags_dir == tmp_path / "flags"
    assert experiment.stopping == Stopping(6, 0.025, 90.0)
    assert (experiment.probes, experiment.pinning) == (("cpu", "gc"), False)
    assert experiment.disturbed == "refuse"
    assert not experiment.process_names


@pytest.mark.parametrize(
    ("written", "blocks", "stopping"),
    [
        ("", 10, None),
        ("blocks: 4", 4, None),
        ("blocks: {max: 4}", 4, None),
        ("precision: 3%", 64, Stopping(8, 0.03, None)),
        ("precision: 3%\nblocks: 20", 20, Stopping(8, 0.03, None)),
        ("precision: 3%\nblocks: 7", 7, Stopping(7, 0.03, None)),
        ("precision: 3%\nblocks: {min: 20, max: 30}", 30, Stopping(20, 0.03, None)),
        ("budget: 60s", 10, Stopping(8, None, 60.0)),
        ("budget: 60s\nblocks: 5", 5, Stopping(5, None, 60.0)),
        ("budget: 60s\nblocks: {min: 1, max: 50}", 50, Stopping(1, None, 60.0)),
    ],
)
def test_precision_and_budget_make_a_stopping_rule(
    tmp_path: Path, written: str, blocks: int, stopping: Stopping | None
) -> None:
    experiment = _experiment(tmp_path, f"clients: requests\nstrategies: sequential\n{written}\n")
    assert (experiment.blocks, experiment.stopping) == (blocks, stopping)


@pytest.mark.parametrize(
    ("written", "probes"),
    [("all", PROBES), ("none", ()), ("gc", ("gc",)), ("[memory, cpu]", ("cpu", "memory"))],
)
def test_probes_are_put_into_one_order(tmp_path: Path, written: str, probes: tuple[str, ...]) -> None:
    experiment = _experiment(tmp_path, f"clients: requests\nstrategies: sequential\nprobes: {written}\n")
    assert experiment.probes == probes


def test_cases_are_in_the_order_of_the_config(tmp_path: Path) -> None:
    assert _ids(
        tmp_path,
        "workers: [5, 2]\nclients: [urllib3, requests]\nkeep_alive: [true, false]\n"
        "profiles: [{latency: 5ms}, local]\nstrategies: [threadpool_map]\n",
    ) == [
        f"threadpool_map/{client}/{workers}/{profile}{connection}"
        for client in ("urllib3", "requests")
        for workers in (5, 2)
        for connection in ("", "/close")
        for profile in ("5ms", "local")
    ]


def test_strategy_entry_overrides_the_settings_of_the_config(tmp_path: Path) -> None:
    assert _ids(
        tmp_path,
        "workers: 5\nclients: requests\nstrategies:\n- threadpool_map\n"
        "- {name: asyncio_gather, clients: aiohttp, workers: [7], keep_alive: false}\n",
    ) == ["threadpool_map/requests/5/local", "asyncio_gather/aiohttp/7/local/close"]


def test_workers_above_the_number_of_fetches_are_capped_with_a_note(tmp_path: Path) -> None:
    experiment = _experiment(
        tmp_path,
        "countries: [BR, NO, US]\nworkers: [2, 10, 20]\nclients: requests\nstrategies: threadpool_map\n",
    )
    assert [case.workers for case in experiment.cases] == [2, 3]
    assert experiment.notes == ("Capped: 10, 20 workers run as 3, one for each fetch.",)


def test_each_number_of_downloads_makes_a_case_with_an_id_of_its_own(tmp_path: Path) -> None:
    experiment = _experiment(
        tmp_path,
        "countries: {codes: [BR, NO], repeat: [1, 10]}\nworkers: 4\nclients: requests\n"
        "strategies: [sequential, threadpool_map]\n",
    )
    assert [(case.id, case.countries.count) for case in experiment.cases] == [
        ("sequential/requests/1/local/2fetches", 2),
        ("sequential/requests/1/local/20fetches", 20),
        ("threadpool_map/requests/2/local/2fetches", 2),
        ("threadpool_map/requests/4/local/20fetches", 20),
    ]
    assert experiment.notes == ("Capped: 4 workers run as 2, one for each fetch.",)


def test_each_amount_of_work_makes_a_case_with_an_id_of_its_own(tmp_path: Path) -> None:
    text = "clients: requests\nstrategies: sequential\nprocess: {kind: json, times: [0, 20]}\n"
    cases = _experiment(tmp_path, text).cases
    assert [(case.id, case.work.times) for case in cases] == [
        ("sequential/requests/1/local/0json", 0),
        ("sequential/requests/1/local/20json", 20),
    ]


@pytest.mark.parametrize(
    ("written", "work"),
    [
        ("none", Work()),
        ("{kind: none, times: 7}", Work()),
        ("sha256", Work("sha256", 1)),
        ("{kind: decode, times: 3}", Work("decode", 3)),
        ("{kind: decode, times: [3]}", Work("decode", 3)),
    ],
)
def test_one_amount_of_work_is_no_part_of_an_id(tmp_path: Path, written: str, work: Work) -> None:
    text = f"clients: requests\nstrategies: sequential\nprocess: {written}\n"
    (case,) = _experiment(tmp_path, text).cases
    assert (case.id, case.work) == ("sequential/requests/1/local", work)


def test_strategy_that_opens_no_client_cannot_process(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("def download_many(cc_list):\n    return len(cc_list)\n", "utf-8")
    file = tmp_path / "test.yaml"
    file.write_text("strategies: mine.py\nprocess: json\n", "utf-8")
    with pytest.raises(
        ConfigError, match="process: mine opens no client of flagbench, which would do the work"
    ):
        load_experiment(str(file))


def test_one_number_of_downloads_in_a_list_is_no_part_of_an_id(tmp_path: Path) -> None:
    text = "countries: {{codes: BR, repeat: {repeat}}}\nclients: requests\nstrategies: sequential\n"
    listed, plain = (_experiment(tmp_path, text.format(repeat=each)) for each in ("[3]", "3"))
    assert listed.cases == plain.cases
    assert plain.cases[0].id == "sequential/requests/1/local"


def test_strategy_without_workers_makes_one_case(tmp_path: Path) -> None:
    experiment = _experiment(tmp_path, "workers: [5, 50]\nclients: requests\nstrategies: sequential\n")
    assert [case.id for case in experiment.cases] == ["sequential/requests/1/local"]
    assert experiment.notes == ()


def test_strategy_without_client_makes_one_case(tmp_path: Path) -> None:
    assert _ids(tmp_path, "strategies: bare_sockets\n") == ["bare_sockets/-/20/local"]


def test_client_that_is_not_installed_is_skipped_with_a_note(tmp_path: Path) -> None:
    text = "clients: [requests, pycurl, aiohttp]\nstrategies: [{}]\n"
    experiment = _experiment(tmp_path, text.format("sequential"))
    assert [case.client for case in experiment.cases] == ["requests"]
    assert experiment.notes == ("Skipped: pycurl needs pycurl, which is not installed: pip install pycurl.",)
    assert _experiment(tmp_path, text.format("asyncio_gather")).notes == ()


@pytest.mark.parametrize(
    ("profile", "note"),
    [
        ("delay", ""),
        ("{latency: {uniform: [1s, 10s]}}", ""),
        (
            "{latency: {uniform: [1s, 15s]}}",
            "Profile 1s-15s: answers take up to 15s, and request_timeout is 10s; some fetches will time out.",
        ),
        (
            "{name: p, latency: 9s, jitter: 2s}",
            "Profile p: answers take up to 11s, and request_timeout is 10s; some fetches will time out.",
        ),
        (
            "{name: tail, latency: {lognormal: {median: 1s, p99: 60s}}}",
            (
                "Profile tail: one answer of a hundred takes more than 60s, and request_timeout is 10s; "
                "some fetches will time out."
            ),
        ),
        (
            "{name: far, latency: 8s, connect_latency: 1s}",
            "",
        ),
        (
            "{name: p, sizes: {lognormal: {median: 10kB, p99: 3MB}}, bandwidth: 250kB}",
            (
                "Profile p: one answer of a hundred takes more than 12s, and request_timeout is 10s; "
                "some fetches may time out."
            ),
        ),
        (
            "{name: far, latency: {uniform: [1s, 9.5s]}, connect_latency: 1s}",
            (
                "Profile far: answers take up to 9.5s, new connections up to 1s, and request_timeout is 10s; "
                "some fetches may time out."
            ),
        ),
        (
            "{name: far, latency: {uniform: [1s, 8s]}, connect_latency: 1s, tls: true}",
            (
                "Profile far: answers take up to 8s, new connections up to 3s, and request_timeout is 10s; "
                "some fetches may time out."
            ),
        ),
    ],
)
def test_note_says_if_the_slowest_answers_time_out(tmp_path: Path, profile: str, note: str) -> None:
    experiment = _experiment(tmp_path, f"clients: requests\nprofile: {profile}\nstrategies: sequential\n")
    assert "; ".join(experiment.notes) == note


def test_case_of_two_entries_appears_once(tmp_path: Path) -> None:
    assert _ids(
        tmp_path,
        "clients: requests\nstrategies:\n"
        "- {name: threadpool_map, workers: [1, 2]}\n- {name: threadpool_map, workers: [2, 3]}\n",
    ) == [f"threadpool_map/requests/{workers}/local" for workers in (1, 2, 3)]


def test_path_of_a_strategy_is_relative_to_the_config(tmp_path: Path) -> None:
    (tmp_path / "mine.py").touch()
    experiment = _experiment(tmp_path, "clients: requests\nstrategies: [mine.py]\n")
    assert [case.id for case in experiment.cases] == ["mine/requests/20/local"]
    assert experiment.strategies["mine"].file == tmp_path / "mine.py"


@pytest.mark.parametrize(
    ("written", "profile"),
    [
        ("local", Profile("local")),
        ("{preset: delay, scale: 10%}", Profile("delay*0.1", Uniform(0.05, 0.5))),
        ("{latency: 50ms}", Profile("50ms", Fixed(0.05))),
        ("{latency: {fixed: 50ms}}", Profile("50ms", Fixed(0.05))),
        ("{latency: {uniform: [20ms, 80ms]}}", Profile("20ms-80ms", Uniform(0.02, 0.08))),
        ("{latency: {lognormal: {median: 50ms, p99: 1.5s}}}", Profile("50ms-p99-1.5s", LogNormal(0.05, 1.5))),
        ("{error_rate: 5%}", Profile("0ms+5%-418", faults=(Fault("status", 0.05, 418),))),
        (
            "{latency: 5ms, jitter: 1ms, bandwidth: 2MiB}",
            Profile("5ms+jitter-1ms+2MiB", Fixed(0.005), 0.001, 2.0 * 2**20),
        ),
        (
            "{latency: 20ms, connect_latency: 30ms}",
            Profile("20ms+connect-30ms", Fixed(0.02), connect_latency_s=0.03),
        ),
        (
            "{connect_latency: 1.5s, jitter: 0ms, tls: true}",
            Profile("0ms+connect-1.5s+tls", tls=True, connect_latency_s=1.5),
        ),
    ],
)
def test_unnamed_profile_is_named_by_its_figures(tmp_path: Path, written: str, profile: Profile) -> None:
    experiment = _experiment(tmp_path, f"clients: requests\nprofile: {written}\nstrategies: sequential\n")
    assert [case.profile for case in experiment.cases] == [profile]


def test_latencies_come_from_a_file_beside_the_config(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("path,time\n/a,12\n/b,500\n/c,13\n", "utf-8")
    (tmp_path / "mine.txt").write_text("12ms\n500ms\n13ms\n", "utf-8")
    for written in ("mine.txt", "{file: mine.csv, column: time, unit: ms}"):
        experiment = _experiment(
            tmp_path,
            f"clients: requests\nprofile: {{latency: {{sample: {written}}}}}\nstrategies: sequential\n",
        )
        (case,) = experiment.cases
        assert case.profile == Profile("sample-13ms-p99-490ms", Sampled((0.012, 0.013, 0.5)))


def test_sample_slower_than_the_time_out_is_noted(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("12ms\n9s\n13ms\n", "utf-8")
    experiment = _experiment(
        tmp_path,
        "clients: requests\nprofile: {name: mine, latency: {sample: mine.txt}}\nstrategies: sequential\n"
        "request_timeout: 5s\n",
    )
    assert "Profile mine: answers take up to 9s" in "".join(experiment.notes)


def test_faults_tls_and_http2_arrive_in_the_profile_and_its_name(tmp_path: Path) -> None:
    text = (
        "strategies: sequential\nclients: httpx\n"
        "profile: {error_rate: 5%, faults: [{kind: stall, rate: 1%}], tls: true, http2: true}\n"
    )
    (case,) = _experiment(tmp_path, text).cases
    assert case.profile.name == "0ms+5%-418+1%-stall+http2"
    assert case.profile.faults == (Fault("status", 0.05, 418), Fault("stall", 0.01))
    assert (case.profile.tls, case.profile.http2) == (True, True)
    (case,) = _experiment(tmp_path, "strategies: sequential\nclients: httpx\nprofile: {faults: drip}\n").cases
    assert case.profile.faults == (Fault("drip", 1.0),)
