"""The keys ``scheduler`` and ``host``: the clusters that are accepted, and what cannot be done on them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bench.config.schedulers import VARIABLE, default_schedulers, is_here, parse_scheduler
from bench.model.scheduler import EMBEDDED, Scheduler
from tests.config_catalog import experiment_of, problems_of
from tests.program import call

HERE = "tcp://127.0.0.1:8786"
ELSEWHERE = "{address: 'tcp://10.0.0.1:8786', insecure: true}"
TLS = "authority: ca.pem, certificate: own.pem, private_key: key.pem"
CLUSTER = "strategies: [dask, threadpool_map]\nclients: requests\nworkers: 3\n"
URL = "http://127.0.0.1:9000/files"

WANTED = "must be 'embedded', or scheme, host and port such as tls://10.0.0.1:8786"
TRUTH = "must be true or false"
LACKS = "has a tls:// address, and needs"
FOR_TLS = "is for tls:// addresses; remove the key"
FOR_TCP = "is for tcp:// addresses; remove the key"
UNSAFE = (
    "has a tcp:// address of another machine: whoever can change what is sent can run code there; use "
    "tls://, or 'insecure: true' in a network that you trust"
)
BY_CONFIG = "name it as 'scheduler' in the config, with its certificates or 'insecure: true'"
TWICE = "has the address of another scheduler; remove one"

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Return a function that writes a config beside three files; no variable names a scheduler."""
    monkeypatch.delenv(VARIABLE, raising=False)
    for name in ("ca.pem", "own.pem", "key.pem"):
        (tmp_path / name).touch()
    (tmp_path / "get.py").write_text("def fetch(url: str) -> bytes: ...\n", "utf-8")

    def write(text: str) -> Path:
        file = tmp_path / "c.yaml"
        file.write_text(text, "utf-8")
        return file

    return write


@pytest.mark.parametrize(
    "address",
    [
        HERE,
        "tls://10.0.0.1:8786",
        "tcp://localhost:1",
        "tls://cluster-1.example_net:65535",
        "tcp://[::1]:8786",
        "tls://[2001:db8::1]:8786",
        "tcp://[::ffff:10.0.0.1]:8786",
    ],
)
def test_address_is_a_scheme_a_host_and_a_port(address: str) -> None:
    assert parse_scheduler(address) == address


def test_embedded_cluster_has_a_word_and_no_address() -> None:
    assert parse_scheduler("embedded") == EMBEDDED == ""
    assert is_here(EMBEDDED)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "local",
        "Embedded",
        "127.0.0.1:8786",
        "http://127.0.0.1:8787",
        "ucx://127.0.0.1:8786",
        "TCP://127.0.0.1:8786",
        "tcp://127.0.0.1",
        "tcp://127.0.0.1:",
        "tcp://127.0.0.1:0",
        "tcp://127.0.0.1:08786",
        "tcp://127.0.0.1:65536",
        "tcp://:8786",
        "tcp://::1:8786",
        "tcp://[::1]",
        "tcp://[::1]x:8786",
        "tcp://[1::2::3]:8786",
        "tcp://[127.0.0.1]:8786",
        "tcp://127.0.0.1:8786/",
        "tcp://127.0.0.1:8786?key=secret",
        "tcp://127.0.0.1:8786#x",
        "tcp://me:secret@127.0.0.1:8786",
        "tcp://a b:8786",
        "tcp://a|b:8786",
        "tcp://$(id):8786",
        "tcp://*:8786",
        "tcp://-x:8786",
        "tcp://\u202e:8786",
        "tcp://" + 1_000 * "a" + ":8786",
    ],
)
def test_other_addresses_are_refused_in_a_short_line(text: str) -> None:
    """An address is part of the ids of cases, so it has no characters that mean something elsewhere."""
    with pytest.raises(ValueError, match=f"^{WANTED}, not ") as refused:
        parse_scheduler(text)
    assert len(str(refused.value)) < 150
    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    ("address", "is_ours"),
    [
        (HERE, True),
        ("tls://127.1.2.3:1", True),
        ("tcp://[::1]:8786", True),
        ("tcp://[::ffff:127.0.0.1]:8786", True),
        ("tcp://localhost:8786", True),
        ("tcp://LocalHost:8786", True),
        ("tcp://0.0.0.0:8786", False),
        ("tcp://[::]:8786", False),
        ("tcp://10.0.0.1:8786", False),
        ("tcp://localhost.example:8786", False),
    ],
)
def test_only_loopback_addresses_and_localhost_are_on_this_machine(
    address: str,
    is_ours: bool,  # noqa: FBT001  a parameter of the test
) -> None:
    assert is_here(address) is is_ours


def test_case_runs_on_the_embedded_cluster_unless_the_config_names_another(write: Write) -> None:
    for text in (CLUSTER, f"{CLUSTER}scheduler: embedded\n", f"{CLUSTER}scheduler: {{address: embedded}}\n"):
        experiment = experiment_of(write(text))
        assert [case.id for case in experiment.cases] == [
            "dask/requests/3/local",
            "threadpool_map/requests/3/local",
        ]
        assert experiment.schedulers == {EMBEDDED: Scheduler()}
        assert experiment.notes == ()


def test_several_schedulers_make_cases_of_strategies_for_clusters_only(write: Write) -> None:
    experiment = experiment_of(write(f"{CLUSTER}scheduler: [embedded, '{HERE}', 'tcp://[::1]:8787']\n"))
    assert [case.id for case in experiment.cases] == [
        "dask/requests/3/local",
        "dask/requests/3/local/127.0.0.1:8786",
        "dask/requests/3/local/[::1]:8787",
        "threadpool_map/requests/3/local",
    ]
    assert [case.scheduler for case in experiment.cases] == [EMBEDDED, HERE, "tcp://[::1]:8787", EMBEDDED]
    assert experiment.schedulers[HERE] == Scheduler(HERE)


def test_certificates_are_files_beside_the_config_and_needed_for_tls(write: Write, tmp_path: Path) -> None:
    file = write(f"{CLUSTER}scheduler: {{address: 'tls://10.0.0.1:8786', {TLS}}}\n")
    expected = Scheduler(
        "tls://10.0.0.1:8786", *(str(tmp_path / f"{each}.pem") for each in ("ca", "own", "key"))
    )
    assert experiment_of(file).schedulers == {"tls://10.0.0.1:8786": expected}


def test_scheduler_of_another_machine_without_encryption_takes_a_word(write: Write) -> None:
    (found,) = experiment_of(write(f"{CLUSTER}scheduler: {ELSEWHERE}\n")).schedulers.values()
    assert found == Scheduler("tcp://10.0.0.1:8786")


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("tcp://10.0.0.1", f"4:12 scheduler: {WANTED}, not 'tcp://10.0.0.1'"),
        (f"[embedded, {HERE}x]", f"4:23 scheduler[1]: {WANTED}, not '{HERE}x'"),
        ("{address: 7}", f"4:22 scheduler.address: {WANTED}, not '7'"),
        ("[]", "4:12 scheduler: must not be empty"),
        ("{insecure: true}", "4:12 scheduler.address: is missing"),
        (f"{{address: '{HERE}', adress: x}}", "4:46 scheduler.adress: unknown key"),
        (f"[{{address: '{HERE}', insecure: no}}]", f"4:57 scheduler[0].insecure: {TRUTH}, not 'no'"),
        # encryption
        ("tls://10.0.0.1:1", f"4:12 scheduler: {LACKS} authority, certificate and private_key"),
        (
            "{address: 'tls://[::1]:1', authority: ca.pem, private_key: key.pem}",
            f"4:12 scheduler: {LACKS} certificate",
        ),
        (
            "{address: 'tls://[::1]:1', certificate: none.pem}",
            "4:52 scheduler.certificate: no such file 'none.pem'; paths are relative to the config's folder",
        ),
        (f"{{address: '{HERE}', authority: ca.pem}}", f"4:57 scheduler.authority: {FOR_TLS}"),
        ("{address: embedded, private_key: key.pem}", f"4:45 scheduler.private_key: {FOR_TLS}"),
        ("tcp://10.0.0.1:1", f"4:12 scheduler: {UNSAFE}"),
        (f"[{HERE}, 'tcp://machines.example:1']", f"4:35 scheduler[1]: {UNSAFE}"),
        ("{address: 'tcp://10.0.0.1:1', insecure: false}", f"4:12 scheduler: {UNSAFE}"),
        (f"{{address: 'tls://[::1]:1', insecure: true, {TLS}}}", f"4:49 scheduler.insecure: {FOR_TCP}"),
        ("{address: embedded, insecure: true}", f"4:42 scheduler.insecure: {FOR_TCP}"),
        # the same twice; cases are named by host and port
        (f"[{HERE}, {HERE}]", "4:35 scheduler[1]: is a duplicate; remove it"),
        (f"[{HERE}, {{address: '{HERE}'}}]", f"4:35 scheduler[1]: {TWICE}"),
        (f"['tcp://[::1]:1', {{address: 'tls://[::1]:1', {TLS}}}]", f"4:30 scheduler[1]: {TWICE}"),
        ("[embedded, {address: embedded}]", f"4:23 scheduler[1]: {TWICE}"),
    ],
)
def test_scheduler_that_cannot_be_is_refused_at_its_place(write: Write, value: str, problem: str) -> None:
    assert problems_of(write(f"{CLUSTER}scheduler: {value}\n")) == [f"c.yaml:{problem}"]


@pytest.mark.parametrize(
    "host",
    ["localhost", "10.0.0.1:80", "0.0.0.0", "'::'", "224.0.0.1", "fe80::1%eth0", "'[::1]'", "''"],  # noqa: S104  refused
)
def test_host_that_is_no_single_address_is_refused_at_its_place(write: Write, host: str) -> None:
    quoted = repr(host.strip("'"))
    assert problems_of(write(f"{CLUSTER}host: {host}\n")) == [
        f"c.yaml:4:7 host: must be an IP address of this machine, not {quoted}"
    ]


def test_host_and_target_are_not_for_the_same_config(write: Write) -> None:
    assert problems_of(write(f"{CLUSTER}target: {URL}\nhost: 127.0.0.1\n")) == [
        "c.yaml:5:7 host: cannot be combined with 'target', in place of which no flag server runs"
    ]


def test_key_without_a_strategy_for_clusters_is_refused(write: Write) -> None:
    assert problems_of(write("strategies: threadpool_map\nscheduler: embedded\n")) == [
        "c.yaml:2:1 scheduler: is for strategies that download on a cluster, such as dask; remove the key"
    ]


@pytest.mark.parametrize(
    ("strategies", "place"),
    [
        ("[{name: dask, clients: %s}]", "strategies[0].clients"),
        ("[threadpool_map, {name: dask, clients: [requests, %s]}]", "strategies[1].clients"),
        ("[threadpool_map, dask]\nclients: [requests, %s]", "strategies[1]"),
    ],
)
@pytest.mark.parametrize(
    ("client", "why"),
    [
        ("get.py:fetch", "get.fetch is a function of yours"),
        ("{name: httpx, version: 0.27.2}", "httpx==0.27.2 has an environment of its own"),
    ],
)
def test_client_that_only_this_machine_has_is_refused_on_others(
    write: Write, strategies: str, place: str, client: str, why: str
) -> None:
    """Another process on this machine is another machine, too: it has not our environment."""
    text = f"strategies: {strategies % client}\n"
    assert experiment_of(write(text)).cases
    assert experiment_of(write(f"{text}scheduler: embedded\n")).cases
    (found,) = problems_of(write(f"{text}scheduler: [embedded, '{HERE}']\n"))
    assert found.startswith("c.yaml:1:")
    assert found.partition(" ")[2] == (
        f"{place}: {why}, which is on this machine only, and not on those of {HERE}; use another client, or "
        "'scheduler: embedded'"
    )


def test_client_of_other_strategies_may_be_a_function(write: Write) -> None:
    strategies = "[dask, {name: threadpool_map, clients: get.py:fetch}]"
    text = f"strategies: {strategies}\nclients: requests\nscheduler: {HERE}\n"
    assert [case.client for case in experiment_of(write(text)).cases] == ["requests", "get.fetch"]


def test_rate_of_a_target_is_kept_on_this_machine_only(write: Write) -> None:
    """All processes keep to it by a file that they share."""
    text = f"strategies: [dask]\nclients: requests\ntarget: {{url: '{URL}', rate: 50/s}}\n"
    assert experiment_of(write(text)).cases
    (found,) = problems_of(write(f"{text}scheduler: {HERE}\n"))
    assert found == (
        f"c.yaml:3:52 target.rate: cannot be kept by the machines of {HERE}, which share no file with this "
        "one; leave it out, or use 'scheduler: embedded'"
    )
    without = text.replace(", rate: 50/s", "")
    assert experiment_of(write(f"{without}scheduler: {HERE}\n")).cases


def test_variable_names_the_scheduler_of_a_config_that_names_none(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, HERE)
    assert experiment_of(write(CLUSTER)).schedulers == {HERE: Scheduler(HERE)}
    assert experiment_of(write(f"{CLUSTER}scheduler: embedded\n")).schedulers == {EMBEDDED: Scheduler()}
    assert default_schedulers({}) == default_schedulers({VARIABLE: ""}) == (Scheduler(),)
    assert default_schedulers({VARIABLE: "embedded"}) == (Scheduler(),)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("10.0.0.1:8786", f"{WANTED}, not '10.0.0.1:8786'"),
        ("tls://127.0.0.1:8786", f"is 'tls://127.0.0.1:8786'; {BY_CONFIG}"),
        ("tcp://10.0.0.1:8786", f"is 'tcp://10.0.0.1:8786'; {BY_CONFIG}"),
    ],
)
def test_variable_that_needs_more_is_refused_at_the_strategy_and_matters_to_no_other(
    write: Write, monkeypatch: pytest.MonkeyPatch, value: str, problem: str
) -> None:
    monkeypatch.setenv(VARIABLE, value)
    thresholds = "thresholds: {'*': 5%}\n"
    text = f"strategies: [threadpool_map, dask]\nclients: requests\n{thresholds}"
    assert problems_of(write(text)) == [f"c.yaml:1:30 strategies[1]: {VARIABLE} {problem}"]
    assert experiment_of(write(f"{text}scheduler: embedded\n")).cases
    assert experiment_of(write(f"strategies: threadpool_map\nclients: requests\n{thresholds}")).cases


def test_limit_of_connections_makes_no_case_of_a_cluster(write: Write) -> None:
    experiment = experiment_of(
        write("strategies: dask\nclients: requests\nworkers: 3\nconnection_limit: [1, auto]\n")
    )
    assert [case.connections for case in experiment.cases] == [0]
    assert experiment.notes == (
        "Skipped: dask has a client on each machine, so 'connection_limit: 1' is left out.",
    )


@pytest.mark.parametrize(
    ("keys", "is_told"),
    [
        (f"scheduler: {ELSEWHERE}", True),
        (f"scheduler: {ELSEWHERE}\nhost: 127.0.0.2", True),
        (f"scheduler: {ELSEWHERE}\nhost: 10.0.0.5", False),
        (f"scheduler: {ELSEWHERE}\ntarget: {URL}", False),
        (f"scheduler: {HERE}", False),
    ],
)
def test_note_tells_that_other_machines_cannot_reach_the_flag_server(
    write: Write,
    keys: str,
    is_told: bool,  # noqa: FBT001  a parameter of the test
) -> None:
    notes = experiment_of(write(f"{CLUSTER}{keys}\n")).notes
    expected = ["Machines of tcp://10.0.0.1:8786"] if is_told else []
    assert [note.partition(" will ask ")[0] for note in notes] == expected


@pytest.mark.parametrize(
    ("written", "host"),
    [
        ("10.0.0.5", "10.0.0.5"),
        ("127.0.0.2", "127.0.0.2"),
        ("'0:0:0:0:0:0:0:1'", "::1"),
        ("2001:DB8::5", "2001:db8::5"),
    ],
)
def test_host_is_an_ip_address_in_its_usual_form(write: Write, written: str, host: str) -> None:
    assert experiment_of(write(f"strategies: sequential\nhost: {written}\n")).host == host


@pytest.mark.parametrize("words", [["run"], ["ab", "main"], ["gate"], ["noise"]])
def test_commands_that_measure_refuse_a_host_that_others_can_reach(
    write: Write, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    file = write("strategies: sequential\nhost: 192.0.2.1\n")
    assert call(monkeypatch, *words, *(["main"] if words[0] == "ab" else []), str(file)) == 2
    assert "192.0.2.1 can be reached from other machines" in capsys.readouterr().err


def test_check_accepts_any_host_and_listens_on_loopback(
    write: Write, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It tries the cases with a flag server of its own, which could not listen at this address."""
    file = write("strategies: sequential\nclients: urllib3\ncountries: [BR]\nhost: 192.0.2.1\n")
    assert call(monkeypatch, "check", str(file)) == 0
    assert "guess" not in capsys.readouterr().err


def test_check_asks_no_cluster(
    write: Write, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write("strategies: dask\nclients: urllib3\ncountries: [BR]\nscheduler: tcp://127.0.0.1:9\n")
    assert call(monkeypatch, "check", str(file)) == 0
    said = " ".join(capsys.readouterr().err.split())
    assert (
        "the duration of dask/urllib3/1/local/127.0.0.1:9 is a guess: its cluster is not asked here" in said
    )


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["noise"], "the noise of this machine cannot be measured on the machines of tcp://127.0.0.1:9"),
        (
            ["ab", "rev=HEAD", "rev=HEAD~1"],
            "variants cannot be compared on the machines of tcp://127.0.0.1:9",
        ),
    ],
)
def test_machines_of_others_are_neither_compared_nor_said_to_be_this_one(
    write: Write,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    problem: str,
) -> None:
    file = write("strategies: dask\nclients: urllib3\nscheduler: tcp://127.0.0.1:9\n")
    assert call(monkeypatch, *words, str(file)) == 2
    assert problem in capsys.readouterr().err
