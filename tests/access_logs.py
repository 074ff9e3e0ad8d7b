"""The same answers in every format that `profile-from` reads, with secrets in every other field.

Those of Apache, Envoy and ingress-nginx are written by their documentation; nginx itself writes its log in
an end-to-end test.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Logged:
    """An answer: what nginx, Apache and Envoy log of it, and a browser records."""

    status: int
    first_byte_ms: int
    whole_ms: int
    size: int


ANSWERS: Final = (
    Logged(200, 12, 15, 1_500),
    Logged(200, 30, 31, 20_000),
    Logged(502, 5_000, 5_001, 5_000),
    Logged(206, 100, 2_100, 10_485_760),
    Logged(304, 7, 7, 0),
    Logged(200, 9, 60, 10_485_761),
    Logged(404, 6_000, 6_000, 6_000),
)
FIRST_BYTES_MS: Final = (7, 9, 12, 30, 100)
WHOLE_MS: Final = (7, 15, 31, 60, 2_100)
SIZES: Final = (1_500, 20_000, 10_485_760)

USER: Final = "s3cret-user"
ADDRESS: Final = "192.0.2.77"
AGENT: Final = "s3cret-agent rt=0.001 duration=3"
PATH: Final = "/s3cret/path?token=s3cret-token&rt=0.002"
HOST: Final = "s3cret.example.com"
NUMBER: Final = "4111111111111111"
SECRETS: Final = ("s3cret", ADDRESS, NUMBER, "2026:03", "11-30T03")
"""Parts of all that no output may have."""

COMBINED: Final = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer"'
)
NGINX_FORMAT: Final = f'{COMBINED} "$http_user_agent" $request_time $upstream_header_time $request_id'
APACHE_FORMAT: Final = r"%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\" %{Cookie}i %D %^FB"


@dataclass(frozen=True, slots=True)
class Example:
    """A file in one of the formats.

    Attributes:
        content: of the file.
        words: the options that it takes.
        figure: the time that is read from it.
        times_ms: the values of that.
        sizes: those that count.
    """

    content: str
    words: tuple[str, ...]
    figure: str
    times_ms: tuple[int, ...] = FIRST_BYTES_MS
    sizes: tuple[int, ...] = SIZES


def _prefix(answer: Logged) -> str:
    head = (
        f'{ADDRESS} - {USER} [30/Nov/2026:03:00:00 +0000] "GET {PATH} HTTP/1.1" {answer.status} {answer.size}'
    )
    return f'{head} "https://{HOST}{PATH}" "{AGENT}"'


def _lines(write: Callable[[Logged], str], answers: Iterable[Logged] = ANSWERS) -> str:
    return "".join(f"{write(answer)}\n" for answer in answers)


def _seconds(ms: int) -> str:
    return f"{ms / 1000:.3f}"


def _nginx_pairs(answer: Logged) -> str:
    first, whole = _seconds(answer.first_byte_ms), _seconds(answer.whole_ms)
    return f'{_prefix(answer)} "{NUMBER}" rt={whole} uct="0.000" uht="{first}" urt="{whole}" id={NUMBER}'


def _nginx_json(answer: Logged) -> str:
    return json.dumps(
        {
            "remote_addr": ADDRESS,
            "request": f"GET {PATH} HTTP/1.1",
            "status": str(answer.status),
            "body_bytes_sent": answer.size,
            "request_time": _seconds(answer.whole_ms),
            "cookie": {"session": NUMBER},
            "tokens": [USER],
        }
    )


def _nginx_line(answer: Logged) -> str:
    return f"{_prefix(answer)} {_seconds(answer.whole_ms)} {_seconds(answer.first_byte_ms)} {NUMBER}"


def _ingress_line(answer: Logged) -> str:
    upstream = f"{ADDRESS}:80 {answer.size} {_seconds(answer.first_byte_ms)} {answer.status} {NUMBER}"
    return f"{_prefix(answer)} 500 {_seconds(answer.whole_ms)} [{HOST}] [] {upstream}"


def _apache_pairs(answer: Logged) -> str:
    size = str(answer.size or "-")
    head = f'{ADDRESS} - {USER} [30/Nov/2026:03:00:00 +0000] "GET {PATH} HTTP/1.1" {answer.status} {size}'
    return f'{head} "-" "{AGENT} \\" D=5 \\"" D={answer.whole_ms * 1000}'


def _apache_line(answer: Logged) -> str:
    times = f"{answer.whole_ms * 1000} {answer.first_byte_ms * 1000}"
    return f"{_prefix(answer).replace(AGENT, f'{AGENT} {chr(92)}{chr(34)} 3')} id={NUMBER} {times}"


def _envoy_line(answer: Logged, more: str = "", end: str = "") -> str:
    start = f'[2026-11-30T03:00:00.000Z] "GET {PATH} HTTP/2" {answer.status} - {more}'
    clients = f'"{ADDRESS}" "{AGENT}" "{NUMBER}" "{HOST}" "{ADDRESS}:80"'
    return f"{start}154 {answer.size} {answer.whole_ms} {answer.first_byte_ms} {clients}{end}"


def _istio_line(answer: Logged) -> str:
    route = f" outbound|80||{HOST} {ADDRESS}:1 {ADDRESS}:2 {ADDRESS}:3 {HOST} s3cret-route"
    return _envoy_line(answer, 'via_upstream - "-" ', route)


def _envoy_json(answer: Logged) -> str:
    return json.dumps(
        {
            "authority": HOST,
            "bytes_sent": answer.size,
            "duration": answer.whole_ms,
            "path": PATH,
            "response_code": answer.status,
            "response_flags": "-",
            "upstream_service_time": str(answer.first_byte_ms),
            "user_agent": AGENT,
            "x_forwarded_for": None,
        }
    )


def _har_entry(answer: Logged) -> dict[str, Any]:
    header = {"name": "cookie", "value": USER}
    return {
        "startedDateTime": "2026-11-30T03:00:00.000Z",
        "time": answer.whole_ms + 500,
        "serverIPAddress": ADDRESS,
        "request": {"url": f"https://{HOST}{PATH}", "headers": [header], "cookies": [header]},
        "response": {
            "status": answer.status,
            "headers": [header],
            "content": {"size": 3 * answer.size, "mimeType": "text/plain", "text": AGENT},
            "bodySize": answer.size,
        },
        "timings": {
            "blocked": 100, "dns": 100, "connect": 200, "ssl": 100, "send": 0.5,
            "wait": answer.first_byte_ms, "receive": answer.whole_ms - answer.first_byte_ms,
        },
        "comment": NUMBER,
    }  # fmt: skip


def har(entries: Iterable[Mapping[str, Any]], indent: int | None = None) -> str:
    """Return a HAR file of entries."""
    log = {"version": "1.2", "creator": {"name": USER, "version": "1"}, "pages": [], "entries": list(entries)}
    return json.dumps({"log": log}, indent=indent)


def har_entry(**changes: Any) -> dict[str, Any]:
    """Return an entry of an answer of 2,000 bytes after 50 ms, with other parts."""
    return {**_har_entry(Logged(200, 50, 60, 2_000)), **changes}


def _csv(separator: str, unit: str) -> str:
    names = separator.join(["path", "took", "note", "bytes"])
    rows = (
        separator.join([PATH, f"{each.first_byte_ms}{unit}", f'"{AGENT}, {NUMBER}"', f"{each.size}"])
        for each in OK
    )
    return "".join(f"{row}\n" for row in (names, *rows))


OK: Final = tuple(answer for answer in ANSWERS if answer.status < 400)

EXAMPLES: Final[Mapping[str, Example]] = {
    "nginx pairs": Example(_lines(_nginx_pairs), (), "$upstream_header_time"),
    "nginx, a named time": Example(_lines(_nginx_pairs), ("--column", "rt"), "$request_time", WHOLE_MS),
    "nginx JSON": Example(_lines(_nginx_json), (), "$request_time", WHOLE_MS),
    "nginx format": Example(_lines(_nginx_line), ("--log-format", NGINX_FORMAT), "$upstream_header_time"),
    "nginx directive": Example(
        _lines(_nginx_line),
        (
            "--log-format",
            f"log_format timed escape=default '{COMBINED} '\n  '{NGINX_FORMAT[len(COMBINED) + 1 :]}';",
        ),
        "$upstream_header_time",
    ),
    "ingress-nginx": Example(_lines(_ingress_line), (), "$upstream_response_time"),
    "Apache pairs": Example(_lines(_apache_pairs), (), "%D", WHOLE_MS),
    "Apache format": Example(_lines(_apache_line), ("--log-format", APACHE_FORMAT), "%^FB"),
    "Apache directive": Example(
        _lines(_apache_line), ("--log-format", f'LogFormat "{APACHE_FORMAT}" timed'), "%^FB"
    ),
    "Envoy": Example(_lines(_envoy_line), (), "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%"),
    "Istio": Example(_lines(_istio_line), (), "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%"),
    "Envoy JSON": Example(_lines(_envoy_json), (), "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%"),
    "Envoy format": Example(
        _lines(lambda each: f"{each.status} {PATH} {each.size} {each.first_byte_ms}"),
        (
            "--log-format",
            "%RESPONSE_CODE% %REQ(:PATH)% %BYTES_SENT% %RESP(x-envoy-upstream-service-time)%\\n",
        ),
        "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%",
    ),
    "HAR": Example(har(map(_har_entry, ANSWERS)), (), "timings.wait"),
    "indented HAR": Example(har(map(_har_entry, ANSWERS), 2), ("--format", "har"), "timings.wait"),
    "CSV": Example(_csv(",", ""), ("--column", "took", "--unit", "ms", "--size-column", "bytes"), "took"),
    "CSV with units": Example(
        _csv(";", "ms"), ("--column", "took", "--format", "csv", "--size-column", "bytes"), "took"
    ),
    "JSON of others": Example(
        _lines(lambda each: json.dumps({"path": PATH, "status": each.status, "took": each.whole_ms * 1000})),
        ("--column", "took", "--unit", "us"),
        "took",
        WHOLE_MS,
        (),
    ),
}
"""Examples of all formats."""
