"""Open reports in a browser: charts, tables, tooltips, downloads, contrast, print, and hostile names."""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any, Final, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from bench.model.text import printable
from bench.report.html.page import render_page
from bench.report.html.registry import draw_charts
from bench.report.html.subject import read_subject
from bench.report.html.theme import LIGHT
from tests.axis_runs import counted_run
from tests.browser import opened, started_browser
from tests.builders import case, run_of, trials
from tests.hostile_strings import HOSTILE
from tests.report_runs import compared_run, full_run, run_named, small_run

pytestmark = [pytest.mark.e2e, pytest.mark.long]

SIZE_LIMIT: Final = 2_000_000
PAGES: Final = ("run", "comparison", "two runs", "downloads")
MARKS: Final = "g.role-mark.{name}_marks > *"
"""The marks of a layer of a chart, by the name of the layer."""

each_page = pytest.mark.parametrize("name", PAGES)
each_kind = pytest.mark.parametrize(("name", "scheme"), [*product(PAGES, ("light", "dark"))])
"""Each page in each scheme."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with started_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Write a report of each kind."""
    folder = tmp_path_factory.mktemp("reports")
    runs = {
        "run": [full_run()],
        "comparison": [compared_run()],
        "two runs": [small_run(), small_run(1.2)],
        "downloads": [counted_run(fixed_s=0.5)],
    }
    files = {}
    for name, subject in runs.items():
        files[name] = folder / f"{name}.html"
        files[name].write_text(render_page(subject), encoding="utf-8")
        assert files[name].stat().st_size < SIZE_LIMIT
    return files


def specs(page: Page) -> dict[str, Any]:
    """Read the specification of each chart, by its anchor."""
    read = (
        "figures => Promise.all(figures.map(async figure => [figure.id, await specOf(figure)]))"
        ".then(Object.fromEntries)"
    )
    found: dict[str, Any] = page.eval_on_selector_all("figure[data-chart]", read)
    return found


@each_kind
def test_page_draws_all_charts_without_a_complaint_or_a_request(
    browser: Browser, pages: dict[str, Path], name: str, scheme: Literal["light", "dark"]
) -> None:
    with opened(browser, pages[name], scheme=scheme) as found:
        assert found.page.locator("figure[data-chart]").count() > 5
        assert found.page.locator("figure[aria-busy]").count() == 0
        assert found.complaints == []
        assert found.requests == []


@each_page
def test_each_row_of_the_data_has_its_mark(browser: Browser, pages: dict[str, Path], name: str) -> None:
    with opened(browser, pages[name]) as found:
        checked = Counter[str]()
        for anchor, spec in specs(found.page).items():
            for layer in spec["layer"]:
                rows = spec["datasets"][layer.get("data", spec.get("data"))["name"]]
                marks = found.page.locator(f"#{anchor} {MARKS.format(name=layer['name'])}").count()
                kind = layer["mark"]["type"]
                lines = {tuple(row.get(each) for each in ("series", "line", "label", "side")) for row in rows}
                assert marks == (len(lines) if kind == "line" else len(rows)), (anchor, layer["name"])
                checked[kind] += marks
        assert {"point", "rule", "tick", "bar", "text", "line"} <= checked.keys()


def test_tooltip_names_the_case_under_the_pointer(browser: Browser, pages: dict[str, Path]) -> None:
    with opened(browser, pages["run"]) as found:
        page = found.page
        page.locator(f"#elapsed {MARKS.format(name='points')}").first.hover()
        tooltip = page.locator("#vg-tooltip-element.visible")
        tooltip.wait_for()
        assert "aiohttp · 8 workers" in tooltip.inner_text()
        assert "95% interval" in tooltip.inner_text()


def test_logarithmic_axis_is_switched_on_and_off(browser: Browser, pages: dict[str, Path]) -> None:
    with opened(browser, pages["run"]) as found:
        page = found.page
        points = page.locator(f"#elapsed {MARKS.format(name='points')}")
        count, x = points.count(), points.first.bounding_box()
        assert x is not None
        place = "document.querySelector('#elapsed .points_marks > *').getBoundingClientRect()"
        moved = f"x => Math.abs({place}.x - x)"
        button = page.locator("#elapsed button.log")
        button.press("Enter")
        page.wait_for_function(f"{moved} > 5", arg=x["x"])
        assert button.get_attribute("aria-pressed") == "true"
        assert points.count() == count
        button.click()
        page.wait_for_function(f"{moved} < 1", arg=x["x"])
        assert found.complaints == []


def column(page: Page, heading: str) -> list[str]:
    """Read a column of the summary."""
    place = column_place(page, heading)
    return [row[place] for row in screen(page, "summary-1")[1:]]


def column_place(page: Page, heading: str) -> int:
    """Return the place of a column of the summary."""
    return page.locator("#summary-1 thead th").all_inner_texts().index(heading)


def screen(page: Page, anchor: str) -> list[list[str]]:
    """Read a table as it is on the screen."""
    read = "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
    rows: list[list[str]] = page.eval_on_selector_all(f"#{anchor} tr", read)
    return rows


def test_headings_sort_a_table_by_mouse_and_keyboard(browser: Browser, pages: dict[str, Path]) -> None:
    with opened(browser, pages["run"]) as found:
        page = found.page
        header = page.locator("#summary-1 thead th", has_text="workers")
        header.locator("button").click()
        assert header.get_attribute("aria-sort") == "ascending"
        workers = [int(each) for each in column(page, "workers")]
        assert workers == sorted(workers)
        header.locator("button").press("Enter")
        assert header.get_attribute("aria-sort") == "descending"
        assert [int(each) for each in column(page, "workers")] == sorted(workers, reverse=True)
        times = page.locator("#summary-1 thead th", has_text="time")
        times.locator("button").press("Space")
        assert header.get_attribute("aria-sort") is None
        assert [each.split()[1] for each in column(page, "time")] == ["ms"] * len(workers)
        figures = [float(each.split()[0]) for each in column(page, "time")]
        assert figures == sorted(figures)


FIGURES: Final = {
    "28.5 ms": 0.0285, "1.03 s": 1.03, "1 min 3 s": 63, "1 min 59 s": 119, "2 h 5 min": 7500,
    "350 µs": 0.00035, "12 B": 12, "512 KiB": 2**19, "23.5 MiB": 23.5 * 2**20, "1.5 GiB": 1.5 * 2**30,
    "1,234": 1234, "−3.5%": -3.5, "+20%": 20, "± 3%": 3, "≈1.02": 1.02, "6/10": 6, "3 blocks": 3,
    "27.3–29.1": 27.3, "3 5 s": 3, "–": None, "crash": None, "": None,
}  # fmt: skip
"""The value by which cells are sorted: seconds, bytes, or the number itself."""


def test_cells_are_sorted_by_all_parts_of_their_figures(browser: Browser, pages: dict[str, Path]) -> None:
    with opened(browser, pages["two runs"]) as found:
        values = found.page.evaluate("texts => texts.map(magnitude)", list(FIGURES))
        assert dict(zip(FIGURES, values, strict=True)) == pytest.approx(FIGURES)


def test_page_has_the_specifications_that_were_drawn(browser: Browser, pages: dict[str, Path]) -> None:
    with opened(browser, pages["run"]) as found:
        shown = specs(found.page)
    drawn = {
        anchor: drawing.spec()
        for kind in draw_charts(read_subject([full_run()])).values()
        for anchor, drawing in kind.drawings.items()
    }
    assert shown.keys() == drawn.keys()
    for anchor, spec in drawn.items():
        assert shown[anchor]["datasets"] == spec["datasets"]


@each_page
def test_downloaded_csv_equals_the_table_on_the_screen(
    browser: Browser, pages: dict[str, Path], name: str
) -> None:
    with opened(browser, pages[name]) as found:
        page = found.page
        buttons = page.locator("button.csv")
        assert buttons.count() == page.locator("table").count() > 3
        for place in range(buttons.count()):
            button = buttons.nth(place)
            anchor = str(button.get_attribute("data-table"))
            page.locator(f"#{anchor} thead button").last.click()
            with page.expect_download() as download:
                button.click()
            assert download.value.suggested_filename == f"{anchor}.csv"
            text = Path(download.value.path()).read_text("utf-8-sig")
            read = list(csv.reader(io.StringIO(text)))
            assert [[cell.removeprefix("'") for cell in row] for row in read] == screen(page, anchor)


CONTRASTS: Final = """() => {
  const linear = share => share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  const channel = value => linear(value / 255);
  const parse = colour => (colour.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const background = node => {
    for (let each = node; each; each = each.parentElement) {
      const found = parse(getComputedStyle(each).backgroundColor);
      if (found.length === 3) return found;
    }
    return [255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    const node = text.parentElement;
    if (!text.data.trim() || ["SCRIPT", "NOSCRIPT", "STYLE"].includes(node.tagName)) continue;
    const style = getComputedStyle(node);
    const colour = parse(node instanceof SVGElement ? style.fill : style.color);
    const pair = [light(colour), light(background(node))].sort((a, b) => b - a);
    found.push([(pair[0] + 0.05) / (pair[1] + 0.05), text.data.trim().slice(0, 40)]);
  }
  return found;
}"""


@each_kind
def test_every_text_has_a_contrast_of_at_least_four_and_a_half(
    browser: Browser, pages: dict[str, Path], name: str, scheme: Literal["light", "dark"]
) -> None:
    with opened(browser, pages[name], scheme=scheme) as found:
        contrasts = found.page.evaluate(CONTRASTS)
        assert len(contrasts) > 200
        assert [each for each in contrasts if each[0] < 4.5] == []


@each_kind
def test_axe_finds_no_serious_violation(
    browser: Browser, pages: dict[str, Path], name: str, scheme: Literal["light", "dark"]
) -> None:
    with opened(browser, pages[name], scheme=scheme) as found:
        violations = Axe().run(found.page).response["violations"]
        grave = [each for each in violations if each["impact"] in {"serious", "critical"}]
        assert [(each["id"], each["nodes"][0]["html"][:200]) for each in grave] == []


@each_page
@pytest.mark.parametrize("width", [360, 1600])
def test_page_never_scrolls_sideways(browser: Browser, pages: dict[str, Path], name: str, width: int) -> None:
    with opened(browser, pages[name], width=width) as found:
        assert found.page.evaluate("document.documentElement.scrollWidth") == width
        cut = found.page.evaluate(
            "width => [...document.querySelectorAll('figure svg text')].filter("
            "text => text.getBoundingClientRect().right > width).map(text => text.textContent)",
            width,
        )
        assert cut == []


def test_narrow_summary_shows_the_times_and_that_there_is_more(
    browser: Browser, pages: dict[str, Path]
) -> None:
    with opened(browser, pages["run"], width=360) as found:
        place = column_place(found.page, "time")
        cells = found.page.locator(f"#summary-1 tr > :nth-child({place + 1})")
        assert cells.count() == 11
        for cell in cells.all():
            box = cell.bounding_box()
            assert box is not None
            assert box["x"] + box["width"] <= 360
        scroll = found.page.locator("#summary-1 .scroll")
        assert scroll.evaluate("node => node.scrollWidth > node.clientWidth")
        assert "gradient" in scroll.evaluate("node => getComputedStyle(node).backgroundImage")


def test_charts_of_a_hundred_cases_stay_legible_in_print(browser: Browser, tmp_path: Path) -> None:
    """They are cut between their rows, as wide as the paper, instead of shrinking onto one page."""
    cases = [case(f"strategy_{place // 5}", workers=2 ** (place % 5)) for place in range(100)]
    file = tmp_path / "page.html"
    measured = {each: trials(each, [0.03 + 0.001 * place] * 2) for place, each in enumerate(cases)}
    file.write_text(render_page([run_of(measured)]), encoding="utf-8")
    with opened(browser, file) as found:
        page = found.page
        page.emulate_media(media="print")
        page.set_viewport_size({"width": 700, "height": 990})
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        slices = page.eval_on_selector_all(
            "#elapsed svg.slice",
            "found => found.map(svg => [svg.viewBox.baseVal.y, svg.viewBox.baseVal.height, "
            "svg.getBoundingClientRect().height])",
        )
        whole = page.locator("#elapsed svg.marks:not(.slice)").evaluate("svg => svg.viewBox.baseVal.height")
        assert len(slices) > 5
        assert [y for y, _, _ in slices[1:]] == pytest.approx([y + height for y, height, _ in slices[:-1]])
        assert sum(height for _, height, _ in slices) == pytest.approx(whole)
        assert max(shown for _, _, shown in slices) <= 990
        rows = [(height - slices[1][1]) / 42 for _, height, _ in slices[1:-1]]
        assert rows == pytest.approx([round(each) for each in rows], abs=0.01)
        scales = page.eval_on_selector_all(
            "figure:not(.tall) svg.marks, figure svg.slice",
            "found => found.map(svg => svg.getBoundingClientRect().width / svg.viewBox.baseVal.width)",
        )
        assert len(scales) > 5
        assert min(scales) >= 0.6
        size = 12 * min(scales)
        assert size >= 7  # pixels of labels: five points
        outside = page.eval_on_selector_all(
            "figure:not(.tall) svg.marks",
            "found => found.filter(svg => svg.getBoundingClientRect().height > 990).length",
        )
        assert outside == 0
        assert page.locator("figure.tall").count() >= 2
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert page.locator("svg.slice").count() == 0
        assert page.pdf(format="A4").count(b"/Type /Page\n") > 10
        assert page.locator("svg.slice").count() == 0
        assert found.complaints == []


def test_printed_page_is_light_and_has_no_controls(browser: Browser, pages: dict[str, Path]) -> None:
    with opened(browser, pages["run"], scheme="dark") as found:
        page = found.page
        page.emulate_media(media="print")
        colour = page.evaluate(
            "getComputedStyle(document.documentElement).getPropertyValue('--paper').trim()"
        )
        assert colour == LIGHT["paper"]
        assert page.locator("nav").is_hidden()
        assert all(each.is_hidden() for each in page.locator("button.csv, button.log").all())
        page.set_viewport_size({"width": 700, "height": 990})
        wide = page.evaluate(
            "() => [...document.querySelectorAll('figure svg')].filter(svg => "
            "svg.getBoundingClientRect().right > 700 || svg.getBoundingClientRect().height > 990).length"
        )
        assert wide == 0
        printed = page.pdf(format="A4")
        assert printed.startswith(b"%PDF")


@pytest.mark.parametrize("anchor", ["elapsed", "breakdown", "drift", "answer", "facts"])
def test_anchor_leads_to_its_chart_or_section(browser: Browser, pages: dict[str, Path], anchor: str) -> None:
    with opened(browser, pages["run"]) as found:
        found.page.locator(f"nav a[href='#{anchor}']").click()
        assert found.page.url.endswith(f"#{anchor}")
        assert found.page.locator(f"#{anchor}").is_visible()


def test_first_tab_stop_skips_to_the_answer(browser: Browser, pages: dict[str, Path]) -> None:
    with opened(browser, pages["run"]) as found:
        found.page.keyboard.press("Tab")
        assert found.page.evaluate("document.activeElement.className") == "skip"
        found.page.keyboard.press("Enter")
        assert found.page.evaluate("document.activeElement.id") == "answer"


def test_older_browser_is_told_that_it_cannot_draw(browser: Browser, pages: dict[str, Path]) -> None:
    context = browser.new_context(offline=True)
    try:
        page = context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.add_init_script("delete window.DecompressionStream")
        page.goto(pages["run"].as_uri())
        page.locator("#outdated").wait_for(state="visible")
        page.locator("#summary-1 thead button").last.click()
        assert page.locator("#summary-1 th[aria-sort]").count() == 1
        assert errors == []
    finally:
        context.close()


def test_policy_stops_code_made_of_text_scripts_of_others_and_requests(
    browser: Browser, pages: dict[str, Path]
) -> None:
    with opened(browser, pages["run"]) as found:
        page = found.page
        # in a timer: the debugger may evaluate text whatever the policy says
        is_stopped = (
            "new Promise(tell => setTimeout(() => { try { new Function('return 1')(); tell(false) } "
            "catch (error) { tell(error.name) } }))"
        )
        assert page.evaluate(is_stopped) == "EvalError"
        page.evaluate(
            "() => { const added = document.createElement('script'); added.text = 'window.intruder = 1';"
            "document.body.append(added); }"
        )
        assert page.evaluate("window.intruder") is None
        assert (
            page.evaluate("fetch('http://127.0.0.1:9/').then(() => 'sent', error => error.name)")
            == "TypeError"
        )
        assert any("Content Security Policy" in each for each in found.complaints)


SKELETON: Final = """() => [...document.querySelectorAll('*')].map(node => {
  const names = [...node.attributes].map(each => each.name).sort().join(' ');
  return `${node.tagName} ${node.id} ${names} ${node.children.length}`;
})"""
GROUP: Final = 40
TEXTS: Final = tuple(HOSTILE.values())


def harmless(texts: Sequence[str]) -> list[str]:
    """Return a name for each text; names look alike where the printable forms of the texts do."""
    numbers = {shown: number for number, shown in enumerate(dict.fromkeys(map(printable, texts)))}
    seen = Counter[str]()
    names = []
    for text in texts:
        seen[printable(text)] += 1
        is_unprintable = text != printable(text)
        ending = chr(seen[printable(text)]) if is_unprintable else ""
        names.append(f"name{numbers[printable(text)]}{ending}")
    return names


@pytest.mark.parametrize("start", range(0, len(TEXTS), GROUP))
def test_hostile_names_leave_the_page_as_harmless_names_do(
    browser: Browser, tmp_path: Path, start: int
) -> None:
    texts = TEXTS[start : start + GROUP]
    skeletons = []
    for number, names in enumerate((texts, harmless(texts))):
        file = tmp_path / f"{number}.html"
        file.write_text(render_page([run_named(names)]), encoding="utf-8")
        with opened(browser, file) as found:
            assert found.complaints == []
            assert found.requests == []
            skeletons.append(found.page.evaluate(SKELETON))
    assert len(skeletons[0]) > 1000
    assert skeletons[0] == skeletons[1]
