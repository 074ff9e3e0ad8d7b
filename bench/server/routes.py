"""Which address leads to what: flags, what is known of a country, and an index of them all."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Final

from bench.model.countries import COUNTRIES
from bench.server.responses import GIF, HTML, JSON, Response, build_responses, refusal

_COUNTRY_PATH: Final = re.compile(rb"/flags/([a-z]{2})/(?:\1\.gif|metadata\.json)")
_ORIGIN: Final = re.compile(rb"https?://[^/?#]*", re.IGNORECASE)
_NOT_FOUND: Final = refusal(404)
_POLICY: Final = ("Content-Security-Policy", "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'")


@dataclass(frozen=True, slots=True)
class Resource:
    """What lies at an address.

    Attributes:
        country: whose it is, upper-case; empty for what has neither weather nor attempts.
        name: the last segment of its path, by which it can refer to itself; only where there is a country.
    """

    answer: Response
    country: str = ""
    name: str = ""

    @property
    def is_found(self) -> bool:
        """Whether an error could take the place of something."""
        return self.answer is not _NOT_FOUND


class Routes:
    """Finds resources by the target of a request."""

    def __init__(self, flags: Mapping[str, bytes]) -> None:
        self._resources = _resources(flags)

    def find(self, target: bytes) -> Resource:
        """Return what a path leads to; queries mean nothing here."""
        found = self._resources.get(target)
        if found is None:
            path = target.partition(b"?")[0]
            found = self._resources.get(path) or _missing(path)
        return found


def without_origin(target: bytes) -> bytes:
    """Return the path and query of a target that may be a whole URL (RFC 9112, 3.2.2)."""
    origin = _ORIGIN.match(target)
    if origin is None:
        return target
    rest = target[origin.end() :]
    return rest if rest.startswith(b"/") else b"/" + rest


def _missing(path: bytes) -> Resource:
    """Return the lack of a flag, which has its country's weather, or of anything else, which has none."""
    match = _COUNTRY_PATH.fullmatch(path)
    return Resource(_NOT_FOUND, match[1].decode().upper() if match else "")


def _resources(flags: Mapping[str, bytes]) -> dict[bytes, Resource]:
    found = {b"/": Resource(build_responses(200, HTML, _index(flags).encode(), _POLICY))}
    for country, flag in flags.items():
        code = country.lower()
        metadata = json.dumps({"country": _name(country), "iso_cc": country}, ensure_ascii=False)
        for name, answer in (
            (f"{code}.gif", build_responses(200, GIF, flag)),
            ("metadata.json", build_responses(200, JSON, metadata.encode())),
        ):
            found[f"/flags/{code}/{name}".encode()] = Resource(answer, country, name)
    return found


def _name(country: str) -> str:
    return COUNTRIES.get(country, country)


def _index(flags: Mapping[str, bytes]) -> str:
    rows = "\n".join(_row(country.lower(), _name(country)) for country in sorted(flags))
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>flagbench: {len(flags)} flags</title>
<style>body {{ font: 1rem/1.6 sans-serif; columns: 18em }} img {{ width: 2em; height: 1.3em }}</style>
<ul>
{rows}
</ul>
</html>
"""


def _row(code: str, name: str) -> str:
    flag = f"flags/{code}/{code}.gif"
    return (
        f'<li><a href="{flag}"><img src="{flag}" alt="" loading="lazy"> {escape(name)}</a>'
        f' <a href="flags/{code}/metadata.json">{code.upper()}</a>'
    )
