"""Read the answers of a HAR file (HTTP Archive 1.2), which browsers and proxies save."""

import json
from collections.abc import Mapping
from typing import Any, Final

from bench.config.measured.answers import Answer, Elsewhere, Entry, Figure, Measured
from bench.config.measured.figures import bounded_ms
from bench.config.measured.tally import Tally
from bench.errors import UsageError

_WAIT: Final = Figure(
    "timings.wait",
    "from the end of the request to the first byte of the answer, the way through the network included; "
    "queueing, DNS, connecting and TLS are not in it",
)
_BODY: Final = Figure("response.bodySize", "the bytes of the body, as they were sent")
_CONTENT: Final = Figure("response.content.size", "the bytes of the body, uncompressed")
_MOST: Final = 1e15
_CACHES: Final = frozenset({"Memory Cache", "Disk Cache", "Service Worker"})


def read_har(text: str) -> Measured:
    """Read a HAR file.

    Raises:
        UsageError: it is none, or too many of its entries cannot be read.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise UsageError("the file is no complete JSON document", hint="save the HAR file anew") from None
    entries = _get(document, "log", "entries")
    if not isinstance(entries, list):
        raise UsageError("the file is JSON, but no HAR file: it has no log.entries", hint="see --format")
    tally = Tally("a HAR file", "request", [_WAIT], [_BODY, _CONTENT])
    for entry in entries:
        tally.add(_read_entry(entry))
    return tally.result()


def _read_entry(entry: object) -> Entry:
    status = _number(_get(entry, "response", "status"))
    url = _get(entry, "request", "url")
    wait = _number(_get(entry, "timings", "wait"))
    body, content = (_number(_get(entry, "response", *keys)) for keys in (("bodySize",), ("content", "size")))
    if status is None or not isinstance(url, str):
        return None
    fetched = _get(entry, "_fetchType")
    is_cached = bool(_get(entry, "_fromCache")) or (isinstance(fetched, str) and fetched in _CACHES)
    if is_cached or not url.startswith(("http://", "https://")) or (not wait and not body):
        return Elsewhere()
    try:
        return Answer(int(status), (None if wait is None else bounded_ms(wait),), (body, content))
    except ValueError:
        return None


def _get(value: object, *keys: str) -> Any:
    """Return a value within JSON objects, or None."""
    for key in keys:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def _number(value: object) -> float | None:
    """Return a number of 0 or more; None for others, as -1 stands for unknown."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= _MOST else None
