"""Run a round against a server with faults, and compare the client's outcomes with the server log."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from random import Random
from threading import Lock
from time import monotonic, sleep
from typing import Final, Literal, TypeAlias

from bench.api.outcomes import outcome_of_status
from bench.config.catalog import find_strategies
from bench.config.compatibility import fits
from bench.model.body_sizes import BodySizes
from bench.model.cases import Client, Fault, Profile, Strategy
from bench.model.countries import COUNTRIES
from bench.model.faults import KINDS, outcome_of, reach_of
from bench.model.flags import served_flags
from bench.model.planned_bodies import bodies_of
from bench.model.planned_delays import plan_delay
from bench.model.served_trials import Opening
from bench.runner.protected_files import write_reference
from bench.server.request_log import Record
from bench.worker.events import Fetched, read_event
from bench.worker.protocol import Report
from tests.client_imports import importable_clients
from tests.server_process import TestedServer
from tests.trial import a_task, run_worker

Protocol: TypeAlias = Literal["HTTP/1.1", "TLS", "HTTP/2"]

SERVER_SEED: Final = 1
"""Seed of the one server; a round has its own seed as its block, which draws other faults."""
_TIMEOUT_S: Final = 2.0
"""Enough to read 8 MiB over TLS beside other fault_rounds while another process uses half a core."""
_SLOW_SHARE: Final = 0.05
"""Share of the fetches with a fault that lasts until the time-out: a sequential case waits for each."""
_SOUND_SHARE: Final = 0.1
_PATIENCE_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Combination:
    """A strategy with a client over a protocol."""

    strategy: Strategy
    client: Client
    protocol: Protocol

    def __str__(self) -> str:
        return f"{self.strategy.name}-{self.client.name}-{self.protocol}"


@dataclass(frozen=True, slots=True)
class FaultRound:
    """A round of a combination: some countries, once each, from a server with faults."""

    combination: Combination
    profile: Profile
    countries: tuple[str, ...]
    workers: int
    seed: int


@dataclass(frozen=True, slots=True)
class Observation:
    """The outcomes of the same fetches at the client and at the server.

    Attributes:
        observed: outcome of each fetch, by country.
        counted: number of fetches by outcome, after their flags were compared with those served.
        records: entries of the server log, by country.
        parts: files of bodies that were left incomplete.
    """

    observed: Mapping[str, str]
    counted: Mapping[str, int]
    records: Mapping[str, Sequence[Record]]
    parts: Sequence[str] = ()


def combinations() -> list[Combination]:
    """Return every strategy with every installed client that it can use, over each protocol."""
    return [
        Combination(strategy, client, protocol)
        for strategy in find_strategies().values()
        for client in importable_clients().values()
        if fits(strategy, client)
        for protocol in _spoken(client)
    ]


def _spoken(client: Client) -> Iterator[Protocol]:
    yield "HTTP/1.1"
    if "tls" in client.speaks:
        yield "TLS"
    if "http2" in client.speaks:
        yield "HTTP/2"


def fault_rounds(
    combination: Combination, seed: int, fetches: int, sizes: BodySizes | None = None
) -> Iterator[FaultRound]:
    """Yield rounds in which a combination meets every kind of fault that its protocol can have.

    Most faults share a round; those that end all fetches of a connection get a round with one worker.
    """
    rest = [name for name, kind in KINDS.items() if not kind.is_total and _can_be(combination, name)]
    if sizes is not None and combination.protocol != "HTTP/2":
        rest.remove("surplus_bytes")  # refused, as it depends on how the client reads
    sharing = [name for name in rest if reach_of(Fault(name, 1), _profile(combination, ())) == "fetch"]
    alone = [name for name in rest if name not in sharing]
    for names, workers, most in ((sharing, 8, fetches), (alone, 1, fetches // 2)):
        if names:
            profile = _profile(combination, _mixed(names), sizes)
            yield FaultRound(combination, profile, _countries(profile, seed, most), workers, seed)


def _countries(profile: Profile, seed: int, fetches: int) -> tuple[str, ...]:
    """Draw countries, and more for each kind of fault that none of them meets."""
    drawn = Random(seed).sample(sorted(COUNTRIES), len(COUNTRIES))
    faults = {country: plan_delay(profile, SERVER_SEED, seed, country, 0)[1] for country in drawn}
    chosen = drawn[:fetches]
    met = {faults[country] for country in chosen}
    for country in drawn[fetches:]:
        if faults[country] not in met:
            met.add(faults[country])
            chosen.append(country)
    return tuple(chosen)


def connection_fault_rounds(combination: Combination) -> Iterator[FaultRound]:
    """Yield a round for each fault that precedes the request; no seed changes it."""
    for name, kind in KINDS.items():
        if kind.is_total and _can_be(combination, name):
            yield FaultRound(
                combination, _profile(combination, (Fault(name, 1.0),)), ("BR", "CN", "IN"), 3, seed=1
            )


def _can_be(combination: Combination, name: str) -> bool:
    kind = KINDS[name]
    reach = kind.http2 if combination.protocol == "HTTP/2" else kind.http1
    return reach != "none" and (combination.protocol != "HTTP/1.1" or not kind.needs_tls)


def _profile(combination: Combination, faults: tuple[Fault, ...], sizes: BodySizes | None = None) -> Profile:
    encrypted, is_http2 = combination.protocol != "HTTP/1.1", combination.protocol == "HTTP/2"
    return Profile("faults", faults=faults, tls=encrypted, http2=is_http2, sizes=sizes)


def _mixed(names: Sequence[str]) -> tuple[Fault, ...]:
    """Give the slow kinds their share, and divide the rest, but for the sound fetches, among the others."""
    slow = [name for name in names if KINDS[name].outcome == "timeout"]
    quick_share = 1 - _SOUND_SHARE - (_SLOW_SHARE if slow else 0)
    return tuple(
        Fault(
            name,
            _SLOW_SHARE / len(slow) if name in slow else quick_share / (len(names) - len(slow)),
            418 if name == "status" else 0,
        )
        for name in names
    )


class FaultyServer:
    """A server for several rounds at once, over its one control channel."""

    def __init__(
        self, server: TestedServer, folder: Path, sizes: Sequence[BodySizes | None] = (None,)
    ) -> None:
        self._server = server
        self._folder = folder
        self._references = {
            each: write_reference(
                folder,
                bodies_of(Profile("p", sizes=each), SERVER_SEED, served_flags(None)),
                f"reference-{number}",
            )
            for number, each in enumerate(sizes)
        }
        self._control = Lock()
        self._numbers = count()

    def run(self, round_: FaultRound) -> Observation:
        """Run a round in a worker, and return the outcomes at client and server."""
        with self._control:
            name = f"round-{next(self._numbers)}"
            opened = self._server.open_trial(Opening(name, round_.profile, round_.seed))
        folder = self._folder / name
        folder.mkdir()
        authority = folder / "authority.pem"
        authority.write_text(opened.authority, encoding="ascii")
        task = a_task(
            folder,
            strategy_file=round_.combination.strategy.file,
            client=round_.combination.client.name,
            workers=round_.workers if round_.combination.strategy.takes_workers else 1,
            countries=round_.countries,
            base_url=f"{opened.url}.0",
            reference=self._references[round_.profile.sizes],
            request_timeout_s=_TIMEOUT_S,
            authority=authority if opened.authority else None,
            http2=round_.profile.http2,
            checks_content=True,
            live=True,
        )
        ended = run_worker(task)
        is_total = any(KINDS[fault.kind].is_total for fault in round_.profile.faults)
        logged = self._logged(name, 0 if is_total else len(round_.countries))
        *fetched, report = [read_event(line) for line in ended.stdout.splitlines()]
        assert isinstance(report, Report), ended.stderr.decode()
        assert report.rounds, report.detail
        return Observation(
            {each.country: each.outcome for each in fetched if isinstance(each, Fetched)},
            report.rounds[0].fetches,
            {country: [each for each in logged if each.country == country] for country in round_.countries},
            [each.name for each in folder.iterdir() if each.name.startswith(".part")],
        )

    def _logged(self, name: str, requests: int) -> list[Record]:
        """Close a trial once the log has so many requests, or after some seconds."""
        deadline_s = monotonic() + _PATIENCE_S
        while True:
            with self._control:
                logged = self._server.records(name).get(0, [])
                if len(logged) >= requests or monotonic() > deadline_s:
                    self._server.close_trial(name)
                    return logged
            sleep(0.01)


def differences(round_: FaultRound, observation: Observation) -> list[str]:
    """Compare the client's outcomes with the server log; return a line for each fetch that differs."""
    total = next((fault for fault in round_.profile.faults if KINDS[fault.kind].is_total), None)
    found = [f"{round_.combination}: {each} is left" for each in observation.parts]
    for country in round_.countries:
        records = observation.records[country]
        if len(records) != (0 if total else 1):
            found.append(f"{round_.combination}: {country}: {len(records)} requests")
            continue
        truth = outcome_of(total) if total else _expected_outcome(round_, records[0])
        observed = observation.observed.get(country, "nothing")
        if observed != ("ok" if truth == "corrupt" and observed == "ok" else truth):
            kind = total.kind if total else records[0].fault
            found.append(f"{round_.combination}: {country}: {kind}: {observed} instead of {truth}")
    if found or total:
        return found
    expected = Counter(
        _expected_outcome(round_, observation.records[country][0]) for country in round_.countries
    )
    return (
        []
        if observation.counted == expected
        else [f"{round_.combination}: {observation.counted} instead of {dict(expected)}"]
    )


def _expected_outcome(round_: FaultRound, record: Record) -> str:
    """Return the outcome of a request by the server log, or by the known deviations of its client."""
    if not record.fault:
        return outcome_of_status(record.status)
    status = record.status if record.fault == "status" else 0
    deviations = {} if round_.profile.http2 else round_.combination.client.deviations
    return deviations.get(record.fault) or outcome_of(Fault(record.fault, 1.0, status))
