"""The documentation site: it is built without a warning, links lead somewhere, and nothing is remote."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from html import unescape
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urldefrag

import pytest

from docs.pages.site import lay_out
from tests.browser import started_browser
from tests.runs import ROOT

pytestmark = [pytest.mark.e2e, pytest.mark.long]

QUESTIONS = {
    "measure a function of my own": "Your own code",
    "gate a pull request": "In CI",
    "know what inconclusive means": "Verdicts",
    "know why a trial was discarded": "Discarded trials",
    "add a client or a strategy": "Clients",
    "run on two machines": "two machines",
}
"""Lines of the table on the front page, and a heading of the page that the first link leads to."""


WIDE_TABLES = """() => [...document.querySelectorAll(".md-typeset__scrollwrap")]
    .filter((each) => each.scrollWidth > each.clientWidth + 1).map((each) => each.innerText)"""
"""The tables of a page that are wider than their place."""


class Page(HTMLParser):
    """The links and anchors of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an anchor, and an address that is followed or loaded."""
        found = dict(attrs)
        self.anchors |= {value for name in ("id", "name") if (value := found.get(name))}
        self.links += [value for name in ("href", "src") if (value := found.get(name)) and tag != "base"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site; strict mode makes warnings errors."""
    folder = tmp_path_factory.mktemp("docs") / "docs"
    lay_out(folder)
    ended = subprocess.run(
        [str(Path(sys.executable).with_name("zensical")), "build", "--strict", "--clean"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "arning" not in ended.stdout + ended.stderr
    return folder / "site"


def pages(site: Path) -> dict[Path, Page]:
    return {file: Page(file.read_text("utf-8")) for file in site.rglob("*.html") if file.name != "404.html"}


def test_every_page_is_built_and_in_the_navigation(site: Path) -> None:
    laid_out = {file.with_suffix(".html").name for file in (site.parent / "docs").glob("*.md")}
    built = pages(site)
    assert laid_out == {file.name for file in built}
    linked = {Path(urldefrag(link)[0]).name for link in built[site / "index.html"].links}
    assert laid_out - {"index.html"} <= linked


def test_links_and_anchors_lead_somewhere(site: Path) -> None:
    built = pages(site)
    for file, page in built.items():
        for link in page.links:
            if re.match(r"[a-z]+:", link):
                continue
            path, anchor = urldefrag(unquote(link))
            target = (file.parent / path).resolve() if path else file
            assert target.exists(), f"{file.name}: {link}"
            if anchor and target in built:
                assert anchor in built[target].anchors, f"{file.name}: {link}"


def test_settings_that_the_site_relies_on_show_in_it(site: Path) -> None:
    """Settings that Zensical does not know are ignored without a word."""
    front = (site / "index.html").read_text("utf-8")
    assert "flagbench" in front
    for feature in (
        "navigation.sections",
        "navigation.top",
        "content.code.copy",
        "search.highlight",
        "toc.follow",
    ):
        assert feature in front
    assert "fonts.googleapis" not in front
    assert "site.css" in front
    assert (site / "search.json").stat().st_size > 100_000
    assert (site / "commands.html").exists()  # addresses as files


def test_two_equals_signs_of_a_version_highlight_nothing(site: Path) -> None:
    """They would begin a mark that ends at the next version."""
    for file in site.glob("*.html"):
        assert "<mark" not in file.read_text("utf-8"), file.name
    assert "aiohttp==3.9.3 and 4 workers" in unescape((site / "published.html").read_text("utf-8"))


def test_links_have_titles_of_pages_instead_of_names_of_files(site: Path) -> None:
    for file in site.glob("*.html"):
        assert not re.search(r"<a [^>]*>[\w-]+\.md</a>", file.read_text("utf-8")), file.name


@contextmanager
def served(folder: Path) -> Iterator[str]:
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_pages_load_nothing_from_elsewhere_and_show_whole_tables(site: Path) -> None:
    with served(site) as address, started_browser() as browser:
        page = browser.new_page()
        foreign: list[str] = []
        page.on(
            "request", lambda each: foreign.append(each.url) if not each.url.startswith(address) else None
        )
        page.on("pageerror", lambda error: foreign.append(str(error)))
        page.set_viewport_size({"width": 1300, "height": 900})
        for file in sorted(site.glob("*.html")):
            page.goto(f"{address}/{file.name}", wait_until="networkidle")
            assert page.evaluate(WIDE_TABLES) == [], file.name
        assert foreign == []


@pytest.mark.parametrize(("question", "heading"), QUESTIONS.items())
def test_front_page_answers_in_two_clicks(site: Path, question: str, heading: str) -> None:
    """The first click opens the page that the front page names, and its heading is there."""
    front = (site / "index.html").read_text("utf-8")
    row = next(
        each
        for each in re.findall(r"<tr>.*?</tr>", front, re.DOTALL)
        if question in re.sub("<[^>]+>", "", each)
    )
    link = re.search(r'href="([^"]+)"', row)
    assert link is not None
    path, anchor = urldefrag(link[1])
    text = (site / path).read_text("utf-8")
    headings = re.findall(r'<h[1-3][^>]*id="([^"]*)"[^>]*>(.*?)</h', text, re.DOTALL)
    shown = [re.sub("<[^>]+>", "", words) for each, words in headings if not anchor or each == anchor]
    assert any(heading.lower() in each.lower() for each in shown), shown


def test_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("all of it")
    with pytest.raises(ValueError, match="is not empty"):
        lay_out(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "all of it"


def test_help_of_every_command_is_on_its_page(site: Path) -> None:
    text = (site.parent / "docs" / "commands.md").read_text("utf-8")
    for name in ("run", "ab", "gate", "view", "profile-from"):
        assert f"## {name}\n" in text
    assert "### history pin\n" in text
    assert "--code-quality" in text


def test_source_of_every_strategy_and_client_is_on_its_page(site: Path) -> None:
    text = (site.parent / "docs" / "sources.md").read_text("utf-8")
    for file in [
        *(ROOT / "strategies").glob("[a-z]*.py"),
        *(ROOT / "strategies" / "clients").glob("[a-z]*.py"),
    ]:
        assert f"### {file.stem}\n" in text
        assert file.read_text("utf-8").strip() in text
