"""Try the promises of docs/security.md from outside."""

import ast
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

import pytest

from bench.api import Job
from bench.api.job import is_country_code
from bench.errors import UsageError
from bench.model.cases import Profile
from bench.model.flags import all_flags, load_flags
from bench.model.server_settings import ServerSettings
from bench.system.paths import import_path
from tests.access_logs import EXAMPLES, SECRETS
from tests.hostile_strings import HOSTILE
from tests.measured import program
from tests.server_process import TestedServer, control, running_server, server_process

pytestmark = pytest.mark.e2e

ROOT: Final = Path(__file__).parents[2]


@contextmanager
def serving(*words: str) -> Iterator[tuple[str, str]]:
    """Run ``serve`` and yield its address and all that it said up to there; end it with Ctrl-C."""
    command = [sys.executable, "-P", "-m", "bench", "serve", "--port", "0", *words]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(import_path()), "COLUMNS": "200"}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stderr is not None
            said = ""
            while (found := re.search(r"at (http://\S+) until", said)) is None:
                line = process.stderr.readline()
                assert line, said
                said += line
            yield found[1], said
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 0
        finally:
            process.kill()


@pytest.fixture(scope="module")
def server() -> Iterator[TestedServer]:
    """Run a flag server as runs do."""
    with running_server(ServerSettings(Profile("local"))) as running:
        yield running


def listening_addresses(url: str) -> set[str]:
    """Return the addresses at which the kernel says that a port is open, in its own hexadecimal."""
    port = int(url.rpartition(":")[2])
    listening = "0A"
    return {
        address
        for table in ("tcp", "tcp6")
        if (file := Path(f"/proc/net/{table}")).exists()
        for _, local, _, state, *_ in (line.split() for line in file.read_text("ascii").splitlines()[1:])
        for address, _, each in [local.partition(":")]
        if state == listening and int(each, 16) == port
    }


LOOPBACK: Final = "0100007F"


@pytest.mark.skipif(sys.platform != "linux", reason="it takes /proc to see where a port is open")
def test_servers_listen_on_loopback_only(server: TestedServer) -> None:
    assert listening_addresses(server.base_url) == {LOOPBACK}
    with serving() as (url, said):
        assert listening_addresses(url) == {LOOPBACK}
        assert "warning" not in said


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])  # noqa: S104  to be refused
def test_other_address_needs_allow_remote(host: str, tmp_path: Path) -> None:
    refused = program(tmp_path, "serve", "--host", host, "--port", "0")
    assert refused.code == 2
    assert "can be reached from other machines" in refused.stderr
    with server_process() as process, pytest.raises(UsageError, match="reached from other machines"):
        control(process).start(ServerSettings(Profile("local"), host=host))


def test_allow_remote_warns_before_serving() -> None:
    with serving("--host", "0.0.0.0", "--allow-remote") as (_, said):  # noqa: S104  to be warned of
        warning, announcement = said.splitlines()
    assert warning.startswith("warning: 0.0.0.0 can be reached from other machines")
    assert announcement.startswith("serving local")


def exchange(server: TestedServer, sent: bytes) -> bytes:
    """Send bytes to the data port and return the first of what comes back, if anything does."""
    host, _, port = server.base_url.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        return connection.recv(65536)


def test_control_messages_on_the_data_port_are_refused(server: TestedServer) -> None:
    orders = ("open", "close", "records", "start", "stop", "shutdown", "quit", "reset", "profile", "control")
    for order in orders:
        said = exchange(server, json.dumps({order: {"name": "t1"}}).encode() + b"\n")
        assert said == b"" or said.startswith(b"HTTP/1.1 400 ")
        for prefix in ("/", "/-/", "/_/", "/-/t1.0/", "/admin/", "/flags/"):
            get = exchange(server, f"GET {prefix}{order} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert get.startswith(b"HTTP/1.1 404 ")
            for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"):
                request = f"{method} {prefix}{order} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{{}}"
                assert re.match(rb"HTTP/1\.1 (400|405|501) ", exchange(server, request.encode()))
    assert exchange(server, b"GET /flags/br/br.gif HTTP/1.1\r\nHost: x\r\n\r\n").endswith(all_flags()["BR"])


NO_CODES = (
    "", "B", "BRA", "br", "Br", "B1", "B.", "..", "B/", "BR\n", " BR", "BR\0",
    "\u0412R", "\uff22\uff32", "\ufb00",
)  # fmt: skip


def test_country_code_is_exactly_two_ascii_capitals() -> None:
    assert is_country_code("BR")
    assert [text for text in (*HOSTILE.values(), *NO_CODES) if is_country_code(text)] == []


def test_invalid_country_code_never_reaches_an_address_or_a_path(tmp_path: Path) -> None:
    folder = tmp_path / "inner"
    folder.mkdir()
    job = Job((), 1, "http://127.0.0.1:9", folder, "urllib3")
    with job.client() as download_one:
        assert download_one("BR").outcome == "refused"
        for text in ("../x", "/etc/passwd", "br", "B?", "B#", "@evil.example", "\r\n", ""):
            fetch = download_one(text)
            assert (fetch.outcome, fetch.status) == ("error", 0)
            assert "is not a country code" in fetch.detail
    assert list(tmp_path.rglob("*")) == [folder]


LONGEST_NAME: Final = 200


def test_files_with_other_names_are_not_served(tmp_path: Path) -> None:
    flag = all_flags()["BR"]
    (tmp_path / "br.gif").write_bytes(flag)
    names = [f"{text}.gif" for text in (*HOSTILE.values(), *NO_CODES) if _can_be_in_a_name(text)]
    for name in names:
        (tmp_path / name).write_bytes(flag)
    for twice in ("br.gif", "Br.gif"):
        (tmp_path / twice).unlink()
    (tmp_path / "BR.gif").write_bytes(flag)
    assert len(names) > 150
    assert load_flags(tmp_path).keys() == {"BR"}


def _can_be_in_a_name(text: str) -> bool:
    """Tell whether the system takes a text for a part of a file's name."""
    try:
        size_bytes = len(os.fsencode(text))
    except UnicodeEncodeError:  # half a surrogate
        return False
    return "/" not in text and "\0" not in text and size_bytes < LONGEST_NAME


FORGER = '''
from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Say that other files were downloaded."""
    with job.client() as download_one:
        fetches = [download_one(country) for country in job.countries]
    for country in ({victim!r}, "../victim"):
        job.watcher.fetched(fetches[0]._replace(country=country))
    return fetches
'''


@pytest.mark.long
def test_forged_download_events_move_no_file(tmp_path: Path) -> None:
    victim = tmp_path / "victim.gif"
    victim.write_bytes(b"mine")
    forger = tmp_path / "forger.py"
    forger.write_text(FORGER.format(victim=str(victim.with_suffix(""))), encoding="utf-8")
    words = ["--strategy", str(forger), "--client", "urllib3", "--dest", "out"]
    ended = program(tmp_path, "download", "BR", *words)
    assert "2 flags" not in ended.stderr
    assert victim.read_bytes() == b"mine"
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["br.gif"]


class Assets(HTMLParser):
    """Collects the tags of a page, and what they refer to."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.references: set[str] = set()

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        """Note a tag; an attribute that would run is none that is expected."""
        self.tags.add(tag)
        for name, value in attrs:
            assert name in {"lang", "charset", "href", "src", "alt", "loading"}
            if name in {"href", "src"}:
                self.references.add(value or "")


def test_index_page_runs_no_script_and_loads_nothing(server: TestedServer) -> None:
    host = server.base_url.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=5)
    connection.request("GET", "/")
    answer = connection.getresponse()
    page = answer.read().decode()
    policy = answer.headers["Content-Security-Policy"]
    connection.close()
    assert policy == "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'"
    assets = Assets()
    assets.feed(page)
    assert assets.tags == {"html", "meta", "title", "style", "ul", "li", "a", "img"}
    assert len(assets.references) == 2 * len(all_flags())
    assert all(
        re.fullmatch(r"flags/[a-z]{2}/([a-z]{2}\.gif|metadata\.json)", each) for each in assets.references
    )
    assert "Côte d&#x27;Ivoire" in page


def test_responses_do_not_echo_the_request(server: TestedServer) -> None:
    for text in ("<script>alert(1)</script>", "{{7*7}}", "%0d%0aSet-Cookie:%20x", "..%2f..%2fetc%2fpasswd"):
        said = exchange(server, f"GET /{text} HTTP/1.1\r\nHost: {text}\r\nX: {text}\r\n\r\n".encode())
        assert said.startswith(b"HTTP/1.1 404 ")
        assert text.encode() not in said
        assert b"Content-Type: text/plain" in said


CANARY = "from pathlib import Path\nwith Path({log!r}).open('a') as log:\n    log.write(__file__ + '\\n')\n"
STRATEGY = '''
from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Download one after the other."""
    with job.client() as download_one:
        return [download_one(country) for country in job.countries]
'''
CONFIG = """
countries: [BR]
clients: [urllib3]
strategies: [{}]
profile: {{latency: 1ms}}
blocks: 1
rounds: 1
"""


LYING_ABOUT: Final = (
    "mine", "lying", "sitecustomize", "usercustomize", "conftest", "yaml", "urllib3", "requests", "json",
    "bench/__init__", "strategies/__init__", "strategies/mine", "strategies/clients/__init__",
    "strategies/clients/urllib3",
)  # fmt: skip


@pytest.mark.long
def test_only_named_strategies_are_imported(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    folder = tmp_path / "folder"
    folder.mkdir()
    canary = CANARY.format(log=str(log)) + STRATEGY
    for name in LYING_ABOUT:
        file = folder / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(canary, encoding="utf-8")
    (folder / "c.yaml").write_text(CONFIG.format("mine.py"), encoding="utf-8")
    for words in (["check", "c.yaml"], ["list", "strategies"], ["list", "clients"]):
        assert program(folder, *words).code == 0
        assert not log.exists()
    ended = program(folder, "run", "c.yaml", "--out", "out")
    assert ended.code == 0, ended.stderr
    assert set(log.read_text("utf-8").splitlines()) == {str(folder / "mine.py")}


FORBIDDEN_MODULES: Final = frozenset(
    {"pickle", "_pickle", "cPickle", "cloudpickle", "dill", "marshal", "shelve", "dbm", "joblib",
     "multiprocessing", "runpy", "code", "codeop", "pty", "commands"}
)  # fmt: skip
FORBIDDEN_CALLS: Final = frozenset({"eval", "exec", "compile", "__import__", "breakpoint"})
FORBIDDEN_ATTRIBUTES: Final = frozenset(
    {"popen", "getoutput", "getstatusoutput", "create_subprocess_shell", "subprocess_shell",
     "unsafe_load", "full_load", "load_all", "unsafe_load_all", "full_load_all",
     "UnsafeLoader", "FullLoader", "CUnsafeLoader", "CFullLoader"}
)  # fmt: skip
LOADING: Final = frozenset({"exec_module", "load_module", "spec_from_file_location"})


def offences(source: str) -> list[str]:
    """Name what a file must not do: unpickle, run text, ask a shell, load YAML's own types."""
    return [offence for node in ast.walk(ast.parse(source)) for offence in _offences(node)]


def _offences(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import(names):
            modules = [alias.name for alias in names]
        case ast.ImportFrom(module=str(module)):
            modules = [module]
        case _:
            modules = []
    yield from (module for module in modules if module.partition(".")[0] in FORBIDDEN_MODULES)
    match node:
        case ast.Call(func=ast.Name(name)) if name in FORBIDDEN_CALLS:
            yield name
        case ast.Attribute(attr=name) if name in FORBIDDEN_ATTRIBUTES:
            yield name
        case ast.Attribute(ast.Name("os"), "system"):
            yield "os.system"
        case ast.ImportFrom(names=names):
            yield from (alias.name for alias in names if alias.name in {"system", *FORBIDDEN_ATTRIBUTES})
        case ast.keyword(arg="shell"):
            yield "shell"
        case ast.Call(func=ast.Attribute(ast.Name("yaml"), "load")):
            yield "yaml.load"


@pytest.mark.parametrize(
    "source",
    ["import pickle", "from marshal import loads", "import multiprocessing.pool", "eval('1')", "exec(text)",
     "__import__(name)", "import os\nos.system('id')", "from os import popen", "run(words, shell=True)",
     "run(words, shell=is_simple)", "yaml.load(text)", "yaml.load(text, Loader=yaml.BaseLoader)",
     "yaml.unsafe_load(text)", "f(yaml.FullLoader)", "asyncio.create_subprocess_shell('id')"],
)  # fmt: skip
def test_forbidden_call_is_found_in_a_planted_file(source: str) -> None:
    assert offences(source)


@pytest.mark.long
def test_bench_never_unpickles_evaluates_text_or_starts_a_shell() -> None:
    sources = {file: file.read_text("utf-8") for file in (ROOT / "bench").rglob("*.py")}
    assert len(sources) > 100
    found = {file: bad for file, source in sources.items() if (bad := offences(source))}
    worker, api = ROOT / "bench" / "worker", ROOT / "bench" / "api"
    assert found == {
        # what machines of a cluster send, and what is sent to them, dask unpickles anyway (docs/security.md)
        api / "batches.py": ["pickle", "cloudpickle"],
        api / "cluster.py": ["cloudpickle"],
        # it hands the pipe of the events to the pools of a strategy, which it pickles anyway
        worker / "events.py": ["multiprocessing"],
        # it executes the user's modules as their import does, in a namespace that replaces constants
        worker / "redirection.py": ["exec"],
    }


@pytest.mark.long
def test_only_the_imports_of_the_users_code_in_its_worker_load_code_from_a_file() -> None:
    """They are in `bench.api`, so that processes which a strategy starts find the code, too."""
    loaders = {
        file.relative_to(ROOT / "bench").as_posix()
        for file in (ROOT / "bench").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Attribute | ast.alias)
        and (node.attr if isinstance(node, ast.Attribute) else node.name) in LOADING
    }
    assert loaders == {"api/own_strategy.py"}


PLANTED: Final = "hunter2"
TELLTALE = '''
import os
import signal

from bench.api import Fetch, Job


def download_many(job: Job) -> list[Fetch]:
    """Tell everything that is known here."""
    # where the strategy itself is may be told to it
    known = [*(value for name, value in os.environ.items() if name != "FLAGBENCH_STRATEGY"), *os.uname()]
    text = " ".join(value for value in known if {secret!r} in value)
    print(text)
    {ending}
'''


@pytest.mark.long
def test_planted_secret_is_in_no_output(tmp_path: Path) -> None:
    home = tmp_path / f"{PLANTED}-home"
    folder = home / f"{PLANTED}-folder"
    folder.mkdir(parents=True)
    (home / ".netrc").write_text(f"default login x password {PLANTED}", encoding="utf-8")
    endings = {"tells": "raise RuntimeError(text)", "dies": "os.kill(os.getpid(), signal.SIGSEGV)"}
    for name, ending in endings.items():
        text = TELLTALE.format(secret=PLANTED, ending=ending)
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    config = folder / "c.yaml"
    config.write_text(CONFIG.format("sequential, tells.py, dies.py"), encoding="utf-8")
    planted = {
        "AWS_SECRET_ACCESS_KEY": PLANTED,
        "GITHUB_TOKEN": PLANTED,
        "HTTP_PROXY": f"http://x:{PLANTED}@127.0.0.1:9",
        "http_proxy": f"http://x:{PLANTED}@127.0.0.1:9",
        "HOSTNAME": f"{PLANTED}.example",
        "USER": PLANTED,
        "LOGNAME": PLANTED,
        "HOME": str(home),
        "PYTHONPATH": os.pathsep.join([*import_path(), str(folder)]),
        "SSH_AUTH_SOCK": f"/run/{PLANTED}",
        "XDG_CONFIG_HOME": f"/srv/{PLANTED}",
    }
    ended = program(tmp_path, "run", str(config), "--out", "out", environment=planted)
    assert ended.code == 3
    kept = {file.name: file.read_text("utf-8") for file in (tmp_path / "out").rglob("*") if file.is_file()}
    assert kept.keys() >= {"journal.jsonl", "run.json", "table.md"}
    trials = json.loads(kept["run.json"])["trials"]
    assert {trial["outcome"] for trial in trials} == {"ok", "error", "crash"}
    assert any("RuntimeError: ~" in trial["detail"] for trial in trials)
    assert any('at File "dies.py", line' in trial["detail"] for trial in trials)
    for name, text in {**kept, "stdout": ended.stdout, "stderr": ended.stderr}.items():
        private = (PLANTED, str(Path.home()), f'"{socket.gethostname()}"')
        assert [each for each in private if each in text] == [], name


@pytest.mark.long
def test_secrets_of_a_log_are_in_no_output(tmp_path: Path) -> None:
    """Whether `profile-from` can read it or not; tests/unit/test_commands_profile_from.py has more cases."""
    for name in ("nginx pairs", "Apache format", "Envoy", "HAR", "CSV"):
        example = EXAMPLES[name]
        log = tmp_path / "access.log"
        log.write_text(example.content, "utf-8")
        for words in (example.words, ("--format", "nginx", "--column", "path")):
            ended = program(tmp_path, "profile-from", "access.log", "--overwrite", *words)
            assert ended.code == (0 if words == example.words else 2), (name, ended.stderr)
            profile = (tmp_path / "access.profile.csv").read_text("ascii")
            texts = (ended.stdout, ended.stderr, profile)
            assert not [secret for secret in SECRETS for text in texts if secret in text], name
