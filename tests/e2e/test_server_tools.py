"""Test the flag server with curl, wrk and an image library."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from bench.model.cases import Fixed, Profile
from bench.model.countries import POP20
from bench.model.flags import all_flags
from bench.model.served_trials import Opening
from bench.model.server_settings import ServerSettings
from tests.server_process import TestedServer, running_server

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def server() -> Iterator[TestedServer]:
    """Run the server's own process."""
    with running_server(ServerSettings(Profile("local"))) as running:
        yield running


def run(tool: str, *arguments: str | Path) -> bytes:
    """Run a tool and return its output; skip if it is not installed."""
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    return subprocess.run([tool, *arguments], capture_output=True, check=True, timeout=30).stdout


def test_curl_saves_twenty_flags_over_one_connection(server: TestedServer, tmp_path: Path) -> None:
    server.open_trial(Opening("curl", Profile("local"), 0))
    names = [code.lower() for code in POP20]
    urls = [f"{server.round_url('curl', 0)}/flags/{name}/{name}.gif" for name in names]
    run("curl", "-sSf", "--remote-name-all", "--output-dir", tmp_path, *urls)
    saved = {file.stem.upper(): file.read_bytes() for file in tmp_path.iterdir()}
    assert saved == {code: all_flags()[code] for code in POP20}
    observed = server.close_trial("curl")[0].server_round
    assert (observed.requests, observed.connections, observed.max_in_flight) == (20, 1, 1)


@pytest.mark.parametrize("option", ["--http1.0", "--http1.1", "--http2", "--head", "--proxy"])
def test_curl_gets_a_flag_with_every_option(server: TestedServer, option: str) -> None:
    """Old HTTP, an upgrade offer, HEAD, and whole URLs as proxies get them."""
    url = f"{server.base_url}/flags/br/br.gif"
    words = (option, server.base_url, "--noproxy", "") if option == "--proxy" else (option,)
    wanted = "%{response_code} %{size_download}"
    printed = run("curl", "-sS", *words, "-o", "/dev/null", "-w", wanted, url)
    status, size = printed.split()
    assert status == b"200"
    if option != "--head":
        assert int(size) == len(all_flags()["BR"])


def test_curl_reads_metadata_and_404(server: TestedServer) -> None:
    assert json.loads(run("curl", "-sS", f"{server.base_url}/flags/br/metadata.json")) == {
        "country": "Brazil",
        "iso_cc": "BR",
    }
    printed = run("curl", "-sS", "-w", "%{response_code}", f"{server.base_url}/flags/zz/zz.gif")
    assert printed == b"404 Not Found\n404"


def test_server_log_confirms_the_concurrency_of_curl(server: TestedServer) -> None:
    server.open_trial(Opening("parallel", Profile("p", Fixed(0.05)), 0))
    url = f"{server.round_url('parallel', 0)}/flags/br/br.gif"
    run(
        "curl",
        "-sSf",
        "--parallel",
        "--parallel-immediate",
        "--parallel-max",
        "5",
        *(["-o", "/dev/null", url] * 20),
    )
    observed = server.close_trial("parallel")[0].server_round
    assert (observed.requests, observed.max_in_flight) == (20, 5)


def test_wrk_sees_no_error_and_every_request_is_logged(server: TestedServer) -> None:
    """Under load, too, no response is early."""
    server.open_trial(Opening("wrk", Profile("p", Fixed(0.02)), 0))
    printed = run("wrk", "-t1", "-c100", "-d1", f"{server.round_url('wrk', 0)}/flags/br/br.gif").decode()
    records = server.records("wrk")[0]
    observed = server.close_trial("wrk")[0].server_round
    counted = re.search(r"(\d+) requests in", printed)
    assert counted is not None
    assert "Non-2xx" not in printed
    assert "Socket errors" not in printed
    assert 1_000 < int(counted[1]) <= observed.requests <= int(counted[1]) + 100
    assert observed.max_in_flight == observed.connections == 100
    answered = [each for each in records if each.status == 200]
    assert all(each.start_s >= each.arrival_s + each.delay_s for each in answered)


def test_downloaded_flag_opens_in_an_image_library(server: TestedServer) -> None:
    downloaded = run("curl", "-sSf", f"{server.base_url}/flags/br/br.gif")
    with Image.open(BytesIO(downloaded)) as image:
        image.load()
        assert image.format == "GIF"
        assert image.width > image.height > 10
