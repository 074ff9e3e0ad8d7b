"""What the command and a machine of a cluster send each other, as lines of JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from bench.model.json_codec import decode, encode
from bench.model.results import Measurement


@dataclass(frozen=True, slots=True)
class SentConfig:
    """A config with everything that a machine needs to resolve it to the same experiment.

    Attributes:
        config: where it is below the folder of the files.
        content: its text.
        files: the files that it names, by their path below the same folder, in base64.
        only: the pattern of its cases, and, like the next two, an option of the command line.
        blocks: the number of blocks.
        seed: the seed.
        sha256: identifies the experiment, with its strategies and flags.
    """

    config: str
    content: str
    files: Mapping[str, str]
    only: str | None
    blocks: int | None
    seed: int | None
    sha256: str


@dataclass(frozen=True, slots=True)
class MachineTask:
    """What a machine is to do: measure cases in a block, or, without any case, say what it is.

    Attributes:
        cases: ids of the cases.
        block: number of the block, from 0.
    """

    sent: SentConfig
    cases: tuple[str, ...] = ()
    block: int = 0


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """What a machine says of itself.

    Attributes:
        host: tells machines apart; it changes when a machine is started anew, and has no name.
        fingerprint: differs between machines whose timings cannot be compared.
        environment: as ``environment`` of a run.
        warnings: what makes its timings vary, and what cannot be checked there.
    """

    host: str
    fingerprint: str
    environment: Mapping[str, object]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MachineFault:
    """Why a machine cannot do its task.

    Attributes:
        what: the problem.
        hint: the remedy; may be empty.
    """

    what: str
    hint: str = ""


Answer: TypeAlias = MachineFacts | Measurement | MachineFault


@dataclass(frozen=True, slots=True)
class _Line:
    answer: MachineFacts | Measurement | MachineFault


def encode_answer(answer: Answer) -> str:
    """Return the line of an answer, without its end."""
    return encode(_Line(answer))


def decode_answer(line: str) -> Answer:
    """Return the answer of a line.

    Raises:
        MalformedError: the line is none.
    """
    return decode(_Line, line).answer
