"""The JSON forms of what the harness and the flag server tell each other, one line a message.

Each side reads strictly: both are of one version, so anything unknown is a mistake, never a newer
feature.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Final, TypeAlias

from bench.errors import BenchError, EnvironmentFault, UsageError
from bench.model import Fixed, Latency, LogNormal, Profile, Uniform, Witness
from bench.server.settings import ServerSettings

Message: TypeAlias = dict[str, Any]

_LATENCIES: Final[Mapping[str, type[Fixed | Uniform | LogNormal]]] = {
    "fixed": Fixed,
    "uniform": Uniform,
    "log_normal": LogNormal,
}


def to_line(message: Message) -> bytes:
    """Write a message as a line of JSON."""
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def from_line(line: bytes) -> Message:
    """Read a message.

    Raises:
        UsageError: the line is no JSON object.
    """
    try:
        message = json.loads(line)
    except ValueError as error:
        raise UsageError(f"a control line is not JSON: {error}") from error
    if not isinstance(message, dict):
        raise UsageError(f"a control line is not a JSON object: {message!r}")
    return message


def profile_to_json(profile: Profile) -> Message:
    """Write a profile; its latency becomes an object that names its kind: ``{"fixed": {…}}``."""
    kind = next(name for name, latency in _LATENCIES.items() if isinstance(profile.latency, latency))
    plain = {field.name: getattr(profile, field.name) for field in fields(profile)}
    return plain | {"latency": {kind: asdict(profile.latency)}}


def profile_from_json(message: Any) -> Profile:
    """Read a profile.

    Raises:
        UsageError: a key is missing or unknown, or a value has another type.
    """
    _expect_keys(message, Profile)
    bandwidth = message["bandwidth"]
    return Profile(
        name=text(message, "name"),
        latency=_latency(message["latency"]),
        jitter_s=_number(message, "jitter_s"),
        bandwidth=None if bandwidth is None else _number(message, "bandwidth"),
        error_rate=_number(message, "error_rate"),
        error_status=whole_number(message, "error_status"),
    )


def settings_to_json(settings: ServerSettings) -> Message:
    """Write what a server is to start with."""
    plain = {field.name: getattr(settings, field.name) for field in fields(settings)}
    folder = None if settings.flags_dir is None else str(settings.flags_dir)
    return plain | {"profile": profile_to_json(settings.profile), "flags_dir": folder}


def settings_from_json(message: Message) -> ServerSettings:
    """Read what to start with.

    Raises:
        UsageError: as for a profile.
    """
    _expect_keys(message, ServerSettings)
    return ServerSettings(
        profile=profile_from_json(message["profile"]),
        seed=whole_number(message, "seed"),
        flags_dir=None if message["flags_dir"] is None else Path(text(message, "flags_dir")),
        host=text(message, "host"),
        port=whole_number(message, "port"),
    )


def witness_to_json(witness: Witness) -> Message:
    """Write what the server saw of a round."""
    return asdict(witness)


def witness_from_json(message: Message) -> Witness:
    """Read what the server saw of a round."""
    _expect_keys(message, Witness)
    return Witness(
        requests=whole_number(message, "requests"),
        connections=whole_number(message, "connections"),
        max_in_flight=whole_number(message, "max_in_flight"),
        late_p50_s=_number(message, "late_p50_s"),
        late_p99_s=_number(message, "late_p99_s"),
    )


def error_to_json(error: BenchError) -> Message:
    """Write an error as the answer to the line that caused it."""
    return {"error": {"kind": error.kind, "what": error.what, "hint": error.hint}}


def error_from_json(message: Message) -> BenchError:
    """Read an error, to be raised on the side that asked."""
    error = EnvironmentFault if message["kind"] == EnvironmentFault.kind else UsageError
    return error(message["what"], hint=message["hint"])


def whole_number(message: Message, key: str) -> int:
    """Return an integer, and nothing that merely resembles one."""
    value = message.get(key)
    if type(value) is not int:
        raise UsageError(f"{key} is {value!r}, not a whole number")
    return value


def text(message: Message, key: str) -> str:
    """Return a string."""
    value = message.get(key)
    if not isinstance(value, str):
        raise UsageError(f"{key} is {value!r}, not a text")
    return value


def _latency(message: Any) -> Latency:
    match message:
        case {"fixed": dict(of)} if len(message) == 1:
            _expect_keys(of, Fixed)
            return Fixed(_number(of, "seconds"))
        case {"uniform": dict(of)} if len(message) == 1:
            _expect_keys(of, Uniform)
            return Uniform(_number(of, "low_s"), _number(of, "high_s"))
        case {"log_normal": dict(of)} if len(message) == 1:
            _expect_keys(of, LogNormal)
            return LogNormal(_number(of, "median_s"), _number(of, "p99_s"))
    raise UsageError(f"latency is {message!r}", hint=f"it needs one of {', '.join(_LATENCIES)}")


def _expect_keys(message: Any, kind: type[Any]) -> None:
    expected = {field.name for field in fields(kind)}
    found = set(message) if isinstance(message, dict) else set()
    if found != expected:
        odd = ", ".join(sorted(found ^ expected))
        raise UsageError(f"a {kind.__name__} has missing or unknown keys: {odd}")


def _number(message: Message, key: str) -> float:
    value = message[key]
    if type(value) not in {int, float}:
        raise UsageError(f"{key} is {value!r}, not a number")
    return float(value)
