"""Load and save ``results/noise/<fingerprint>.json``, the noise last measured on each machine."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.errors import UnreadableResultError
from bench.model.json_codec import MalformedError, from_json_value, parse, to_json_value
from bench.stats.noise import Noise
from bench.storage.shared_files import read_shared_file, replace_shared_file
from bench.system.noise_advice import Advice

NOISE: Final = Path("results/noise")
"""Below the folder in which the command was given."""
SCHEMA: Final = 1
"""Version of the document; a reader refuses any other."""
_SHOWN: Final = 12


@dataclass(frozen=True, slots=True)
class NoiseRecord:
    """The noise last measured on a machine.

    Attributes:
        fingerprint: of the machine.
        measured: start of its run, UTC, ISO 8601.
        run: name of the run that it was computed from.
        config: name of the config of that run.
    """

    fingerprint: str
    measured: str
    run: str
    config: str
    noise: Noise
    advice: tuple[Advice, ...]


def noise_file(fingerprint: str) -> Path:
    """Return the path of a machine's noise."""
    return NOISE / f"{fingerprint[:_SHOWN]}.json"


def noise_to_json(record: NoiseRecord) -> str:
    """Write a record as JSON."""
    return json.dumps({"schema": SCHEMA, **to_json_value(record)}, indent=1) + "\n"


def save_noise(record: NoiseRecord) -> Path:
    """Replace the last record of the machine, and return its path.

    Raises:
        SetupError: the file cannot be written; the last record is as it was.
    """
    path = noise_file(record.fingerprint)
    replace_shared_file(path, noise_to_json(record), "keep the noise in")
    return path


def load_noise(fingerprint: str) -> NoiseRecord | None:
    """Read the noise of a machine; return None if it was never measured here.

    Raises:
        UnreadableResultError: the file cannot be read; the message has its path.
    """
    path = noise_file(fingerprint)
    content = read_shared_file(path)
    if content is None:
        return None
    try:
        return _decode(content, fingerprint)
    except MalformedError as error:
        raise UnreadableResultError(f"{path}: {error.what}", hint="measure the noise again") from error


def _decode(content: bytes, fingerprint: str) -> NoiseRecord:
    """Decode a record.

    Raises:
        MalformedError: it is not a record of this machine and version.
    """
    document = parse(content)
    if not isinstance(document, dict) or document.pop("schema", None) != SCHEMA:
        raise MalformedError(f"not of schema {SCHEMA}")
    record: NoiseRecord = from_json_value(NoiseRecord, document, "noise")
    if record.fingerprint != fingerprint:
        raise MalformedError(f"of another machine, {record.fingerprint[:_SHOWN]}")
    if not record.noise.cases or not all(case.pairs for case in record.noise.cases):
        raise MalformedError("a case without pairs, or no case")
    return record
