"""``results/noise/<fingerprint>.json``: what is known of the noise of each machine that was measured here."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.errors import SetupError, UnreadableResultError
from bench.model.json_codec import MalformedError, from_json_value, parse, to_json_value
from bench.stats.noise import Noise
from bench.storage.atomic_write import write_atomically
from bench.system.noise_advice import Advice

NOISE: Final = Path("results/noise")
"""Below the folder in which the command was given."""
SCHEMA: Final = 1
"""Version of the document; a reader refuses any other."""
_SHOWN: Final = 12


@dataclass(frozen=True, slots=True)
class NoiseRecord:
    """The last noise that was measured on a machine.

    Attributes:
        fingerprint: of the machine.
        measured: when its run started, UTC, ISO 8601.
        run: name of the run that it was worked out from.
        config: name of the config of that run.
    """

    fingerprint: str
    measured: str
    run: str
    config: str
    noise: Noise
    advice: tuple[Advice, ...]


def noise_file(fingerprint: str) -> Path:
    """Return where the noise of a machine is kept."""
    return NOISE / f"{fingerprint[:_SHOWN]}.json"


def noise_to_json(record: NoiseRecord) -> str:
    """Write a record as JSON."""
    return json.dumps({"schema": SCHEMA, **to_json_value(record)}, indent=1) + "\n"


def save_noise(record: NoiseRecord) -> Path:
    """Put a record in the place of the machine's last one, and return where that is.

    Raises:
        EnvironmentFault: it cannot be written; the last one is as it was.
    """
    path = noise_file(record.fingerprint)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, noise_to_json(record), draft=path.with_name(f".{path.name}.{os.getpid()}"))
    except OSError as error:
        raise SetupError(f"cannot keep the noise in {path}: {error.strerror}") from error
    return path


def load_noise(fingerprint: str) -> NoiseRecord | None:
    """Read what is known of a machine; ``None`` if it was never measured here.

    Raises:
        UnreadableResultError: something is there and cannot be read; the message has its path.
    """
    path = noise_file(fingerprint)
    try:
        document = parse(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UnreadableResultError(f"{path}: {error.strerror}") from error
    except MalformedError as error:
        raise UnreadableResultError(f"{path}: {error.what}") from error
    return _fitted(document, path, fingerprint)


def _fitted(document: Any, path: Path, fingerprint: str) -> NoiseRecord:
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise UnreadableResultError(f"{path}: not of schema {SCHEMA}", hint="measure the noise again")
    fields = {key: value for key, value in document.items() if key != "schema"}
    try:
        record: NoiseRecord = from_json_value(NoiseRecord, fields, "noise")
    except MalformedError as error:
        raise UnreadableResultError(f"{path}: {error.what}") from error
    if record.fingerprint != fingerprint:
        raise UnreadableResultError(f"{path}: of another machine, {record.fingerprint[:_SHOWN]}")
    if not record.noise.cases or not all(case.pairs for case in record.noise.cases):
        raise UnreadableResultError(f"{path}: a case without pairs, or no case")
    return record
