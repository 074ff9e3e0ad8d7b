"""The journal: one checksummed line per trial, durable before the next trial starts.

A trial counts once its line is on disk. The checksum covers the exact bytes of the ``trial`` value,
so that neither a torn write nor a flipped bit passes for a measurement.
"""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from zlib import crc32

from bench.errors import EnvironmentFault, UnreadableResultError
from bench.measurement import Measurement
from bench.wire import MalformedError, encode, fit, parse

_TEMPLATE: Final = '{{"crc32": "{crc:08x}", "trial": {trial}}}\n'
_TRIAL_FROM: Final = len(_TEMPLATE.format(crc=0, trial="")) - len("}\n")


class Journal:
    """The open journal of a run; append only."""

    def __init__(self, file: io.FileIO) -> None:
        self._file = file

    def append(self, measurement: Measurement) -> None:
        """Write one trial and return once it is durable.

        Raises:
            EnvironmentFault: it cannot be written; the journal is as it was.
        """
        trial = encode(measurement)
        left = memoryview(_TEMPLATE.format(crc=crc32(trial.encode()), trial=trial).encode())
        end = self._file.seek(0, os.SEEK_END)
        try:
            while left:
                left = left[self._file.write(left) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            self._file.truncate(end)  # half a line would make a journal of none
            raise EnvironmentFault(f"cannot write the journal: {error.strerror}") from error


@contextmanager
def open_journal(path: Path) -> Iterator[Journal]:
    """Open a journal for appending and close it again."""
    with io.FileIO(path, "ab") as file:
        yield Journal(file)


def read_journal(path: Path) -> list[Measurement]:
    """Return the trials of a journal in the order in which they were run.

    Raises:
        UnreadableResultError: a line is damaged; the message has the path and the byte offset.
    """
    measurements = []
    offset = 0
    for line in path.read_bytes().splitlines(keepends=True):
        try:
            measurements.append(_parse(line))
        except MalformedError as error:
            raise UnreadableResultError(f"{path}: damaged at byte {offset}: {error.what}") from error
        offset += len(line)
    return measurements


def _parse(line: bytes) -> Measurement:
    document = parse(line)
    trial = line[_TRIAL_FROM:-2]
    expected = {"crc32": f"{crc32(trial):08x}", "trial": parse(trial)}
    if not line.endswith(b"}\n") or document != expected:
        raise MalformedError("the checksum does not match")
    measurement: Measurement = fit(Measurement, expected["trial"], "trial")
    return measurement
