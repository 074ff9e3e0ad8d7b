"""The flag server sends bodies of the sizes of a profile, in bounded memory."""

import subprocess
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit
from zlib import crc32

import pytest

from bench.model.body_sizes import LARGEST_BODY, FixedSize, LogNormalSize
from bench.model.cases import Fault, Profile
from bench.model.countries import COUNTRIES
from bench.model.flags import all_flags
from bench.model.planned_bodies import bodies_of, make_body, make_wrong_body
from bench.model.served_trials import Opening
from bench.model.server_settings import ServerSettings
from bench.server.routes import RoutesOfProfiles
from tests.http2_client import client_of, flag_path
from tests.server_process import TestedServer, control, server_process
from tests.threaded_server import threaded_server

LARGE = Profile("large", sizes=FixedSize(LARGEST_BODY))
TAIL = Profile("tail", sizes=LogNormalSize(20 << 10, 1 << 20))
SEED = 7


def fetch(base_url: str, country: str) -> bytes:
    """Return the body of a country."""
    address, code = urlsplit(base_url), country.lower()
    connection = HTTPConnection(address.netloc, timeout=30)
    try:
        connection.request("GET", f"{address.path}/flags/{code}/{code}.gif")
        response = connection.getresponse()
        body = response.read()
        assert response.headers["Content-Length"] == str(len(body))
        return body
    finally:
        connection.close()


def test_bodies_of_open_trials_have_the_sizes_of_their_profiles() -> None:
    with server_process() as process:
        server = control(process)
        server.start(ServerSettings(Profile("local"), seed=SEED))
        profiles = {
            "plain": Profile("local"),
            "small": Profile("small", sizes=FixedSize(1_000)),
            "tail": TAIL,
            "large": LARGE,
        }
        for name, profile in profiles.items():
            server.open_trial(Opening(name, profile, 0))
        for _ in range(2):  # the same in each round
            for number, (name, profile) in enumerate(profiles.items()):
                served = bodies_of(profile, SEED, all_flags())
                for country in ("BR", "CN"):
                    assert fetch(server.round_url(name, number), country) == served[country]
        assert fetch(server.base_url, "BR") == all_flags()["BR"]


def test_requests_outside_trials_get_the_bodies_of_the_settings() -> None:
    with server_process() as process:
        server = control(process)
        server.start(ServerSettings(TAIL, seed=SEED))
        assert fetch(server.base_url, "IN") == bodies_of(TAIL, SEED, all_flags())["IN"]


def test_largest_body_arrives_whole_over_http2() -> None:
    profile = Profile("p", tls=True, http2=True, sizes=FixedSize(LARGEST_BODY))
    with threaded_server(profile) as server, client_of(server) as client:
        answers = [client.answers[client.ask(flag_path(country))] for country in ("BR", "CN")]
        client.until(lambda: all(each.is_over for each in answers))
    assert [crc32(each.body) for each in answers] == [
        crc32(make_body(country, LARGEST_BODY)) for country in ("BR", "CN")
    ]


@pytest.mark.parametrize("http2", [False, True])
def test_wrong_content_has_the_right_size(http2: bool) -> None:  # noqa: FBT001  a parameter of the test
    profile = Profile(
        "p", faults=(Fault("wrong_content", 1.0),), tls=http2, http2=http2, sizes=FixedSize(200_000)
    )
    with threaded_server(profile) as server:
        if http2:
            with client_of(server) as client:
                body = bytes(client.get(flag_path("BR")).body)
        else:
            body = fetch(f"http://{server.address[0]}:{server.address[1]}", "BR")
    assert body == make_wrong_body("BR", 200_000)


def test_twenty_of_the_largest_bodies_at_once_take_little_memory() -> None:
    """The server holds one buffer for all of them, and the slices that the kernel has not taken."""
    countries = sorted(COUNTRIES)[:20]
    with server_process() as process:
        server = control(process)
        server.start(ServerSettings(Profile("local"), seed=SEED))
        server.open_trial(Opening("large", LARGE, 0))
        url = server.round_url("large", 0)
        with ThreadPoolExecutor(20) as pool:
            sums = [*pool.map(lambda country: crc32(fetch(url, country)), countries)]
        assert sums == [crc32(make_body(country, LARGEST_BODY)) for country in countries]
        assert peak_bytes(process) < 10 * LARGEST_BODY
        rounds = finish(server)
    assert rounds == 20


def finish(server: TestedServer) -> int:
    """Close the trial, and return its answered requests."""
    return server.close_trial("large")[0].answered


def peak_bytes(process: subprocess.Popen[bytes]) -> int:
    """Return the most memory that a process has had."""
    status = Path(f"/proc/{process.pid}/status").read_text("ascii")
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) << 10


def test_resources_of_a_profile_are_built_once() -> None:
    routes = RoutesOfProfiles(all_flags(), SEED)
    assert routes.find(TAIL) is routes.find(Profile("other", sizes=TAIL.sizes))
    assert routes.find(TAIL) is not routes.find(LARGE)
    assert set(routes.find(LARGE).flag_sizes.values()) == {LARGEST_BODY}
