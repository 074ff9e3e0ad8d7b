"""Meet every fault with every client, blocking and asynchronous: the planned class, and one request each."""

import gc
import os
import ssl
import subprocess
import sys
import warnings
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from string import ascii_uppercase

import pytest
import trustme

from bench.api import ClientSettings, Fetch, Job
from bench.api.outcomes import FetchOutcome
from bench.model.faults import KINDS
from tests.client_imports import importable_clients
from tests.fault_server import HTTP1_KINDS, fault_server
from tests.fault_server_http2 import HTTP2_KINDS, serve_http2
from tests.fetching import fetch_in_turn

pytestmark = pytest.mark.e2e

TIMED = {"stall", "drip", "slow_headers"}
ENDLESS = {"oversized", "gzip_bomb"}
UNSEEN: Mapping[str, FetchOutcome] = {"wrong_content": "ok"}
"""What no client can know; the worker tells by the checksum."""
CLIENTS = importable_clients()
FACES = [(name, face) for name, client in CLIENTS.items() for face in sorted(client.faces)]


@dataclass(frozen=True)
class Way:
    """How a client and a server talk to each other."""

    client: str
    face: str
    protocol: str

    @property
    def kinds(self) -> frozenset[str]:
        """The faults that there are on this way."""
        return HTTP2_KINDS if self.protocol == "h2" else HTTP1_KINDS

    def outcome(self, kind: str) -> FetchOutcome:
        """Return the class in which a fetch must end that meets a fault."""
        deviations = {} if self.protocol == "h2" else CLIENTS[self.client].deviations
        return deviations.get(kind) or UNSEEN.get(kind) or KINDS[kind].outcome


SPOKEN = {"http": frozenset[str](), "tls": frozenset({"tls"}), "h2": frozenset({"tls", "http2"})}
WAYS = [
    Way(name, face, protocol)
    for name, face in FACES
    for protocol, needed in SPOKEN.items()
    if needed <= CLIENTS[name].speaks
]


def name_of(way: Way) -> str:
    """Name a way for people."""
    return f"{way.client}-{way.face}-{way.protocol}"


every_way = pytest.mark.parametrize("way", WAYS, ids=name_of)
every_plain_way = pytest.mark.parametrize("way", [way for way in WAYS if way.protocol != "tls"], ids=name_of)
every_client = pytest.mark.parametrize(("client", "face"), FACES)
every_tls_client = pytest.mark.parametrize(
    ("client", "face"), [(name, face) for name, face in FACES if "tls" in CLIENTS[name].speaks]
)


@cache
def authority() -> trustme.CA:
    """Return a certificate authority that our clients trust."""
    return trustme.CA()


def serving_as(certificate: trustme.LeafCert, protocol: str = "http/1.1") -> ssl.SSLContext:
    """Return a server's context with a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    context.set_alpn_protocols([protocol])
    return context


def download(job: Job, face: str) -> list[Fetch]:
    """Download in turn."""
    if face == "sync" or job.authority is None:
        return fetch_in_turn(job, face)
    with warnings.catch_warnings():
        # the loop ends before encrypted connections have said goodbye
        warnings.simplefilter("ignore", ResourceWarning)
        fetches = fetch_in_turn(job, face)
        gc.collect()
    return fetches


def meet(way: Way, kinds: list[str], folder: Path, timeout_s: float) -> None:
    """Have a client meet faults, with good answers in between; hold it to the classes and the hits."""
    codes = [f"X{letter}" for letter in ascii_uppercase] + [f"Y{letter}" for letter in ascii_uppercase]
    faults = dict(zip(codes, kinds, strict=False))
    context = converse = trusted = None
    if way.protocol != "http":
        protocol = "h2" if way.protocol == "h2" else "http/1.1"
        context = serving_as(authority().issue_cert("127.0.0.1"), protocol)
        converse = serve_http2 if way.protocol == "h2" else None
        trusted = folder / "authority.pem"
        authority().cert_pem.write_to_path(str(trusted))
    asked = [country for code in faults for country in ("BR", code)] + ["BR"]
    with fault_server(faults, context, converse) as server:
        job = Job(
            tuple(asked),
            2,
            server.base_url,
            folder,
            way.client,
            request_timeout_s=timeout_s,
            authority=None if trusted is None else str(trusted),
            http2=way.protocol == "h2",
        )
        fetches = download(job, way.face)
    wanted = [way.outcome(faults[country]) if country in faults else "ok" for country in asked]
    seen = [(faults.get(fetch.country, "none"), fetch.outcome, fetch.detail) for fetch in fetches]
    assert [outcome for _, outcome, _ in seen] == wanted, [
        each for each, outcome in zip(seen, wanted, strict=True) if each[1] != outcome
    ]
    assert server.hits == Counter(asked)


@pytest.mark.long
@every_way
def test_each_fault_ends_in_its_class(way: Way, tmp_path: Path) -> None:
    """Or in the class that the client's file declares; no request is repeated."""
    meet(way, sorted(way.kinds - TIMED - ENDLESS), tmp_path, timeout_s=10.0)


@every_plain_way
def test_slow_responses_end_in_timeout_and_free_their_connections(way: Way, tmp_path: Path) -> None:
    meet(way, sorted(way.kinds & TIMED), tmp_path, timeout_s=0.2)


@pytest.mark.parametrize("way", [way for way in WAYS if way.protocol == "h2"], ids=name_of)
def test_too_large_body_is_not_read_to_its_end(way: Way, tmp_path: Path) -> None:
    meet(way, sorted(way.kinds & ENDLESS), tmp_path, timeout_s=30.0)


@every_tls_client
@pytest.mark.parametrize("fault", ["expired", "wrong_host", "unknown_authority"])
def test_bad_certificates_end_in_tls_and_the_right_one_is_trusted(
    client: str, face: str, fault: str, tmp_path: Path
) -> None:
    then = datetime(2020, 1, 1, tzinfo=UTC)
    issue = {
        "expired": partial(authority().issue_cert, "127.0.0.1", not_before=then, not_after=then),
        "wrong_host": partial(authority().issue_cert, "127.0.0.2"),
        "unknown_authority": partial(trustme.CA().issue_cert, "127.0.0.1"),
    }
    pem = tmp_path / "authority.pem"
    authority().cert_pem.write_to_path(str(pem))
    job = Job(("BR", "CN"), 2, "", tmp_path, client, request_timeout_s=10.0, authority=str(pem))
    for certificate, outcome, hits in (
        (issue[fault](), "tls", 0),
        (authority().issue_cert("127.0.0.1"), "ok", 2),
    ):
        with fault_server({}, serving_as(certificate)) as server:
            fetches = download(job._replace(base_url=server.base_url), face)
        assert [fetch.outcome for fetch in fetches] == [outcome] * 2, fetches
        assert server.hits.total() == hits


@every_tls_client
def test_system_certificates_are_not_loaded(
    client: str, face: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loading them takes some libraries 20 ms per connection."""
    pem = tmp_path / "authority.pem"
    authority().cert_pem.write_to_path(str(pem))
    contexts = []

    def remembered(settings: ClientSettings) -> ssl.SSLContext | None:
        contexts.append(as_it_is(settings))
        return contexts[-1]

    as_it_is = ClientSettings.tls_context
    monkeypatch.setattr(ClientSettings, "tls_context", remembered)
    loaded: list[object] = []
    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", lambda *words: loaded.append(words))
    with fault_server({}, serving_as(authority().issue_cert("127.0.0.1"))) as server:
        job = Job(("BR",), 1, server.base_url, tmp_path, client, request_timeout_s=10.0, authority=str(pem))
        assert [fetch.outcome for fetch in download(job, face)] == ["ok"]
    assert not loaded
    # a library with a TLS of its own reads the file instead
    wanted = [] if "settings.authority" in CLIENTS[client].file.read_text("utf-8") else [1]
    assert [context and context.cert_store_stats()["x509"] for context in contexts] == wanted


TRUSTED_BY_SYSTEM = """
import sys
from pathlib import Path
from bench.api import Job
from tests.fetching import fetch_in_turn
name, face, base_url, folder, authority = sys.argv[1:]
job = Job(("BR",), 1, base_url, Path(folder), name, request_timeout_s=10.0, authority=authority)
print(*(fetch.outcome for fetch in fetch_in_turn(job, face)))
"""


@every_tls_client
def test_authorities_of_the_system_are_not_trusted(client: str, face: str, tmp_path: Path) -> None:
    """They are named by variables that OpenSSL, rustls, curl and requests obey."""
    system = trustme.CA()
    pem, system_pem = tmp_path / "authority.pem", tmp_path / "system.pem"
    authority().cert_pem.write_to_path(str(pem))
    system.cert_pem.write_to_path(str(system_pem))
    names = ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE")
    with fault_server({}, serving_as(system.issue_cert("127.0.0.1"))) as server:
        command = [sys.executable, "-W", "ignore", "-c", TRUSTED_BY_SYSTEM, client, face]
        ended = subprocess.run(
            [*command, server.base_url, str(tmp_path), str(pem)],
            env={**os.environ, **dict.fromkeys(names, str(system_pem))},
            capture_output=True,
            check=False,
            text=True,
            timeout=60,
        )
    assert (ended.stdout, server.hits.total()) == ("tls\n", 0), ended.stderr


PEAK = """
import resource, sys
from pathlib import Path
from bench.api import Job
from tests.fetching import fetch_in_turn
name, face, base_url, folder = sys.argv[1:]
job = Job(("BR",), 1, base_url, Path(folder), name, request_timeout_s=30.0)
assert fetch_in_turn(job, face)[0].outcome == "ok"
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for country in ("XA", "XB"):
    assert fetch_in_turn(job._replace(countries=(country,)), face)[0].outcome == "too_large"
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@every_client
def test_gibibyte_body_grows_memory_by_less_than_32_mib(client: str, face: str, tmp_path: Path) -> None:
    """Compressed or not."""
    with fault_server({"XA": "oversized", "XB": "gzip_bomb"}) as server:
        command = [sys.executable, "-c", PEAK, client, face, server.base_url, str(tmp_path)]
        ended = subprocess.run(command, capture_output=True, check=False, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) < 32 * 1024


@pytest.mark.slow
@pytest.mark.parametrize(
    ("way", "kind"),
    [pytest.param(way, kind, id=f"{name_of(way)}-{kind}") for way in WAYS for kind in sorted(way.kinds)],
)
def test_class_of_a_fault_is_the_same_every_time(way: Way, kind: str, tmp_path: Path) -> None:
    """Fifty times; two hundred times where a client deviates."""
    takes_long = kind in TIMED | ENDLESS or (way.protocol, kind) == ("h2", "huge_header")
    deviates = way.outcome(kind) != KINDS[kind].outcome
    for _ in range(4 if deviates else 1):
        timeout_s = 0.2 if kind in TIMED else 30.0
        meet(way, [kind] * (8 if takes_long else 50), tmp_path, timeout_s)
