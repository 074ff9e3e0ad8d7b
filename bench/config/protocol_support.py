"""Which clients speak what a profile needs, and what does not go with a connection that all share."""

from collections.abc import Iterable, Sequence
from typing import Final, Literal, TypeAlias

from bench.config.compatibility import fits
from bench.config.pydantic_types import FieldError
from bench.config.strategies import StrategyForm
from bench.model.cases import Client, Profile, Selection
from bench.model.faults import reach_of
from bench.model.text import join_or

Speech: TypeAlias = Literal["tls", "http2"]

_WORDS: Final[dict[Speech, str]] = {"tls": "TLS", "http2": "HTTP/2"}


def supports(client: Client, profile: Profile) -> bool:
    """Tell whether a client speaks what a profile needs."""
    need = _need(profile)
    return need is None or need in client.speaks


def unsupported_protocol(client: Client, profile: Profile) -> str:
    """Say what a client does not speak though a profile needs it; else nothing."""
    need = _need(profile)
    return "" if need is None or need in client.speaks else f"does not speak {_WORDS[need]}"


def unsupported_features(
    profile: Profile,
    entries: Sequence[StrategyForm],
    clients: Sequence[Client] | None,
    offered: Iterable[Client],
) -> str:
    """Say which clients that a strategy's entry names cannot serve a profile, or that none can; else nothing.

    ``clients`` are those of the file, ``None`` where they are at fault; ``offered`` are all there are.
    """
    mute = [
        f"{client.name}, which {entry.name.name} names, {reason}"
        for entry in entries
        for client in entry.clients or ()
        if (reason := unsupported_protocol(client, profile))
    ]
    if mute:
        return "; ".join(mute)
    need = _need(profile)
    if need is None or clients is None or any(_has_case(entry, clients, profile) for entry in entries):
        return ""
    able = sorted(client.name for client in offered if supports(client, profile))
    hint = f"; {join_or(able)} would" if able else ""
    return f"would have no case: none of the clients speaks {_WORDS[need]}{hint}"


def several_at_once(
    entries: Iterable[StrategyForm], workers: Sequence[int], countries: Selection
) -> list[tuple[StrategyForm, int]]:
    """Return the entries whose downloads share a connection over HTTP/2, each with its workers.

    Those are of event loops; threads and processes have connections of their own.
    """
    return [
        (entry, count)
        for entry in entries
        if entry.name.face == "async" and entry.name.takes_workers
        for count in entry.workers or workers
        if min(count, len(countries.fetches)) > 1
    ]


def closing(busy: Iterable[tuple[StrategyForm, int]], keep_alive: Sequence[bool]) -> list[FieldError]:
    """Find a strategy that is to close its connection after each download, while others are on it."""
    entry = next((each for each, _ in busy if False in (each.keep_alive or keep_alive)), None)
    if entry is None:
        return []
    what = "has 'keep_alive: false', which means nothing where several downloads share an HTTP/2 connection"
    return [FieldError((), f"{entry.name.name} {what}")]


def connection_wide_faults(profile: Profile, busy: Sequence[tuple[StrategyForm, int]]) -> list[FieldError]:
    """Find faults that would end other downloads, which would be blamed."""
    if not busy:
        return []
    entry, count = busy[0]
    return [
        FieldError(
            _steps(profile, index),
            f"{fault.kind} ends or starves all that shares its connection: over HTTP/2 it goes only with "
            f"'workers: 1', and {entry.name.name} has {count}",
        )
        for index, fault in enumerate(profile.faults)
        if reach_of(fault, profile) == "connection"
    ]


def _need(profile: Profile) -> Speech | None:
    return "http2" if profile.http2 else "tls" if profile.tls else None


def _has_case(entry: StrategyForm, clients: Sequence[Client], profile: Profile) -> bool:
    """Tell whether a strategy can be run; one that opens none of our clients sees to itself."""
    if entry.name.face is None:
        return True
    able = (client for client in entry.clients or clients if fits(entry.name, client) and not client.missing)
    return any(supports(client, profile) for client in able)


def _steps(profile: Profile, index: int) -> tuple[str | int, ...]:
    """Return where a fault stands, or where all do if the first may be that of ``error_rate``."""
    return ("faults",) if profile.faults[0].kind == "status" else ("faults", index)
