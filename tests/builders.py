"""Build cases, measurements and runs for tests; arguments that do not matter have plausible defaults."""

from collections.abc import Mapping, Sequence

from bench.model.cases import Case, Fixed, Profile, Selection
from bench.model.latency_histogram import encode_histogram
from bench.model.planned_delays import PlannedDelay
from bench.model.results import Gap, Measurement, Phases, Round, Run, RunHeader, ServerRound
from bench.model.trial_outcome import Outcome

POP3 = Selection("pop3", ("BR", "CN", "IN"))
NEAR = Profile("20ms", Fixed(0.020))
HEADER = RunHeader(
    started="2026-01-02T03:04:05+00:00",
    config={"name": "example", "sha256": "0" * 64, "blocks": 10, "seed": 1},
    environment={"python": {"version": "3.11.7"}, "git": None},
    command=("run", "CONFIG"),
)


def case(strategy: str = "threadpool_map", client: str = "requests", workers: int = 3) -> Case:
    """Build a case over three flags at 20 ms."""
    return Case(strategy, client, workers, NEAR, POP3)


def status_of(planned: PlannedDelay) -> int:
    """Return the status of a response whose only fault may be of kind ``status``."""
    return 200 if planned.fault is None else planned.fault.status


def server_round(requests: int = 3, in_flight: int = 3) -> ServerRound:
    """Build the server log of a round without any problem."""
    return ServerRound(
        requests=requests,
        connections=min(in_flight, requests),
        opened=min(in_flight, requests),
        max_in_flight=in_flight,
        mean_in_flight=0.9 * in_flight,
        late_p50_s=0.0003,
        late_p99_s=0.0009,
        late_mean_s=0.0004,
        idle_s=0.0,
        spacing_p50_s=0.001,
        spacing_max_s=0.004,
        overtaken=0,
        retries=0,
    )


def round_of(elapsed_s: float, in_flight: int = 3, **fetches: int) -> Round:
    """Build a timed round with every ok fetch verified, and most of its gap in the client."""
    counts = fetches or {"ok": 3}
    gap_s = elapsed_s - 0.02
    return Round(
        elapsed_s,
        0.02,
        counts,
        counts.get("ok", 0),
        server_round(sum(counts.values()), in_flight),
        0.1,
        Phases(start_s=0.001, first_byte_s=0.021, transfer_s=0.0002, save_s=0.0001),
        Gap(0.1 * gap_s, 0.1 * gap_s, 0.05 * gap_s, 0.6 * gap_s, 0.05 * gap_s, 0.1 * gap_s),
        {
            "cpu_user_s": 0.3 * elapsed_s,
            "cpu_system_s": 0.1 * elapsed_s,
            "switches_voluntary": 40.0,
            "switches_involuntary": 3.0,
            "loop_lag_p50_s": 0.0005,
            "loop_lag_p99_s": 0.0012,
            "queue_wait_s": 0.0001,
            "gc_s": 0.0002,
        },
    )


def trials(of: Case, elapsed_s: Sequence[float], in_flight: int = 3) -> list[Measurement]:
    """Build a successful trial of one round for each block."""
    return [
        Measurement(
            case=of.id,
            block=block,
            position=0,
            attempt=0,
            outcome="ok",
            detail="",
            took_s=0.3 + 2 * value,
            cold_start_s=0.2,
            imports_s=0.1,
            warm_up=round_of(value),
            rounds=(round_of(value, in_flight),),
            latency=encode_histogram([{"20500": 2, "22000": 1}]),
            probes={"memory_bytes": 23e6, "threads": 4.0, "descriptors": 12.0},
        )
        for block, value in enumerate(elapsed_s)
    ]


def failed(of: Case, block: int, outcome: Outcome, detail: str) -> Measurement:
    """Build a trial without any timing."""
    return Measurement(of.id, block, 0, 0, outcome, detail, 0.3, None, None, None, ())


def run_of(measured: Mapping[Case, Sequence[Measurement]], name: str = "example") -> Run:
    """Build a complete run."""
    return Run(
        name=f"{name}-20260102-030405",
        status="complete",
        started="2026-01-02T03:04:05+00:00",
        config={"name": name, "sha256": "0" * 64, "blocks": 10, "seed": 1},
        environment={"python": {"version": "3.11.7"}},
        cases=tuple(measured),
        trials=tuple(trial for each in measured.values() for trial in each),
    )
