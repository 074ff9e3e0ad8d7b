"""Encode the messages between runner and flag server, one line of JSON each.

Both sides read strictly: they are of one version, so anything unknown is a mistake and not a newer feature.
"""

from typing import Any, TypeAlias

from bench.errors import BenchError, SetupError, UsageError
from bench.model.json_codec import encode, parse

Message: TypeAlias = dict[str, Any]


def to_line(message: Message) -> bytes:
    """Encode a message as a line of JSON."""
    return encode(message).encode() + b"\n"


def from_line(line: bytes) -> Message:
    """Decode a message.

    Raises:
        UsageError: the line is JSON, but no object.
        MalformedError: the line is not JSON.
    """
    message = parse(line)
    if not isinstance(message, dict):
        raise UsageError(f"a control line is not a JSON object: {message!r}")
    return message


def error_to_json(error: BenchError) -> Message:
    """Encode an error as the reply to the message that caused it."""
    return {"error": {"kind": error.kind, "what": error.what, "hint": error.hint}}


def error_from_json(message: Message) -> BenchError:
    """Decode an error, to be raised by the side that asked."""
    kinds: dict[str, type[BenchError]] = {kind.kind: kind for kind in (SetupError, UsageError)}
    return kinds.get(message["kind"], BenchError)(message["what"], hint=message["hint"])
