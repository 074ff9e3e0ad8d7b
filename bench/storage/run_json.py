"""``run.json``: a run as JSON and back. docs/results.md lists its keys."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from zlib import crc32

from bench.errors import UnreadableResultError
from bench.model.json_codec import MalformedError, from_json_value, parse, to_json_value
from bench.model.latency_histogram import is_histogram
from bench.model.results import Run

SCHEMA: Final = 3
"""Version of the document; a reader refuses any other."""


def run_to_json(run: Run) -> dict[str, Any]:
    """Return the document of a run, ready for ``json.dumps``."""
    document: dict[str, Any] = {"schema": SCHEMA, **to_json_value(run)}
    document["cases"] = [{"id": case.id, **to_json_value(case)} for case in run.cases]
    return document


def run_to_json_text(run: Run) -> str:
    """Write the document of a run as it is stored, and as it is exported."""
    return add_checksums(run_to_json(run))


def run_from_bytes(content: bytes) -> Run:
    """Rebuild a run from what is stored.

    Raises:
        UnreadableResultError: it is of another schema, or not what was written; the message says where.
    """
    try:
        has_seal = verify_checksums(content)
        document = _parsed(content)
    except MalformedError as error:
        raise UnreadableResultError(error.what) from error
    _check_schema(document)
    if not has_seal:
        raise UnreadableResultError(f"damaged at byte {len(content)}: its end, the checksums, is missing")
    return run_from_json(_without(document, {"crc32"}))


def run_from_json(document: Any) -> Run:
    """Rebuild a run.

    Raises:
        UnreadableResultError: it is of another schema, or not what was written; the message says where.
    """
    _check_schema(document)
    derived = {"schema"}
    cases = document.get("cases")
    if isinstance(cases, list):
        document = {**document, "cases": [_without(case, {"id"}) for case in cases]}
    try:
        run: Run = from_json_value(Run, _without(document, derived), "run")
    except MalformedError as error:
        raise UnreadableResultError(f"no run: {error.what}") from error
    if damage := _inconsistency(run):
        raise UnreadableResultError(f"no run: {damage}")
    return run


def _check_schema(document: Any) -> None:
    if not isinstance(document, dict):
        raise UnreadableResultError("no run: not a JSON object")
    schema = document.get("schema")
    if schema != SCHEMA:
        raise UnreadableResultError(
            f"the results have schema {schema!r}, this flagbench reads {SCHEMA}",
            hint="read them with the flagbench that wrote them",
        )


def _parsed(content: bytes) -> Any:
    """Read JSON, and say of what is none at which byte that shows."""
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise MalformedError(f"damaged at byte {error.start}: not UTF-8") from error
    try:
        return parse(text)
    except MalformedError as error:
        if not isinstance(error.__cause__, json.JSONDecodeError):
            raise
        at, why = error.__cause__.pos, error.__cause__.msg
        raise MalformedError(f"damaged at byte {len(text[:at].encode())}: {why}") from error


def _inconsistency(run: Run) -> str:
    """Say what does not hang together; nothing if all does."""
    known = {case.id for case in run.cases}
    if not known:
        return "it has no cases"
    if not isinstance(run.config.get("name"), str):
        return "its config has no name"
    if not all(is_histogram(trial.latency) for trial in run.trials):
        return "the latency of a trial is no histogram"
    stranger = next((trial.case for trial in run.trials if trial.case not in known), None)
    return "" if stranger is None else f"a trial is of {stranger!r}, which is none of its cases"


def _without(document: Any, derived: set[str]) -> Any:
    """Leave out what is stored for readers' convenience and follows from the rest."""
    if not isinstance(document, dict):
        return document
    return {key: value for key, value in document.items() if key not in derived}


_PIECE: Final = 4096
_SEAL: Final = re.compile(rb',\n "crc32": "((?:[0-9a-f]{8} )+)([0-9a-f]{8})"\n}\n\Z')


class DamagedError(MalformedError):
    """A sealed document is not as it was written; the message says from which byte on."""


def add_checksums(document: Mapping[str, Any]) -> str:
    """Write a document that has at least one key, for people to read, with its checksums at its end.

    It is ASCII, so that no terminal obeys what a name may hold, and half a surrogate pair is no trouble.
    """
    body = json.dumps(document, indent=1).removesuffix("\n}")
    pieces = _checksums(body.encode())
    return f'{body},\n "crc32": "{pieces}{crc32(pieces.encode()):08x}"\n}}\n'


def verify_checksums(content: bytes) -> bool:
    """Say whether a document ends as a sealed one does.

    Raises:
        DamagedError: it does, and its content is not what was sealed.
    """
    seal = _SEAL.search(content)
    if seal is None:
        return False
    if f"{crc32(seal[1]):08x}".encode() != seal[2]:
        raise DamagedError(
            f"damaged at byte {seal.start(1)}: the checksums at its end do not match themselves"
        )
    found = _checksums(content[: seal.start()]).encode()
    if found != seal[1]:
        width = len(f"{0:08x} ")
        differing = (at for at in range(0, len(found), width) if found[at:][:width] != seal[1][at:][:width])
        first = next(differing, len(found)) // width * _PIECE
        last = min(first + _PIECE, seal.start())
        raise DamagedError(f"damaged at byte {first}, or up to byte {last}: the checksum does not match")
    return True


def _checksums(body: bytes) -> str:
    return "".join(f"{crc32(piece):08x} " for piece in _pieces(body))


def _pieces(body: bytes) -> Iterator[bytes]:
    return (body[at : at + _PIECE] for at in range(0, len(body), _PIECE))
