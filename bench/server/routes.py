"""Map paths to resources: the flags, the metadata of the countries, and an index page."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Final

from bench.model.body_sizes import BodySizes
from bench.model.cases import Profile
from bench.model.countries import COUNTRIES
from bench.model.planned_bodies import bodies_of
from bench.server.responses import GIF, HTML, JSON, Bytes, Response, build_response, status_response

_COUNTRY_PATH: Final = re.compile(rb"/flags/([a-z]{2})/(?:\1\.gif|metadata\.json)")
_ANYWHERE: Final = re.compile(rb"(?:/[^?]*)?(/[a-z]{2}/[^/?]+(?:\?.*)?)", re.DOTALL)
_ORIGIN: Final = re.compile(rb"https?://[^/?#]*", re.IGNORECASE)
_NOT_FOUND: Final = status_response(404)
_POLICY: Final = ("Content-Security-Policy", "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'")


@dataclass(frozen=True, slots=True)
class Resource:
    """The resource at a path.

    Attributes:
        country: its country in upper case; empty for resources without delays, faults and attempts.
        name: the last segment of its path, as a relative link to itself; empty without a country.
    """

    response: Response
    country: str = ""
    name: str = ""

    @property
    def is_found(self) -> bool:
        """Whether the resource exists, so that a fault can replace it."""
        return self.response is not _NOT_FOUND


class Routes:
    """The resources by the target of a request.

    Attributes:
        flag_sizes: bytes of each flag, by country.
    """

    def __init__(self, flags: Mapping[str, Bytes]) -> None:
        self.flag_sizes: Final = {country: len(flag) for country, flag in flags.items()}
        self._resources = _build_resources(flags)

    def find(self, target: bytes) -> Resource:
        """Return the resource at a path, whose query is ignored."""
        found = self._resources.get(target)
        if found is None:
            path = target.partition(b"?")[0]
            found = self._resources.get(path) or _missing_resource(path)
        return found


class RoutesOfProfiles:
    """The resources of each profile: the flags, or bodies of the sizes that it draws."""

    def __init__(self, flags: Mapping[str, bytes], seed: int = 1) -> None:
        self._flags = flags
        self._seed = seed
        self._by_sizes: dict[BodySizes | None, Routes] = {}

    def find(self, profile: Profile) -> Routes:
        """Return the resources of a profile, which are built when it is first asked for."""
        found = self._by_sizes.get(profile.sizes)
        if found is None:
            found = Routes(bodies_of(profile, self._seed, self._flags))
            self._by_sizes[profile.sizes] = found
        return found


def strip_origin(target: bytes) -> bytes:
    """Return the path and query of a target that may be a whole URL (RFC 9112, 3.2.2)."""
    origin = _ORIGIN.match(target)
    if origin is None:
        return target
    rest = target[origin.end() :]
    return rest if rest.startswith(b"/") else b"/" + rest


def drop_folders(path: bytes) -> bytes:
    """Return ``/flags/br/br.gif`` for a path that ends with ``/br/br.gif``, and any other path as it is.

    A function of the user's may have the folders of another server in its code.
    """
    found = _ANYWHERE.fullmatch(path)
    return b"/flags" + found[1] if found else path


def _missing_resource(path: bytes) -> Resource:
    """Return a 404, with the delay of a country if the path is that of a flag."""
    match = _COUNTRY_PATH.fullmatch(path)
    return Resource(_NOT_FOUND, match[1].decode().upper() if match else "")


def _build_resources(flags: Mapping[str, Bytes]) -> dict[bytes, Resource]:
    found = {b"/": Resource(build_response(200, HTML, _write_index(flags).encode(), _POLICY))}
    for country, flag in flags.items():
        code = country.lower()
        metadata = json.dumps({"country": _country_name(country), "iso_cc": country}, ensure_ascii=False)
        for name, response in (
            (f"{code}.gif", build_response(200, GIF, flag)),
            ("metadata.json", build_response(200, JSON, metadata.encode())),
        ):
            found[f"/flags/{code}/{name}".encode()] = Resource(response, country, name)
    return found


def _country_name(country: str) -> str:
    return COUNTRIES.get(country, country)


def _write_index(flags: Mapping[str, Bytes]) -> str:
    rows = "\n".join(_write_row(country.lower(), _country_name(country)) for country in sorted(flags))
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


def _write_row(code: str, name: str) -> str:
    flag = f"flags/{code}/{code}.gif"
    return (
        f'<li><a href="{flag}"><img src="{flag}" alt="" loading="lazy"> {escape(name)}</a>'
        f' <a href="flags/{code}/metadata.json">{code.upper()}</a>'
    )
