"""Open pages in Debian's Chromium, without a network, and record all that goes wrong."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True, slots=True)
class Opened:
    """An open page.

    Attributes:
        page: the page, with all its charts drawn.
        complaints: messages of the console, errors of scripts and dialogs so far.
        requests: addresses that were asked for, other than the page itself.
    """

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@contextmanager
def started_browser() -> Iterator[Browser]:
    """Start the browser of the system; skip the test where there is none."""
    path = next(filter(None, map(shutil.which, _NAMES)), None)
    if path is None:
        pytest.skip(f"no browser: install one of {', '.join(_NAMES)}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(
    browser: Browser, file: Path, *, width: int = 1100, scheme: Literal["light", "dark"] = "light"
) -> Iterator[Opened]:
    """Open a file, and wait until its charts are drawn."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True, accept_downloads=True
    )
    found = Opened(context.new_page())
    page, address = found.page, file.resolve().as_uri()
    page.on("console", lambda message: found.complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: found.complaints.append(str(error)))
    page.on("dialog", lambda dialog: found.complaints.append(dialog.message))  # it is dismissed at the end
    page.on("request", lambda each: None if each.url == address else found.requests.append(each.url))
    try:
        page.goto(address)
        page.wait_for_selector("html[data-drawn]", timeout=30_000)
        yield found
    finally:
        context.close()
