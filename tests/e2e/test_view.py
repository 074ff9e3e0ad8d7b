"""``view`` from outside: a real process, real requests, a real browser, and hostile names of folders."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect

from bench.storage.history import add_points
from bench.storage.run_folder import save_run
from tests.browser import started_browser
from tests.histories import noisy, point
from tests.hostile_strings import SCRIPTS
from tests.report_runs import compared_run, small_run
from tests.repositories import small_repository

pytestmark = [pytest.mark.e2e, pytest.mark.long]

ROOT = Path(__file__).parents[2]
PROGRAM = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from bench.__main__ import main; main()"
FIRST, SECOND, PAIRED = "first-20260102-030405", "second-20260103-030405", "gate-20260104-030405"


def command(*words: str) -> list[str]:
    return [sys.executable, "-P", "-c", PROGRAM, "view", *words]


@contextmanager
def viewing(folder: Path, *words: str) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """Serve a results folder; yield the address of its pages, and the process."""
    line = command(str(folder), "--port", "0", *words)
    with subprocess.Popen(line, stderr=subprocess.PIPE, text=True, cwd=folder.parent) as process:
        try:
            assert process.stderr is not None
            first = process.stderr.readline()
            found = re.search(r"http://127\.0\.0\.1:\d+", first)
            assert found, first
            yield found[0], process
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Store two runs, a comparison, a damaged run, one with a journal only, and a history."""
    folder = tmp_path_factory.mktemp("folder") / "results"
    for age, (name, run) in enumerate(
        {FIRST: small_run(), SECOND: small_run(1.3), PAIRED: compared_run()}.items()
    ):
        place = folder / "runs" / name
        place.mkdir(parents=True)
        save_run(place, replace(run, name=name), "")
        os.utime(place / "run.json", (1_700_000_000 + age, 1_700_000_000 + age))
    damaged, killed = folder / "runs" / "damaged-1", folder / "runs" / "killed-1"
    damaged.mkdir()
    (damaged / "run.json").write_text("{")
    killed.mkdir()
    (killed / "journal.jsonl").write_text("")
    add_points(
        [point(number, ratio) for number, ratio in enumerate(noisy([1.0] * 15 + [1.1] * 20))],
        folder / "history.jsonl",
    )
    return folder


@pytest.fixture(scope="module")
def address(results: Path) -> Iterator[str]:
    with viewing(results) as (found, _):
        yield found


@contextmanager
def new_page(address: str) -> Iterator[Page]:
    """Open a page whose every complaint, and request for another host, fails the test."""
    with started_browser() as browser:
        opened = browser.new_page()
        complaints: list[str] = []
        opened.on("console", lambda message: complaints.append(message.text))
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        opened.on(
            "request",
            lambda request: None if request.url.startswith(address) else complaints.append(request.url),
        )
        yield opened
        assert not complaints


@pytest.fixture
def page(address: str) -> Iterator[Page]:
    with new_page(address) as opened:
        yield opened


def test_list_has_each_run_with_its_answer(page: Page, address: str) -> None:
    page.goto(address)
    lines = page.locator("ul.runs > li")
    expect(lines).to_have_count(5)
    newest = page.locator("li", has_text=SECOND)
    expect(newest.locator(".answer-line")).to_contain_text("fastest")
    expect(page.locator("li", has_text=PAIRED).locator("input")).to_have_count(0)
    expect(page.locator("li", has_text="damaged-1")).to_contain_text("run.json")
    expect(page.locator("li", has_text="killed-1")).to_contain_text("Only its journal is stored")


def test_report_of_a_run_opens_from_the_list_and_leads_back(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("link", name=FIRST).click()
    page.wait_for_selector("html[data-drawn]", timeout=30_000)
    expect(page.locator("figure svg").first).to_be_visible()
    page.get_by_role("link", name="All runs").click()
    expect(page.locator("h1")).to_have_text("Runs")


def test_two_ticked_runs_are_laid_over_one_another(page: Page, address: str) -> None:
    page.goto(address)
    for name in (SECOND, FIRST):
        page.get_by_label(f"Compare {name}").check()
    page.get_by_role("button").click()
    page.wait_for_selector("html[data-drawn]", timeout=30_000)
    expect(page.locator("h1")).to_have_text(f"{FIRST} and {SECOND}")  # the older one is the base


def test_runs_on_different_pages_of_the_list_are_laid_over_one_another(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    names = [FIRST, *(f"damaged-{number:02}" for number in range(50)), SECOND]
    for age, name in enumerate(names):
        place = folder / "runs" / name
        place.mkdir(parents=True)
        if name in {FIRST, SECOND}:
            save_run(place, replace(small_run(), name=name), "")
        else:
            (place / "run.json").write_text("{")
        os.utime(place / "run.json", (1_700_000_000 + age, 1_700_000_000 + age))
    with viewing(folder) as (address, _), new_page(address) as page:
        page.goto(address)
        page.get_by_label(f"Compare {SECOND}").check()
        page.get_by_role("button", name="Older").click()
        expect(page.get_by_label(f"Compare {SECOND}")).to_be_checked()
        page.get_by_label(f"Compare {FIRST}").check()
        page.get_by_role("button", name="Newer").click()
        expect(page.get_by_label(f"Compare {FIRST}")).to_be_checked()
        page.get_by_role("button", name="Lay the two").click()
        page.wait_for_selector("html[data-drawn]", timeout=30_000)
        expect(page.locator("h1")).to_have_text(f"{FIRST} and {SECOND}")


def test_only_runs_that_can_be_compared_are_ticked_elsewhere(tmp_path: Path) -> None:
    """A run that was damaged after it was ticked has no box with which the tick could be taken away."""
    folder = tmp_path / "results"
    for age, name in enumerate(["damaged-0", PAIRED, *(f"killed-{number:02}" for number in range(50))]):
        place = folder / "runs" / name
        place.mkdir(parents=True)
        (place / "journal.jsonl").write_text("")
        if name == PAIRED:
            save_run(place, replace(compared_run(), name=name), "")
        elif name == "damaged-0":
            (place / "run.json").write_text("{")
        changed = place if not (place / "run.json").exists() else place / "run.json"
        os.utime(changed, (1_700_000_000 + age, 1_700_000_000 + age))
    with viewing(folder) as (address, _):
        listed = httpx.get(f"{address}/?run={PAIRED}&run=damaged-0&run=unknown", timeout=60).text
        assert "Page 1 of 2" in " ".join(listed.split())
        assert PAIRED not in listed
        assert "Ticked on other pages" not in listed


def test_as_many_ticks_as_nobody_makes_are_refused(address: str) -> None:
    ticks = "&".join(f"run={number}" for number in range(60))
    assert httpx.get(f"{address}/?{ticks}").status_code == 400


def test_history_follows_the_commits_that_git_has_now(tmp_path: Path) -> None:
    """Without a change of its files, a history stands in another order once git does not know its commits."""
    repository = small_repository(tmp_path / "project")
    results = repository.folder / "results"
    results.mkdir()
    commit = repository.git("rev-parse", "HEAD").strip()
    add_points([replace(point(0, 1.01), commit=commit)], results / "history.jsonl")
    with viewing(results) as (address, _):
        assert "in the order of commits" in httpx.get(f"{address}/history", timeout=60).text
        (repository.folder / ".git").rename(tmp_path / "git")
        assert "in the order of measuring" in httpx.get(f"{address}/history", timeout=60).text


@pytest.mark.parametrize("query", ["", f"?run={FIRST}", f"?run={FIRST}&run={FIRST}", "?run=a&run=b&run=c"])
def test_two_different_runs_are_compared_and_no_other_number(address: str, query: str) -> None:
    answer = httpx.get(f"{address}/compare{query}")
    assert answer.status_code == 400
    assert answer.text.startswith("Tick two runs to compare")


def test_history_is_a_trend_with_its_step(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("link", name="History").click()
    page.wait_for_selector("html[data-drawn]", timeout=30_000)
    expect(page.locator("#answer .lead")).to_contain_text("has a lasting step")
    expect(page.locator("figure svg").first).to_be_visible()
    assert page.locator("figure .mark-symbol.role-mark path").count() == 35


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/", f"/runs/{FIRST}", "/compare", "/history"])
def test_nothing_can_be_written(address: str, method: str, path: str) -> None:
    assert httpx.request(method, f"{address}{path}").status_code == 405


def test_reading_writes_nothing(address: str, results: Path) -> None:
    before = {file: file.stat() for file in results.rglob("*")}
    for path in ("/", f"/runs/{FIRST}", f"/compare?run={FIRST}&run={SECOND}", "/history"):
        assert httpx.get(f"{address}{path}", timeout=60).status_code == 200
    after = {file: file.stat() for file in results.rglob("*")}
    assert {file: found.st_mtime_ns for file, found in before.items()} == {
        file: found.st_mtime_ns for file, found in after.items()
    }


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""])
def test_request_with_the_name_of_another_host_is_refused(address: str, host: str) -> None:
    assert httpx.get(address, headers={"Host": host}).status_code == 400


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_request_with_a_name_of_this_machine_is_answered(address: str, name: str) -> None:
    port = address.rpartition(":")[2]
    assert httpx.get(address, headers={"Host": f"{name}:{port}"}).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/runs/../../history.jsonl",
        "/runs/..%2f..%2fhistory.jsonl",
        "/runs/%2e%2e",
        "/runs/%252e%252e",
        "/runs//etc/passwd",
        "/runs/..%5c..%5chistory.jsonl",
        f"/runs/{FIRST}/run.json",
        f"/runs/{FIRST}%00",
        "/compare?run=../../etc&run=/etc/passwd",
        "/results/history.jsonl",
        "/?page=0",
        "/?page=99",
        "/?page=²",
        f"/?page={'9' * 5000}",
    ],
)
def test_path_that_leads_elsewhere_is_refused(address: str, path: str) -> None:
    """As it is written: an HTTP library would resolve the dots."""
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        connection.sendall(request.encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.split()[1] in {b"404", b"400"}, answer[:200]
    assert b"root:" not in answer


def test_names_that_attack_pages_are_harmless(tmp_path: Path) -> None:
    """Each is the name of a folder and of a run; those that no folder can have are left out."""
    names = [each for each in SCRIPTS if "/" not in each and "\x00" not in each][:40]
    folder = tmp_path / "results"
    for name in names:
        place = folder / "runs" / name
        place.mkdir(parents=True)
        save_run(place, replace(small_run(), name=name), "")
    (folder / "runs" / os.fsdecode(b"not \xff text")).mkdir()
    (folder / "runs" / os.fsdecode(b"not \xff text") / "run.json").write_bytes(
        (folder / "runs" / names[0] / "run.json").read_bytes()
    )
    with viewing(folder) as (address, _), started_browser() as browser:
        page = browser.new_page()
        complaints: list[str] = []
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(address)
        expect(page.locator("ul.runs > li")).to_have_count(len(names) + 1)
        assert page.locator("script").count() == 0
        links = [each.get_attribute("href") for each in page.locator("ul.runs a").all()]
        assert len(set(links)) == len(names) + 1
        for link in (links[0], links[-1], *links[1:4]):
            page.goto(f"{address}{link}")
            page.wait_for_selector("html[data-drawn]", timeout=30_000)
        assert not complaints


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_it_in_order(results: Path, number: signal.Signals) -> None:
    with viewing(results) as (address, process):
        assert httpx.get(address).status_code == 200
        process.send_signal(number)
        assert process.wait(10) == 0


def test_one_damaged_run_does_not_hide_the_others(tmp_path: Path, results: Path) -> None:
    """Its document is a folder; or it vanishes, or is no longer what it was."""
    folder = tmp_path / "results"
    shutil.copytree(results / "runs" / FIRST, folder / "runs" / FIRST)
    (folder / "runs" / "odd" / "run.json").mkdir(parents=True)
    with viewing(folder) as (address, _):
        page = httpx.get(address)
        assert page.status_code == 200
        assert FIRST in page.text
        shutil.rmtree(folder / "runs" / FIRST)
        assert FIRST not in httpx.get(address).text
        assert httpx.get(f"{address}/runs/{FIRST}").status_code == 404


def test_run_that_was_started_first_is_the_base(tmp_path: Path) -> None:
    """However late its file was changed, as by a copy."""
    folder = tmp_path / "results"
    for name, started in (("new", "2026-02-01T00:00:00+00:00"), ("old", "2026-01-01T00:00:00+00:00")):
        (folder / "runs" / name).mkdir(parents=True)
        save_run(folder / "runs" / name, replace(small_run(), name=name, started=started), "")
    with viewing(folder) as (address, _):
        text = httpx.get(f"{address}/compare?run=new&run=old", timeout=60).text
    assert "<h1>old and new</h1>" in text


def test_long_list_has_pages(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    for number in range(51):
        (folder / "runs" / f"killed-{number:02}").mkdir(parents=True)
        (folder / "runs" / f"killed-{number:02}" / "journal.jsonl").touch()
    with viewing(folder) as (address, _):
        assert httpx.get(address).text.count("<li>") == 50
        assert httpx.get(f"{address}/?page=2").text.count("<li>") == 1


@pytest.mark.parametrize(
    ("site", "status"), [("cross-site", 403), ("same-site", 403), ("none", 200), ("same-origin", 200)]
)
def test_request_of_another_site_is_refused(address: str, site: str, status: int) -> None:
    assert httpx.get(address, headers={"Sec-Fetch-Site": site}).status_code == status


def test_port_that_is_taken_is_an_error(results: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = subprocess.run(
            command(str(results), "--port", str(taken.getsockname()[1])),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert ended.returncode == 4
    assert "cannot be used" in ended.stderr


def test_folder_that_is_none_is_an_error(tmp_path: Path) -> None:
    ended = subprocess.run(
        command(str(tmp_path / "none")), capture_output=True, text=True, check=False, timeout=60
    )
    assert ended.returncode == 2


def test_folder_without_a_run_says_how_to_get_one(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    with viewing(tmp_path / "results") as (address, _):
        assert "python -m bench run default" in httpx.get(address).text
        assert httpx.get(f"{address}/history").status_code == 404


def test_new_run_appears_without_a_restart(tmp_path: Path, results: Path) -> None:
    folder = tmp_path / "results"
    (folder / "runs").mkdir(parents=True)
    with viewing(folder) as (address, _):
        assert FIRST not in httpx.get(address).text
        shutil.copytree(results / "runs" / FIRST, folder / "runs" / FIRST)
        assert FIRST in httpx.get(address).text
