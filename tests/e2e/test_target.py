"""A server of the user's, nginx, is measured in place of the flag server."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests import runs
from tests.nginx import FILES, LoggedRequest, Nginx, own_address, running_nginx

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    """Run nginx on a loopback address."""
    with running_nginx(tmp_path_factory.mktemp("nginx")) as running:
        yield running


def config(folder: Path, target: object, strategies: list[str], **changes: object) -> Path:
    """Write a config of a target."""
    own = {"clients": ["urllib3", "aiohttp"], "workers": 2, "blocks": 1, "countries": None, "profile": None}
    return runs.config(folder, strategies, **{**own, "target": target, **changes})


def bench(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bench", *map(str, words)],
        cwd=runs.ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.long
def test_files_with_checksums_are_verified_and_nothing_is_invented(nginx: Nginx, tmp_path: Path) -> None:
    """Threads, an event loop and processes download every file, whatever its name; nginx's log agrees."""
    sums = nginx.write_sums(tmp_path / "sums.txt")
    strategies = ["sequential", "threadpool_map", "asyncio_gather", "processpool_map"]
    path = config(tmp_path, {"url": nginx.url, "manifest": sums.name, "repeat": 2}, strategies)
    before = len(nginx.requests())
    ended = runs.run(path)
    assert ended.returncode == 0, ended.stderr
    assert runs.outcomes(path) == {name: ["ok"] for name in strategies}
    document = runs.document(path)
    for trial in document["trials"]:
        for measured in (trial["warm_up"], *trial["rounds"]):
            assert (measured["fetches"], measured["verified"]) == ({"ok": 8}, 8)
            logged = ("ideal_s", "server", "server_busy", "phases", "gap")
            assert [measured[name] for name in logged] == [None] * len(logged)
    asked = Counter(unquote(each.path) for each in nginx.requests()[before:])
    calls = sum(1 + len(trial["rounds"]) for trial in document["trials"])
    assert asked == {f"/files/{name}": 1 + 2 * calls for name in FILES}
    assert document["config"]["target"]["url"] == nginx.url
    assert document["config"]["target"]["compared_by"] == "content"
    for words in (["show"], ["show", "--full"], ["show", "--format", "markdown"], ["export", "--to", "csv"]):
        shown = bench(words[0], tmp_path / "run", *words[1:])
        assert shown.returncode == 0, shown.stderr
        if words[0] == "show":
            assert "no planned delays and no log" in " ".join(shown.stdout.split())
            for heading in (
                "of ideal",
                "held back by",
                "in flight ",
                "limit ",
                "conns",
                "reused",
                "late p50",
            ):
                assert heading not in shown.stdout.partition("Measured against")[0]
    page = bench("report", tmp_path / "run", "-o", tmp_path / "page.html")
    assert page.returncode == 0, page.stderr
    text = (tmp_path / "page.html").read_text("utf-8")
    assert "no planned delays and no log" in text
    assert "Where the time goes" not in text
    assert "the ideal by the times" not in text


@pytest.mark.long
def test_files_without_checksums_are_compared_by_size_and_said_to_be(nginx: Nginx, tmp_path: Path) -> None:
    target = {"url": nginx.url, "files": ["a.bin", "sub/d.bin"]}
    path = config(tmp_path, target, ["asyncio_gather"])
    ended = runs.run(path)
    assert runs.outcomes(path) == {"asyncio_gather": ["ok"]}, ended.stderr
    assert "not verified by content" in " ".join(ended.stdout.split())
    (trial,) = runs.document(path)["trials"]
    assert [each["verified"] for each in trial["rounds"]] == [0] * len(trial["rounds"])


@pytest.mark.long
def test_countries_are_asked_for_as_the_flag_server_has_them(nginx: Nginx, tmp_path: Path) -> None:
    for code in ("br", "cn"):
        file = nginx.files / "flags" / code / f"{code}.gif"
        file.parent.mkdir(parents=True)
        file.write_bytes(b"GIF89a" + code.encode())
    script = tmp_path / "mine.py"
    script.write_text(
        '"""A function of country codes."""\n'
        "from urllib.request import urlopen\n\n\n"
        "def download_many(cc_list, base_url):\n"
        "    for code in cc_list:\n"
        "        name = code.lower()\n"
        "        with urlopen(f'{base_url}/{name}/{name}.gif') as answer:\n"
        "            with open(f'{name}.gif', 'wb') as file:\n"
        "                file.write(answer.read())\n"
    )
    path = config(tmp_path, nginx.url, ["threadpool_map", "mine.py"], countries=["BR", "CN"])
    ended = runs.run(path)
    assert runs.outcomes(path) == {"threadpool_map": ["ok"], "mine": ["ok"]}, ended.stdout


@pytest.mark.long
def test_file_that_changes_during_the_run_is_found(nginx: Nginx, tmp_path: Path) -> None:
    """By content with checksums; without them a new size is found, and new content is not."""
    script = tmp_path / "changing.py"
    script.write_text(
        '"""Replaces a file at the server."""\n'
        "from pathlib import Path\n\n\n"
        "def download_many(job):\n"
        f"    Path({str(nginx.files / 'changing.bin')!r}).write_bytes(CONTENT)\n"
        "    with job.client() as download_one:\n"
        "        return [download_one(code) for code in job.countries]\n"
    )
    source = script.read_text()
    served = nginx.files / "changing.bin"
    digest = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"  # of foo
    (tmp_path / "sums.txt").write_text(f"{digest}  changing.bin\n")
    for name, target, content, outcome in (
        ("content", {"manifest": "sums.txt"}, b"bar", "corrupt"),
        ("size", {"files": "changing.bin"}, b"foobar", "corrupt"),
        ("same_size", {"files": "changing.bin"}, b"bar", "ok"),
    ):
        served.write_bytes(b"foo")
        script.write_text(source.replace("CONTENT", repr(content)))
        folder = tmp_path / name
        folder.mkdir()
        for file in ("changing.py", "sums.txt"):
            (folder / file).write_bytes((tmp_path / file).read_bytes())
        path = config(folder, {"url": nginx.url, **target}, ["changing.py"], clients=["urllib3"])
        runs.run(path)
        assert runs.outcomes(path) == {"changing": [outcome]}


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ({"files": "missing.bin"}, "missing.bin is answered with status 404"),
        ({"files": "../moved/x"}, "target.files: must be a path below the address"),
        ({"manifest": "sums.txt"}, "has the SHA-256 "),
    ],
)
def test_target_that_is_not_as_said_ends_the_run_at_once(
    nginx: Nginx, tmp_path: Path, target: dict[str, str], message: str
) -> None:
    (tmp_path / "sums.txt").write_text(f"{64 * '0'}  a.bin\n")
    ended = runs.run(config(tmp_path, {"url": nginx.url, **target}, ["sequential"]))
    assert ended.returncode in {2, 4}
    assert message in ended.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.long
def test_redirects_are_not_followed_and_an_absent_server_is_named(nginx: Nginx, tmp_path: Path) -> None:
    moved = nginx.url.replace("/files", "/moved")
    ended = runs.run(config(tmp_path, {"url": moved, "files": "a.bin"}, ["sequential"]))
    assert ended.returncode == 4
    assert "status 302; redirects are not followed" in ended.stderr
    ended = runs.run(config(tmp_path, {"url": "http://127.0.0.1:9", "files": "a.bin"}, ["sequential"]))
    assert ended.returncode == 4
    assert "http://127.0.0.1:9/a.bin cannot be downloaded" in ended.stderr


@pytest.mark.long
def test_encrypted_target_is_measured_with_its_authority_only(tmp_path: Path) -> None:
    folder = tmp_path / "nginx"
    folder.mkdir()
    with running_nginx(folder, encrypted=True) as nginx:
        target = {"url": nginx.url, "manifest": str(nginx.write_sums(tmp_path / "sums.txt"))}
        refused = runs.run(config(tmp_path, target, ["sequential"]))
        assert refused.returncode == 4
        assert "CERTIFICATE_VERIFY_FAILED" in refused.stderr
        trusting = {**target, "authority": str(folder / "server.pem")}
        clients = ["urllib3", "requests", "httpx", "aiohttp"]
        path = config(tmp_path, trusting, ["threadpool_map", "asyncio_gather"], clients=clients)
        ended = runs.run(path)
        trials = runs.document(path)["trials"]
        assert [trial["outcome"] for trial in trials] == ["ok"] * 5, ended.stdout


@pytest.mark.long
def test_runs_of_a_target_and_of_the_flag_server_are_not_compared(nginx: Nginx, tmp_path: Path) -> None:
    for name in ("target", "flags"):
        (tmp_path / name).mkdir()
    target = config(tmp_path / "target", {"url": nginx.url, "files": "a.bin"}, ["sequential"])
    flags = runs.config(tmp_path / "flags", ["sequential"], blocks=1)
    runs.run(target)
    runs.run(flags)
    compared = bench("compare", target.parent / "run", flags.parent / "run")
    assert compared.returncode == 9
    assert "they were measured against different servers" in compared.stderr + compared.stdout


@pytest.mark.long
@pytest.mark.alone  # a comparison goes on until it can tell, which takes minutes beside others
def test_two_trees_are_compared_against_a_target(nginx: Nginx, tmp_path: Path) -> None:
    """Both variants are this checkout, so that nothing can be found."""
    path = config(tmp_path, {"url": nginx.url, "files": ["a.bin"]}, ["sequential"], clients=["urllib3"])
    words = ["--budget", "60s", "--metrics", "elapsed", "--threshold", "50%", "--out", str(tmp_path / "run")]
    ended = bench("ab", "path=.", "path=.", path, *words, "--quiet")
    assert ended.returncode in {0, 8}, ended.stderr
    assert {trial["outcome"] for trial in runs.document(path)["trials"]} == {"ok"}
    assert "no planned delays and no log" in " ".join(ended.stdout.split())


def test_noise_of_a_target_is_not_that_of_the_machine(nginx: Nginx, tmp_path: Path) -> None:
    path = config(tmp_path, {"url": nginx.url, "files": ["a.bin"]}, ["sequential"], blocks=30)
    ended = bench("noise", path, "--out", tmp_path / "run")
    assert ended.returncode == 2
    assert "the noise of this machine cannot be measured with http://127.0.0.1" in ended.stderr


@pytest.mark.long
def test_rate_holds_for_threads_event_loops_and_processes(nginx: Nginx, tmp_path: Path) -> None:
    """By nginx's own log, over the first downloads, the warm-ups and all trials."""
    rate = 40.0
    loops = ["asyncio_gather", "anyio_taskgroup+trio", "gevent_spawn"]
    strategies = ["threadpool_map", "processpool_map", *loops]
    target = {"url": nginx.url, "files": ["a.bin"], "repeat": 12, "rate": f"{rate:g}/s"}
    path = config(tmp_path, target, strategies, workers=8, clients=["httpx"])
    before = len(nginx.requests())
    ended = runs.run(path)
    assert runs.outcomes(path) == {name: ["ok"] for name in strategies}, ended.stderr
    requests = nginx.requests()[before:]
    assert len(requests) == 1 + 12 * sum(1 + len(each["rounds"]) for each in runs.document(path)["trials"])
    assert_rate(requests, rate)
    assert "No more than 40 requests were started per second" in " ".join(ended.stdout.split())


def assert_rate(requests: list[LoggedRequest], rate: float) -> None:
    """Check every span of time; a request may end late by a fifth of a second on a busy machine."""
    times_s = [each.at_s for each in requests]
    for first in range(len(times_s)):
        for last in range(first, len(times_s)):
            assert last - first <= (times_s[last] - times_s[first] + 0.2) * rate + 1


@pytest.mark.long
def test_remote_target_needs_a_rate_and_permission(tmp_path: Path) -> None:
    """An address of this machine's own network interface counts as remote: others can reach it."""
    address = own_address()
    folder = tmp_path / "nginx"
    folder.mkdir()
    with running_nginx(folder, address) as nginx:
        target = {"url": nginx.url, "files": ["a.bin"]}
        without_rate = config(tmp_path, target, ["sequential"])
        refused = bench("run", without_rate, "--allow-remote")
        assert refused.returncode == 2
        assert "has no rate; limit the load with `rate: 50/s`" in refused.stderr
        path = config(tmp_path, {**target, "rate": "100/s"}, ["sequential"], clients=["urllib3"])
        refused = bench("run", path)
        assert refused.returncode == 2
        assert f"{address} is no loopback address; give --allow-remote" in refused.stderr
        assert nginx.folder.joinpath("access.log").read_text() == ""
        ended = runs.run(path, "--allow-remote")
        assert runs.outcomes(path) == {"sequential": ["ok"]}, ended.stderr
        assert_rate(nginx.requests(), 100.0)
        header = json.loads((tmp_path / "run" / "journal.jsonl").read_text("utf-8").splitlines()[0])
        assert "--allow-remote" in json.dumps(header)
