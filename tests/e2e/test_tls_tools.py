"""Test encrypted listeners with curl, nghttp, h2load and httpx."""

import json
import re
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from bench.model.cases import Fault, Fixed, Profile
from bench.model.flags import all_flags
from bench.model.served_trials import Opening
from bench.model.server_settings import ServerSettings
from bench.server.request_log import UNANSWERED
from tests.server_process import TestedServer, running_server, server_environment

pytestmark = pytest.mark.e2e

BR = all_flags()["BR"]
FLAG = "/flags/br/br.gif"
HTTP2 = Profile("http2", tls=True, http2=True)
TIME_OUT_S = 10.0
_FAILED = frozenset({16, 18, 52, 56, 92})
"""Exit codes of curl versions for invalid HTTP/2, or a response that ends too early."""
_TIMED_OUT = frozenset({28})


def needs(tool: str) -> pytest.MarkDecorator:
    """Skip if a tool is not installed."""
    return pytest.mark.skipif(shutil.which(tool) is None, reason=f"{tool} is not installed")


def meeting(kind: str) -> Profile:
    """Return a profile whose fetches all meet a fault."""
    return Profile(kind, faults=(Fault(kind, 1.0),), tls=True, http2=True)


@pytest.fixture(scope="module")
def server() -> Iterator[TestedServer]:
    """Run the server's own process."""
    with running_server(ServerSettings(Profile("local"))) as running:
        yield running


@contextmanager
def serving(*options: str) -> Iterator[tuple[str, str]]:
    """Run ``serve``, and yield its address and the command that it proposes."""
    command = [sys.executable, "-m", "bench", "serve", "--port", "0", *options]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=server_environment()) as process:
        timer = threading.Timer(30, process.kill)
        timer.start()
        try:
            assert process.stderr is not None
            line = process.stderr.readline()
            found = re.search(r"at (https?://\S+) until Ctrl-C; try (.*)", line)
            assert found, line
            yield found[1], found[2]
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(TIME_OUT_S)
            timer.cancel()
    assert process.returncode == 0


def wait_for(is_so: Callable[[], bool]) -> None:
    """Wait until a condition that depends on the server holds."""
    deadline_s = time.monotonic() + TIME_OUT_S
    while not is_so():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


@needs("curl")
@pytest.mark.parametrize(("options", "version"), [(["--tls"], "1.1"), (["--tls", "--http2"], "2")])
def test_command_proposed_by_serve_works(tmp_path: Path, options: list[str], version: str) -> None:
    """The certificate's temporary file is removed with the server."""
    with serving(*options) as (url, proposed):
        assert url.startswith("https://127.0.0.1:")
        words = proposed.split()
        authority = Path(words[words.index("--cacert") + 1])
        assert authority.read_text().startswith("-----BEGIN CERTIFICATE-----")
        printed = subprocess.run(
            [*words, "-sS", "-w", "%{http_version}"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
        assert printed.stdout == version
    assert (tmp_path / "br.gif").read_bytes() == BR
    assert not authority.exists()


@needs("curl")
def test_serve_writes_the_authority_to_the_given_file(tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    with serving("--tls", "--authority", str(authority)) as (url, proposed):
        assert str(authority) in proposed
        distrusting = subprocess.run(
            ["curl", "-sS", url + FLAG], capture_output=True, timeout=30, check=False
        )
        assert distrusting.returncode == 60  # CURLE_PEER_FAILED_VERIFICATION
    assert "PRIVATE" not in authority.read_text()


@needs("curl")
@pytest.mark.parametrize(("options", "latencies"), [([], 1), (["--tls"], 2), (["--tls", "--http2"], 2)])
def test_serve_delays_connections(tmp_path: Path, options: list[str], latencies: int) -> None:
    """By its own log, and by the clock of curl."""
    log, authority = tmp_path / "log.jsonl", tmp_path / "ca.pem"
    trusted = ["--authority", str(authority)] if options else []
    with serving("--connect-latency", "100ms", "--log", str(log), *trusted, *options) as (url, _):
        words = ["--cacert", str(authority)] if options else []
        printed = subprocess.run(
            ["curl", "-sS", *words, "-o", "/dev/null", "-w", "%{time_starttransfer}", url + FLAG],
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
    assert float(printed.stdout) >= latencies * 0.1
    (line,) = log.read_text("utf-8").splitlines()
    record = json.loads(line)
    assert record["arrival_s"] - record["accepted_s"] >= latencies * 0.1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--http2"], "--http2 needs --tls"),
        (["--authority", "x.pem"], "--authority needs --tls"),
        (["--connect-latency", "20"], "--connect-latency: must be a duration such as 50ms"),
        (["--tls", "--authority", "no/such/folder/x.pem"], "the authority cannot be written"),
    ],
)
def test_serve_refuses_contradicting_options(options: list[str], said: str) -> None:
    command = [sys.executable, "-m", "bench", "serve", "--port", "0", *options]
    ended = subprocess.run(
        command, capture_output=True, text=True, env=server_environment(), timeout=30, check=False
    )
    assert ended.returncode in {2, 4}
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


@needs("nghttp")
def test_nghttp_gets_many_flags_at_once_over_one_connection(server: TestedServer, tmp_path: Path) -> None:
    opened = server.open_trial(Opening("ng", Profile("p", Fixed(0.3), tls=True, http2=True), 0))
    codes = [code.lower() for code in all_flags()][:50]
    urls = [f"{opened.url}.0/flags/{code}/{code}.gif" for code in codes]
    ended = subprocess.run(["nghttp", *urls], cwd=tmp_path, capture_output=True, timeout=30, check=True)
    assert len(ended.stdout) == sum(len(all_flags()[code.upper()]) for code in codes)
    observed = server.close_trial("ng")[0].server_round
    assert (observed.requests, observed.connections, observed.max_in_flight) == (50, 1, 50)


@needs("h2load")
def test_h2load_sees_no_failed_request(server: TestedServer) -> None:
    opened = server.open_trial(Opening("load", HTTP2, 0))
    ended = subprocess.run(
        ["h2load", "-n", "400", "-c", "4", "-m", "50", f"{opened.url}.0{FLAG}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "400 succeeded, 0 failed, 0 errored, 0 timeout" in ended.stdout
    observed = server.close_trial("load")[0].server_round
    assert (observed.requests, observed.connections) == (400, 4)


@needs("curl")
@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("reset_before_headers", _FAILED),
        ("reset_mid_body", _FAILED),
        ("goaway", _FAILED),
        ("short_body", _FAILED),
        ("bad_length", _FAILED),
        ("duplicate_length", _FAILED),
        ("huge_header", _FAILED),
        ("surplus_bytes", _FAILED),
        ("stall", _TIMED_OUT),
        ("slow_headers", _TIMED_OUT),
        ("drip", _TIMED_OUT),
        ("slicer", frozenset({0})),
    ],
)
def test_curl_meets_each_fault_without_a_retry(
    server: TestedServer, tmp_path: Path, kind: str, expected: frozenset[int]
) -> None:
    opened = server.open_trial(Opening(f"c-{kind}", meeting(kind), 0))
    authority = tmp_path / "ca.pem"
    authority.write_text(opened.authority)
    ended = subprocess.run(
        ["curl", "-sS", "-m", "0.4", "--cacert", authority, "-o", tmp_path / "x", f"{opened.url}.0{FLAG}"],
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode in expected
    wait_for(lambda: len(server.records(f"c-{kind}").get(0, [])) == 1)
    (record,) = server.records(f"c-{kind}")[0]
    assert record.fault == kind
    server.close_trial(f"c-{kind}")


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("reset_before_headers", "StreamReset"),
        ("reset_mid_body", "StreamReset"),
        ("goaway", "ConnectionTerminated"),
        ("short_body", "InvalidBodyLengthError"),
        ("surplus_bytes", "InvalidBodyLengthError"),
        ("bad_length", "Invalid content-length"),
        ("duplicate_length", "Conflicting content-length"),
        ("huge_header", "Oversized header block"),
    ],
)
def test_httpx_meets_each_fault_without_a_retry(server: TestedServer, kind: str, error: str) -> None:
    """Its pool resends streams that a server has not seen, and no fault says so."""
    opened = server.open_trial(Opening(f"x-{kind}", meeting(kind), 0))
    context = ssl.create_default_context(cadata=opened.authority)
    with (
        httpx.Client(http1=False, http2=True, verify=context, trust_env=False) as client,
        pytest.raises(Exception, match=error),
    ):
        client.get(f"{opened.url}.0{FLAG}")
    wait_for(lambda: len(server.records(f"x-{kind}").get(0, [])) == 1)
    (record,) = server.records(f"x-{kind}")[0]
    assert record.fault == kind
    cut = {"reset_before_headers", "reset_mid_body", "goaway", "short_body"}
    assert record.status == (UNANSWERED if kind in cut else 200)
    server.close_trial(f"x-{kind}")


@pytest.mark.parametrize("kind", ["tls_expired", "tls_wrong_host", "tls_unknown_authority"])
def test_fetch_that_meets_a_bad_certificate_is_one_connection(server: TestedServer, kind: str) -> None:
    opened = server.open_trial(Opening(f"h-{kind}", meeting(kind), 0))
    context = ssl.create_default_context(cadata=opened.authority)
    with httpx.Client(http1=False, http2=True, verify=context, trust_env=False) as client:
        for _ in range(3):
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                client.get(f"{opened.url}.0{FLAG}")
    wait_for(lambda: server.handshakes(f"h-{kind}").failed == 3)
    assert server.handshakes(f"h-{kind}").begun == 3
    assert server.close_trial(f"h-{kind}") == {}


@pytest.mark.long
def test_run_with_refused_connections_is_valid(tmp_path: Path) -> None:
    config = tmp_path / "refused.yaml"
    config.write_text(
        "strategies: [sequential]\nclients: [urllib3]\ncountries: [BR, CN]\nblocks: 1\nrounds: 1\n"
        "profile: {faults: refused}\n"
    )
    ended = subprocess.run(
        [sys.executable, "-m", "bench", "run", config, "--out", tmp_path / "out", "--quiet", "--json"],
        capture_output=True,
        text=True,
        env=server_environment(),
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert '"refused": 2' in ended.stdout
