"""The figures that each server writes into its access log: names, units, and what a time contains.

Sources: nginx, ngx_http_log_module and ngx_http_upstream_module; Apache, mod_log_config and mod_logio;
Envoy, "Access logging".
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from bench.config.measured.answers import Figure
from bench.config.measured.line_fields import NumberText

ServerName: TypeAlias = Literal["nginx", "apache", "envoy"]
Read: TypeAlias = Callable[[str], float | None]
"""Reads a figure as milliseconds or bytes; None: there is none. Raises ``ValueError`` for other texts."""

_DAY_MS: Final = 86_400_000.0
_WHOLE: Final = re.compile(r"[0-9]{1,15}")
_NUMBER: Final = re.compile(r"(?:[0-9]{1,15}(?:\.[0-9]{1,40})?|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,3})?")
_NGINX_SECONDS: Final = re.compile(r"[0-9]{1,8}\.[0-9]{3}")
_SHORTENED: Final = re.compile(r"([0-9]{1,8})(?:\.([0-9]{1,3}))?")
_STATUS: Final = re.compile(r"[0-9]{1,3}")
_NONE: Final = frozenset({"", "-"})
_MS: Final = {"ns": 1e-6, "us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}
TIME_UNITS: Final = tuple(_MS)


@dataclass(frozen=True, slots=True)
class LoggedFigure(Figure):
    """A figure in a log.

    Attributes:
        read: reads its text.
        keys: its names in JSON and in pairs such as ``rt=0.012``, beside that in a format string.
        shortened: the one whose numbers in JSON may have lost zeros at their end, of three decimals.
    """

    read: Read
    keys: tuple[str, ...] = ()
    shortened: str = ""

    def find(self, fields: Mapping[str, str]) -> str | None:
        """Return its text among those of a line, or None."""
        for key in (self.name, *self.keys):
            if key in fields:
                return _lengthened(fields[key]) if key == self.shortened else fields[key]
        return None


@dataclass(frozen=True, slots=True)
class Server:
    """The access log of a server.

    Attributes:
        title: its name in sentences.
        times: those nearest to the first byte of the answer first.
        sizes: those of bodies first.
        statuses: the names of the status.
        marks: keys that no other server's log has.
        short_marks: keys that say so only in lines that are this server's in another way, too.
        advice: what to add to its settings.
    """

    title: str
    times: tuple[LoggedFigure, ...]
    sizes: tuple[LoggedFigure, ...]
    statuses: tuple[str, ...]
    marks: frozenset[str]
    short_marks: frozenset[str]
    advice: str
    read_status: Callable[[str], int | None]


def bounded_ms(value: float) -> float:
    """Return a latency, rounded to nanoseconds; at most a day.

    Raises:
        ValueError: it is longer, negative, or no number.
    """
    if not 0 <= value <= _DAY_MS:
        raise ValueError("not from 0 to a day")
    return round(float(value), 6)


def time_reader(unit: str) -> Read:
    """Return a reader of numbers in a unit of ``TIME_UNITS``."""
    return lambda text: None if text in _NONE else bounded_ms(float(_match(_NUMBER, text)) * _MS[unit])


def read_whole(text: str) -> float | None:
    """Read a whole number of bytes."""
    return None if text in _NONE else float(_match(_WHOLE, text))


def read_status(text: str) -> int:
    """Read a status; 0: there was no answer."""
    return 0 if text in _NONE else int(_match(_STATUS, text))


def read_any_status(text: str) -> int | None:
    """Read a status of an unknown server; None: it is a text such as ``ok``."""
    return read_status(text) if text in _NONE or _STATUS.fullmatch(text) else None


def _lengthened(text: str) -> str:
    """Return a number of JSON with three decimals: 0.010 is 0.01 once another program has written it."""
    found = _SHORTENED.fullmatch(text) if isinstance(text, NumberText) else None
    return f"{found[1]}.{found[2] or '':0<3}" if found else text


def _whole_time(unit: str) -> Read:
    """Return a reader of whole numbers: another program's fractions are in another unit."""
    return lambda text: None if text in _NONE else bounded_ms(float(_match(_WHOLE, text)) * _MS[unit])


def _read_seconds(text: str) -> float | None:
    """Read seconds as nginx writes them, with three decimals, and add up those of several servers.

    ``0.010, 0.020 : 0.005`` are the times of two servers, and after an internal redirect of a third one;
    ``-`` stands for a server that did not answer.
    """
    parts = [part.strip() for part in text.replace(":", ",").split(",")]
    found = [float(_match(_NGINX_SECONDS, part)) for part in parts if part not in _NONE]
    return bounded_ms(1000 * sum(found)) if found else None


def _match(pattern: re.Pattern[str], text: str) -> str:
    if pattern.fullmatch(text) is None:
        raise ValueError("not of this form")
    return text


_TRANSFER: Final = "the transfer is in it, so a bandwidth in the profile would count that twice"
_SIZE: Final = "the bytes of the body, as they were sent"
_SIZE_WITH_HEADERS: Final = "the bytes of the answer, its headers included"

SERVERS: Final[Mapping[ServerName, Server]] = {
    "nginx": Server(
        title="nginx",
        times=(
            LoggedFigure(
                "$upstream_header_time",
                "nginx's wait for the first byte of the upstream server's answer",
                _read_seconds,
                ("upstream_header_time", "uht"),
                shortened="upstream_header_time",
            ),
            LoggedFigure(
                "$upstream_response_time",
                "nginx's wait for the upstream server's whole answer, its body included",
                _read_seconds,
                ("upstream_response_time", "urt"),
                shortened="upstream_response_time",
            ),
            LoggedFigure(
                "$request_time",
                f"from the first byte of the request to the last one of the answer; {_TRANSFER}",
                _read_seconds,
                ("request_time", "rt"),
                shortened="request_time",
            ),
        ),
        sizes=(
            LoggedFigure("$body_bytes_sent", _SIZE, read_whole, ("body_bytes_sent",)),
            LoggedFigure("$bytes_sent", _SIZE_WITH_HEADERS, read_whole, ("bytes_sent",)),
        ),
        statuses=("$status", "status"),
        marks=frozenset({"upstream_header_time", "upstream_response_time", "request_time"}),
        short_marks=frozenset({"uht", "urt", "rt"}),
        advice=(
            'log_format timed \'$remote_addr - $remote_user [$time_local] "$request" $status '
            '$body_bytes_sent rt=$request_time uht="$upstream_header_time" urt="$upstream_response_time"\';'
        ),
        read_status=read_status,
    ),
    "apache": Server(
        title="Apache",
        times=(
            LoggedFigure(
                "%^FB",
                "from the arrival of the request to the first byte of the answer",
                _whole_time("us"),
            ),
            *(
                LoggedFigure(
                    name,
                    f"from the arrival of the request to the last byte of the answer{rounded}; {_TRANSFER}",
                    _whole_time(unit),
                    keys,
                )
                for name, keys, unit, rounded in (
                    ("%D", ("D",), "us", ""),
                    ("%{us}T", (), "us", ""),
                    ("%{ms}T", (), "ms", ""),
                    ("%T", ("%{s}T", "T"), "s", ", in whole seconds, while %D has microseconds"),
                )
            ),
        ),
        sizes=(
            LoggedFigure("%B", _SIZE, read_whole),
            LoggedFigure("%b", _SIZE, read_whole, ("body_bytes_sent",)),
            LoggedFigure("%O", _SIZE_WITH_HEADERS, read_whole),
        ),
        statuses=("%>s", "%s", "status"),
        marks=frozenset(),
        short_marks=frozenset({"D", "T"}),
        advice='LogFormat "%h %l %u %t \\"%r\\" %>s %b D=%D" timed',
        read_status=read_status,
    ),
    "envoy": Server(
        title="Envoy",
        times=(
            LoggedFigure(
                "%RESPONSE_DURATION%",
                "from the start of the request to the first byte of the upstream server's answer",
                _whole_time("ms"),
                ("response_duration",),
            ),
            LoggedFigure(
                "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%",
                "Envoy's wait for the first byte of the upstream server's answer",
                _whole_time("ms"),
                ("upstream_service_time", "x-envoy-upstream-service-time", "x_envoy_upstream_service_time"),
            ),
            LoggedFigure(
                "%DURATION%",
                f"from the start of the request to the last byte of the answer; {_TRANSFER}",
                _whole_time("ms"),
                ("duration",),
            ),
        ),
        sizes=(LoggedFigure("%BYTES_SENT%", _SIZE, read_whole, ("bytes_sent",)),),
        statuses=("%RESPONSE_CODE%", "response_code"),
        marks=frozenset(
            {
                "response_duration",
                "upstream_service_time",
                "x-envoy-upstream-service-time",
                "x_envoy_upstream_service_time",
                "response_flags",
            }
        ),
        short_marks=frozenset(),
        advice="%RESPONSE_DURATION% in the format",
        read_status=read_status,
    ),
}
"""The servers whose logs are known."""
