"""One round of one case against a server that does many faults, and what both sides say of each fetch."""

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
from bench.config.catalog import find_clients, find_strategies
from bench.config.compatibility import fits
from bench.model.cases import Client, Fault, Profile, Strategy
from bench.model.countries import COUNTRIES
from bench.model.faults import KINDS, outcome_of, reach_of
from bench.model.planned_delays import plan_delay
from bench.model.served_trials import Opening
from bench.server.request_log import Record
from bench.worker.events import Fetched, read_event
from bench.worker.protocol import Report
from tests.server_process import TestedServer
from tests.trial import a_task, run_worker

Protocol: TypeAlias = Literal["HTTP/1.1", "TLS", "HTTP/2"]

SERVER_SEED: Final = 1
"""Of the one server; a talk's own seed is its block, which draws as much anew."""
_TIMEOUT_S: Final = 2.0
"""Enough to read 8 MiB over TLS beside other talks while another process uses half a core."""
_SLOW_SHARE: Final = 0.05
"""Of the fetches, for all faults that take until the time-out: a sequential case waits for each of them."""
_SOUND_SHARE: Final = 0.1
_PATIENCE_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Cell:
    """A strategy with a client over a protocol."""

    strategy: Strategy
    client: Client
    protocol: Protocol

    def __str__(self) -> str:
        return f"{self.strategy.name}-{self.client.name}-{self.protocol}"


@dataclass(frozen=True, slots=True)
class Talk:
    """What was asked of a cell: some countries, once each, of a server with faults."""

    cell: Cell
    profile: Profile
    countries: tuple[str, ...]
    workers: int
    seed: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What client and server say of the same fetches.

    Attributes:
        observed: the class in which each fetch ended, by country.
        counted: how many ended in each class, once their flags had been compared with those served.
        records: what the server logged of each country.
    """

    observed: Mapping[str, str]
    counted: Mapping[str, int]
    records: Mapping[str, Sequence[Record]]


def cells() -> list[Cell]:
    """Return every strategy with every installed client that it can use, over all that the client speaks."""
    return [
        Cell(strategy, client, protocol)
        for strategy in find_strategies().values()
        for client in find_clients().values()
        if fits(strategy, client) and not client.missing
        for protocol in _spoken(client)
    ]


def _spoken(client: Client) -> Iterator[Protocol]:
    yield "HTTP/1.1"
    if "tls" in client.speaks:
        yield "TLS"
    if "http2" in client.speaks:
        yield "HTTP/2"


def talks(cell: Cell, seed: int, fetches: int) -> Iterator[Talk]:
    """Yield what to ask of a cell so that it meets every kind of fault that its protocol can have.

    Most of them come together; those that end whatever shares their connection come where nothing does.
    """
    rest = [name for name, kind in KINDS.items() if not kind.is_total and _can_be(cell, name)]
    sharing = [name for name in rest if reach_of(Fault(name, 1), _profile(cell, ())) == "fetch"]
    alone = [name for name in rest if name not in sharing]
    for names, workers, most in ((sharing, 8, fetches), (alone, 1, fetches // 2)):
        if names:
            profile = _profile(cell, _mixed(names))
            yield Talk(cell, profile, _countries(profile, seed, most), workers, seed)


def _countries(profile: Profile, seed: int, fetches: int) -> tuple[str, ...]:
    """Draw countries, and further ones for kinds of fault that none of these meets."""
    drawn = Random(seed).sample(sorted(COUNTRIES), len(COUNTRIES))
    weather = {country: plan_delay(profile, SERVER_SEED, seed, country, 0)[1] for country in drawn}
    chosen = drawn[:fetches]
    met = {weather[country] for country in chosen}
    for country in drawn[fetches:]:
        if weather[country] not in met:
            met.add(weather[country])
            chosen.append(country)
    return tuple(chosen)


def total_talks(cell: Cell) -> Iterator[Talk]:
    """Yield what to ask so that it meets what happens before there is a request; no seed changes that."""
    for name, kind in KINDS.items():
        if kind.is_total and _can_be(cell, name):
            yield Talk(cell, _profile(cell, (Fault(name, 1.0),)), ("BR", "CN", "IN"), 3, seed=1)


def _can_be(cell: Cell, name: str) -> bool:
    kind = KINDS[name]
    reach = kind.http2 if cell.protocol == "HTTP/2" else kind.http1
    return reach != "none" and (cell.protocol != "HTTP/1.1" or not kind.needs_tls)


def _profile(cell: Cell, faults: tuple[Fault, ...]) -> Profile:
    encrypted = cell.protocol != "HTTP/1.1"
    return Profile("faults", faults=faults, tls=encrypted, http2=cell.protocol == "HTTP/2")


def _mixed(names: Sequence[str]) -> tuple[Fault, ...]:
    """Give slow kinds their share, and the others what is left of all but the sound fetches."""
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


class Conversation:
    """A server in which many talks may go on at once, told over its one control channel."""

    def __init__(self, server: TestedServer, folder: Path, reference: Path) -> None:
        self._server = server
        self._folder = folder
        self._reference = reference
        self._telling = Lock()
        self._numbers = count()

    def hold(self, talk: Talk) -> Seen:
        """Have a worker do what is asked, and hear both sides."""
        with self._telling:
            name = f"talk-{next(self._numbers)}"
            opened = self._server.open_trial(Opening(name, talk.profile, talk.seed))
        folder = self._folder / name
        folder.mkdir()
        authority = folder / "authority.pem"
        authority.write_text(opened.authority, encoding="ascii")
        task = a_task(
            folder,
            strategy_file=talk.cell.strategy.file,
            client=talk.cell.client.name,
            workers=talk.workers if talk.cell.strategy.takes_workers else 1,
            countries=talk.countries,
            base_url=f"{opened.url}.0",
            reference=self._reference,
            request_timeout_s=_TIMEOUT_S,
            authority=authority if opened.authority else None,
            http2=talk.profile.http2,
            checks_content=True,
            live=True,
        )
        ended = run_worker(task)
        is_total = any(KINDS[fault.kind].is_total for fault in talk.profile.faults)
        logged = self._logged(name, 0 if is_total else len(talk.countries))
        *fetched, report = [read_event(line) for line in ended.stdout.splitlines()]
        assert isinstance(report, Report), ended.stderr.decode()
        assert report.rounds, report.detail
        return Seen(
            {each.country: each.outcome for each in fetched if isinstance(each, Fetched)},
            report.rounds[0].fetches,
            {country: [each for each in logged if each.country == country] for country in talk.countries},
        )

    def _logged(self, name: str, requests: int) -> list[Record]:
        """Close a trial once so much is logged of it; that a client has left may be read a little later."""
        deadline_s = monotonic() + _PATIENCE_S
        while True:
            with self._telling:
                logged = self._server.records(name).get(0, [])
                if len(logged) >= requests or monotonic() > deadline_s:
                    self._server.close_trial(name)
                    return logged
            sleep(0.01)


def differences(talk: Talk, seen: Seen) -> list[str]:
    """Compare what the client says with what the server did; a line for each fetch that differs."""
    total = next((fault for fault in talk.profile.faults if KINDS[fault.kind].is_total), None)
    found = []
    for country in talk.countries:
        records = seen.records[country]
        if len(records) != (0 if total else 1):
            found.append(f"{talk.cell}: {country}: {len(records)} requests")
            continue
        truth = outcome_of(total) if total else _truth(talk, records[0])
        observed = seen.observed.get(country, "nothing")
        if observed != ("ok" if truth == "corrupt" and observed == "ok" else truth):
            kind = total.kind if total else records[0].fault
            found.append(f"{talk.cell}: {country}: {kind}: {observed} instead of {truth}")
    if found or total:
        return found
    expected = Counter(_truth(talk, seen.records[country][0]) for country in talk.countries)
    return [] if seen.counted == expected else [f"{talk.cell}: {seen.counted} instead of {dict(expected)}"]


def _truth(talk: Talk, record: Record) -> str:
    """Return the class that belongs to what the server did, or to what the client is known to make of it."""
    if not record.fault:
        return outcome_of_status(record.status)
    status = record.status if record.fault == "status" else 0
    deviations = {} if talk.profile.http2 else talk.cell.client.deviations
    return deviations.get(record.fault) or outcome_of(Fault(record.fault, 1.0, status))
