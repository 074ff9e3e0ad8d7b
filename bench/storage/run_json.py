"""Write and read ``run.json``: a run as JSON, with checksums of its exact bytes.

docs/results.md lists the keys. The last key of the document is ``crc32``: one checksum for each 4,096 bytes
before that key, and one of these checksums themselves, in hex digits separated by spaces. Checking the
*meaning* of numbers would not be enough: ``1e-05`` and ``1E-05`` are equal, and only one of them was written.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final
from zlib import crc32

from bench.errors import UnreadableResultError
from bench.model.json_codec import MalformedError, from_json_value, parse, to_json_value
from bench.model.latency_histogram import is_histogram
from bench.model.results import Run
from bench.stats.fairness import fairness_records

SCHEMA: Final = 3
"""Version of the document; a reader refuses any other."""
_PIECE: Final = 4096
_CHECKSUMS: Final = re.compile(rb',\n "crc32": "((?:[0-9a-f]{8} )+)([0-9a-f]{8})"\n}\n\Z')


class DamagedError(MalformedError):
    """A document differs from its checksums; the message has the byte where the damage starts."""


def run_to_json(run: Run) -> dict[str, Any]:
    """Return the document of a run, ready for ``json.dumps``."""
    document: dict[str, Any] = {"schema": SCHEMA, **to_json_value(run)}
    document["cases"] = [{"id": case.id, **to_json_value(case)} for case in run.cases]
    if any(trial.runtime is not None for trial in run.trials):  # runs from before that was recorded lack it
        document["fairness"] = fairness_records(run)
    return document


def run_to_json_text(run: Run) -> str:
    """Write the document of a run as it is stored, and as it is exported."""
    return add_checksums(run_to_json(run))


def run_from_bytes(content: bytes) -> Run:
    """Read a stored run.

    Raises:
        UnreadableResultError: it is of another schema, or damaged; the message says where.
    """
    try:
        has_checksums = verify_checksums(content)
        document = _parse(content)
    except MalformedError as error:
        raise UnreadableResultError(error.what) from error
    _check_schema(document)
    if not has_checksums:
        raise UnreadableResultError(f"damaged at byte {len(content)}: its end, the checksums, is missing")
    return run_from_json(_without(document, "crc32"))


def run_from_json(document: Any) -> Run:
    """Read a run from its document.

    Raises:
        UnreadableResultError: it is of another schema, or not a run; the message says where.
    """
    _check_schema(document)
    cases = document.get("cases")
    if isinstance(cases, list):
        document = {**document, "cases": [_without(case, "id") for case in cases]}
    try:
        run: Run = from_json_value(Run, _without(_without(document, "schema"), "fairness"), "run")
    except MalformedError as error:
        raise UnreadableResultError(f"not a run: {error.what}") from error
    if problem := _find_inconsistency(run):
        raise UnreadableResultError(f"not a run: {problem}")
    return run


def add_checksums(document: Mapping[str, Any]) -> str:
    """Write a document with at least one key as indented JSON, with checksums at its end.

    It is ASCII, so that names in it cannot control a terminal, and half a surrogate pair can be written.
    """
    body = json.dumps(document, indent=1).removesuffix("\n}")
    pieces = _checksums(body.encode())
    return f'{body},\n "crc32": "{pieces}{crc32(pieces.encode()):08x}"\n}}\n'


def verify_checksums(content: bytes) -> bool:
    """Verify the checksums of a document; return False if it does not end with any.

    Raises:
        DamagedError: a checksum does not match.
    """
    stored = _CHECKSUMS.search(content)
    if stored is None:
        return False
    if f"{crc32(stored[1]):08x}".encode() != stored[2]:
        raise DamagedError(
            f"damaged at byte {stored.start(1)}: the checksums at its end do not match themselves"
        )
    found = _checksums(content[: stored.start()]).encode()
    if found != stored[1]:
        width = len(f"{0:08x} ")
        differing = (at for at in range(0, len(found), width) if found[at:][:width] != stored[1][at:][:width])
        first = next(differing, len(found)) // width * _PIECE
        last = min(first + _PIECE, stored.start())
        raise DamagedError(f"damaged at byte {first}, or up to byte {last}: the checksum does not match")
    return True


def _checksums(body: bytes) -> str:
    return "".join(f"{crc32(body[at : at + _PIECE]):08x} " for at in range(0, len(body), _PIECE))


def _check_schema(document: Any) -> None:
    if not isinstance(document, dict):
        raise UnreadableResultError("not a run: not a JSON object")
    schema = document.get("schema")
    if schema != SCHEMA:
        raise UnreadableResultError(
            f"the results have schema {schema!r}, this flagbench reads {SCHEMA}",
            hint="read them with the flagbench that wrote them",
        )


def _parse(content: bytes) -> Any:
    """Parse JSON; the error has the byte at which it is damaged."""
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


def _find_inconsistency(run: Run) -> str | None:
    """Return the first inconsistency of a run, or None."""
    known = {case.id for case in run.cases}
    if not known:
        return "it has no cases"
    if not isinstance(run.config.get("name"), str):
        return "its config has no name"
    if not all(is_histogram(trial.latency) for trial in run.trials):
        return "the latency of a trial is not a histogram"
    unknown = next((trial.case for trial in run.trials if trial.case not in known), None)
    return None if unknown is None else f"a trial is of {unknown!r}, which is not one of its cases"


def _without(document: Any, derived: str) -> Any:
    """Leave out a key that is stored for readers' convenience and follows from the rest."""
    if not isinstance(document, dict):
        return document
    return {key: value for key, value in document.items() if key != derived}
