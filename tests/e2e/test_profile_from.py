"""nginx writes the times of a few requests into logs of several formats, and profiles are made of them."""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from bench.report.stored_spans import read_spans
from bench.storage.run_folder import load_run
from tests.nginx import running_nginx
from tests.runs import ROOT, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.long]

PAIRS = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" '
    '"$http_user_agent" rt=$request_time uht="$upstream_header_time" urt="$upstream_response_time"'
)
CUSTOM = '[$time_iso8601] "$request" $status ($body_bytes_sent) $upstream_header_time $request_time $msec'
KEYS = ("status", "body_bytes_sent", "request_time", "upstream_header_time", "request_uri", "http_user_agent")
JSON = "{" + ",".join(f'"{key}":"${key}"' for key in KEYS) + "}"
SETTINGS = """
log_format pairs '{pairs}'; log_format custom '{custom}'; log_format keys escape=json '{json}';
server {{ listen unix:{folder}/up; root {folder}/www; access_log off; }}
"""
LOCATIONS = """
access_log {folder}/pairs.log pairs; access_log {folder}/custom.log custom; access_log {folder}/keys.log keys;
access_log {folder}/combined.log;
location /proxied/ {{ proxy_pass http://unix:{folder}/up:/files/; limit_rate 30k; }}
"""
ASKED = ("a.bin", "sub/d.bin", "sub/d.bin", "b%20c.bin", "none.bin")
"""A file of 40,000 bytes takes a third of a second at the limited rate; the upstream server has no limit."""
AGENT = 's3cret rt=9.999 "{x}" \\'


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Have nginx log some requests, and return the folder of its logs."""
    folder = tmp_path_factory.mktemp("nginx")
    more = SETTINGS.format(folder=folder, pairs=PAIRS, custom=CUSTOM, json=JSON)
    with running_nginx(folder, more=more, locations=LOCATIONS.format(folder=folder)) as nginx:
        for name in ASKED:
            url = f"{nginx.url.removesuffix('/files')}/proxied/{name}?token=s3cret&rt=8.888"
            try:
                with urlopen(Request(url, headers={"User-Agent": AGENT})) as answer:  # noqa: S310  nginx's
                    answer.read()
            except HTTPError as error:
                assert error.code == 404  # noqa: PT017  one of the files is missing
        wait_until(lambda: len(logged(folder)) == len(ASKED), 10)
    return folder


def logged(folder: Path) -> list[dict[str, str]]:
    """Return the requests of the log that is JSON."""
    file = folder / "keys.log"
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.exists() else []


def bench(folder: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bench", *map(str, words)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("log", "words", "key"),
    [
        ("pairs", [], "upstream_header_time"),
        ("pairs", ["--column", "rt"], "request_time"),
        ("keys", [], "upstream_header_time"),
        ("keys", ["--column", "request_time"], "request_time"),
        ("custom", ["--log-format", CUSTOM], "upstream_header_time"),
        (
            "custom",
            ["--log-format", f"log_format custom '{CUSTOM}';", "--column", "request_time"],
            "request_time",
        ),
    ],
)
def test_profile_has_the_times_and_sizes_that_nginx_has_logged(
    log: str, words: Sequence[str], key: str, logs: Path, tmp_path: Path
) -> None:
    """The request that failed does not count, and a config can draw from the profile."""
    made = bench(tmp_path, "profile-from", logs / f"{log}.log", *words)
    assert made.returncode == 0, made.stderr
    profile = tmp_path / f"{log}.profile.csv"
    rows = [*csv.DictReader(io.StringIO(profile.read_text("ascii")))]
    counted = [each for each in logged(logs) if each["status"] == "200"]
    assert [float(row["latency_ms"]) for row in rows] == sorted(
        round(1000 * float(each[key])) for each in counted
    )
    assert [int(row["size_bytes"]) for row in rows] == sorted(
        int(each["body_bytes_sent"]) for each in counted
    )
    assert [int(row["size_bytes"]) for row in rows] == [3_000, 12_000, 40_000, 40_000]
    if key == "request_time":
        assert float(rows[-2]["latency_ms"]) >= 100
    text = " ".join(made.stdout.split())
    assert f"Latency is ${key}: " in text
    assert "1 failed (no answer, or a status below 200 or from 400 on)" in text
    assert "s3cret" not in made.stdout + made.stderr + profile.read_text("ascii")
    keys = [line for line in made.stdout.splitlines() if line.startswith(("  latency: ", "  sizes: "))]
    assert len(keys) == 2
    config = "\n".join(["strategies: sequential", "clients: requests", "blocks: 1", "profile:", *keys, ""])
    (tmp_path / "mine.yaml").write_text(config, "ascii")
    checked = bench(tmp_path, "check", "mine.yaml")
    assert checked.returncode == 0, checked.stderr
    assert "/sample-" in checked.stdout


def test_run_has_the_delays_and_sizes_of_the_users_own_values(tmp_path: Path) -> None:
    """By the server's log and by what the client received; a second run draws the same ones."""
    (tmp_path / "delays.txt").write_text("20\n60\n100\n")
    (tmp_path / "sizes.txt").write_text("1kB\n3kB\n")
    (tmp_path / "client.py").write_text(
        f"import urllib.request\n\n\ndef get(url):\n"
        f"    body = urllib.request.urlopen(url).read()\n"
        f"    with open({str(tmp_path / 'received')!r}, 'a') as received:\n"
        f"        print(len(body), file=received)\n    return body\n"
    )
    (tmp_path / "mine.yaml").write_text(
        "strategies: sequential\nclients: client.py:get\nblocks: 1\nrounds: 1\n"
        "profile:\n  latency: {sample: {file: delays.txt, unit: ms}}\n  sizes: {sample: sizes.txt}\n"
    )
    drawn = []
    for number in range(2):
        ended = bench(tmp_path, "run", "mine.yaml", "--out", f"run-{number}", "--quiet")
        assert ended.returncode == 0, ended.stderr
        (trial,) = load_run(tmp_path / f"run-{number}").trials
        (timed,) = trial.rounds
        assert timed.server is not None
        assert (timed.server.requests, timed.verified, timed.fetches) == (20, 20, {"ok": 20})
        waited_s = [each.start_s - each.arrival_s for each in read_spans(trial, "run").requests]
        drawn.append([max(value for value in (0.02, 0.06, 0.1) if value <= waited) for waited in waited_s])
        late_s = [waited - value for waited, value in zip(waited_s, drawn[-1], strict=True)]
        assert max(late_s) < 0.03
        assert set(drawn[-1]) == {0.02, 0.06, 0.1}
    assert drawn[0] == drawn[1]
    received = (tmp_path / "received").read_text().split()
    assert len(received) == 80  # a warm-up and a timed round of each run
    assert set(received) == {"1000", "3000"}


def test_log_of_nginx_without_times_is_refused_with_the_line_to_add(logs: Path, tmp_path: Path) -> None:
    ended = bench(tmp_path, "profile-from", logs / "combined.log")
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert "has no times; log them in nginx with log_format timed '$remote_addr" in ended.stderr
    assert not list(tmp_path.iterdir())
