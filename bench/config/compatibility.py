"""Check that strategies, clients and profiles go together. The forms and the case matrix use it.

A client fits a strategy if it has the face that the strategy opens, and a profile if it speaks the
profile's protocol.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from bench.config.forms import FieldError
from bench.model.cases import Ability, Client, Profile, Selection, Strategy
from bench.model.faults import reach_of
from bench.model.text import join_and, join_or

_Protocol: TypeAlias = Literal["tls", "http2"]

_ABILITIES: Final[dict[Ability, str]] = {
    "connection_limit": "limits its connections",
    "greenlets": "is of pure Python",
    "trio": "runs on trio",
}
_CLOSES: Final = "cannot keep connections alive"
_PROTOCOL_NAMES: Final[dict[_Protocol, str]] = {"tls": "TLS", "http2": "HTTP/2"}


@dataclass(frozen=True, slots=True)
class StrategyEntry:
    """A strategy of a config with the settings of its own; ``None`` stands for the file's."""

    strategy: Strategy
    clients: tuple[Client, ...] | None = None
    workers: tuple[int, ...] | None = None
    keep_alive: tuple[bool, ...] | None = None


def fits(strategy: Strategy, client: Client) -> bool:
    """Tell whether a client has the face that a strategy opens, and can do what that needs."""
    can = client.abilities | ({"connection_limit"} if strategy.face in client.limits else set())
    return strategy.face in client.faces and strategy.needs <= can


def unsupported_limit(strategy: Strategy, client: Client | None, profile: Profile) -> str | None:
    """Return why a limit of connections would have no effect on a case, as the end of a sentence, or None."""
    if client is None:
        return "opens connections of its own"
    if client.is_function:
        return f"with {client.name} opens connections of its own"
    if strategy.starts_processes:
        return "has a client in each process"
    if strategy.uses_cluster:
        return "has a client on each machine"
    if profile.http2:
        return "has all downloads of a client on one connection over HTTP/2"
    return None if strategy.face in client.limits else f"with {client.name} has no such limit"


def unsupported_protocol(client: Client, profile: Profile) -> str | None:
    """Return the protocol of a profile that a client does not speak, as a message, or None."""
    needed = _protocol_of(profile)
    return None if needed is None or needed in client.speaks else f"does not speak {_PROTOCOL_NAMES[needed]}"


def unsupported_keep_alive(client: Client, keep_alive: Iterable[bool]) -> str | None:
    """Return that a client cannot keep connections alive, if these settings ask for it, or None."""
    return _CLOSES if not client.keeps_alive and any(keep_alive) else None


def missing_dependency(client: Client) -> str | None:
    """Return a client's missing modules and the command that installs them, or None."""
    if not client.missing:
        return None
    return f"{client.name} needs {', '.join(client.missing)}, which is not installed: {client.install}"


def client_mismatch(strategy: Strategy, client: Client) -> str | None:
    """Return why a strategy cannot use a client that its entry names, or None."""
    if strategy.face is None:
        return f"{strategy.name} uses no client; remove the key"
    if not fits(strategy, client):
        return f"{strategy.name} needs {_client_kind(strategy)}, which {client.name} is not"
    return missing_dependency(client)


def no_usable_client(
    strategy: Strategy, clients: Iterable[Client], known: Iterable[Client], keep_alive: Sequence[bool]
) -> str | None:
    """Return why a strategy has no usable client, or None if it has one."""
    if strategy.face is None:
        return None
    fitting = [client for client in clients if fits(strategy, client)]
    if any(_is_usable(client, keep_alive) for client in fitting):
        return None
    if fitting:
        reasons = [
            missing_dependency(client) or f"{client.name} {_CLOSES}; add 'keep_alive: false'"
            for client in fitting
        ]
        return f"{strategy.name} has no usable client: {'; '.join(reasons)}"
    others = [client.name for client in known if fits(strategy, client) and _keeps(client, keep_alive)]
    example = f" such as {join_or(others)}" if others else ""
    return f"{strategy.name} has no usable client; add {_client_kind(strategy)}{example} to 'clients'"


def check_protocol(
    profile: Profile,
    entries: Sequence[StrategyEntry],
    clients: Sequence[Client] | None,
    known: Iterable[Client],
    keep_alive: Sequence[bool],
) -> str | None:
    """Return why the clients of a config cannot speak a profile's protocol, or None.

    A client that does not is an error if a strategy's entry names it, or if the profile is left without a
    case. ``clients`` is ``None`` if the key is not valid; ``known`` are all clients there are.
    """
    named = [
        f"{client.name}, named by {entry.strategy.name}, {reason}"
        for entry in entries
        for client in entry.clients or ()
        if (reason := unsupported_protocol(client, profile))
    ]
    if named:
        return "; ".join(named)
    needed = _protocol_of(profile)
    if needed is None or clients is None:
        return None
    if any(_has_case(entry, clients, profile, keep_alive) for entry in entries):
        return None
    able = sorted(
        client.name
        for client in known
        if _keeps(client, keep_alive) and not unsupported_protocol(client, profile)
    )
    hint = f"; add {join_or(able)} to 'clients'" if able else ""
    return f"no usable client speaks {_PROTOCOL_NAMES[needed]}{hint}"


def check_shared_connections(
    profile: Profile,
    entries: Iterable[StrategyEntry],
    workers: Sequence[int],
    keep_alive: Sequence[bool],
    countries: Iterable[Selection],
) -> list[FieldError]:
    """Find settings of an HTTP/2 profile that would end other downloads on the same connection.

    Over HTTP/2 the downloads of an event loop share a connection, and the others would be blamed; threads
    and processes have connections of their own.
    """
    if not profile.http2:
        return []
    sharing = [
        (entry, count)
        for entry in entries
        if entry.strategy.face == "async" and entry.strategy.takes_workers
        for count in entry.workers or workers
        if min(count, max(each.count for each in countries)) > 1
    ]
    if not sharing:
        return []
    name, count = sharing[0][0].strategy.name, sharing[0][1]
    errors = [
        FieldError(
            _steps_to_fault(profile, index),
            f"{fault.kind} affects all downloads on its HTTP/2 connection, so it needs 'workers: 1', "
            f"and {name} has {count}",
        )
        for index, fault in enumerate(profile.faults)
        if reach_of(fault, profile) == "connection"
    ]
    closing = [entry for entry, _ in sharing if False in (entry.keep_alive or keep_alive)]
    if closing:
        what = "has 'keep_alive: false', but its downloads share an HTTP/2 connection; use true"
        errors.append(FieldError((), f"{closing[0].strategy.name} {what}"))
    return errors


def _protocol_of(profile: Profile) -> _Protocol | None:
    return "http2" if profile.http2 else "tls" if profile.tls else None


def _keeps(client: Client, keep_alive: Sequence[bool]) -> bool:
    """Tell whether a client can do one of these settings."""
    return client.keeps_alive or False in keep_alive


def _is_usable(client: Client, keep_alive: Sequence[bool]) -> bool:
    return not client.missing and _keeps(client, keep_alive)


def _has_case(
    entry: StrategyEntry, clients: Sequence[Client], profile: Profile, keep_alive: Sequence[bool]
) -> bool:
    """Tell whether a strategy can be run; one that uses no client of ours always can."""
    strategy = entry.strategy
    return strategy.face is None or any(
        fits(strategy, client)
        and _is_usable(client, entry.keep_alive or keep_alive)
        and not unsupported_protocol(client, profile)
        for client in entry.clients or clients
    )


def _steps_to_fault(profile: Profile, index: int) -> tuple[str | int, ...]:
    """Return the steps to the fault at this index.

    They lead to all faults if the first may be that of ``error_rate``.
    """
    return ("faults",) if profile.faults[0].kind == "status" else ("faults", index)


def _client_kind(strategy: Strategy) -> str:
    kind = "an asynchronous client" if strategy.face == "async" else "a synchronous client"
    abilities = [_ABILITIES[each] for each in sorted(strategy.needs)]
    return f"{kind} that {join_and(abilities)}" if abilities else kind
