"""What the harness and the flag server tell each other, one line of JSON a message.

Each side reads strictly: both are of one version, so anything unknown is a mistake, never a newer
feature.
"""

from typing import Any, TypeAlias

from bench.errors import BenchError, SetupError, UsageError
from bench.model.json_codec import encode, parse

Message: TypeAlias = dict[str, Any]


def to_line(message: Message) -> bytes:
    """Write a message as a line of JSON."""
    return encode(message).encode() + b"\n"


def from_line(line: bytes) -> Message:
    """Read a message.

    Raises:
        UsageError: the line is no JSON object.
        MalformedError: it is not even JSON.
    """
    message = parse(line)
    if not isinstance(message, dict):
        raise UsageError(f"a control line is not a JSON object: {message!r}")
    return message


def error_to_json(error: BenchError) -> Message:
    """Write an error as the answer to the line that caused it."""
    return {"error": {"kind": error.kind, "what": error.what, "hint": error.hint}}


def error_from_json(message: Message) -> BenchError:
    """Read an error, to be raised on the side that asked."""
    kinds: dict[str, type[BenchError]] = {kind.kind: kind for kind in (SetupError, UsageError)}
    return kinds.get(message["kind"], BenchError)(message["what"], hint=message["hint"])
