"""Runs to test with, built in a line: what matters is said, the rest is plausible."""

from collections.abc import Mapping, Sequence

from bench.model import Case, Fixed, Measurement, Outcome, Profile, Round, Run, Selection, Witness

POP3 = Selection("pop3", ("BR", "CN", "IN"))
NEAR = Profile("20ms", Fixed(0.020))


def case(strategy: str = "threadpool_map", client: str = "requests", workers: int = 3) -> Case:
    """Build a case over three flags at 20 ms."""
    return Case(strategy, client, workers, NEAR, POP3)


def round_of(elapsed_s: float, in_flight: int = 3, **fetches: int) -> Round:
    """Build a timed round in which every ok fetch was verified."""
    counts = fetches or {"ok": 3}
    witness = Witness(sum(counts.values()), in_flight, in_flight, 0.0003, 0.0009)
    return Round(elapsed_s, 0.02, counts, counts.get("ok", 0), witness)


def trials(of: Case, elapsed_s: Sequence[float], in_flight: int = 3) -> list[Measurement]:
    """Build one successful trial a block, with one round each."""
    return [
        Measurement(of.id, block, 0, "ok", "", 0.2, round_of(value), (round_of(value, in_flight),))
        for block, value in enumerate(elapsed_s)
    ]


def failed(of: Case, block: int, outcome: Outcome, detail: str) -> Measurement:
    """Build a trial that yielded no timing."""
    return Measurement(of.id, block, 0, outcome, detail, None, None, ())


def run_of(measured: Mapping[Case, Sequence[Measurement]], name: str = "example") -> Run:
    """Build a complete run of these cases."""
    return Run(
        name=f"{name}-20260102-030405",
        status="complete",
        started="2026-01-02T03:04:05+00:00",
        config={"name": name, "sha256": "0" * 64, "blocks": 10, "seed": 1},
        environment={"python": {"version": "3.11.7"}},
        cases=tuple(measured),
        trials=tuple(trial for each in measured.values() for trial in each),
    )
