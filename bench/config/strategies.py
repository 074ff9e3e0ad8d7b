"""Read an entry of ``strategies``, with the clients, workers and keep-alive that it may override."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Final, TypeAlias

from pydantic import ValidationInfo, field_validator

from bench.config.clients import ClientEntries, flatten_clients
from bench.config.compatibility import (
    StrategyEntry,
    client_mismatch,
    no_usable_client,
    unsupported_keep_alive,
)
from bench.config.forms import (
    Editor,
    FieldError,
    Form,
    FromForm,
    Named,
    OneOrMore,
    Shorthand,
    key,
    reject,
    under_key,
)
from bench.config.lookup import LookupContext
from bench.config.scalars import Truth, whole
from bench.model.cases import Client, Strategy

_STRATEGY: Final[Editor] = {"type": "string", "examples": ["threadpool_map", "asyncio_gather", "mine.py"]}

Workers: TypeAlias = OneOrMore[Annotated[int, whole(1, 10_000)]]
KeepAlive: TypeAlias = OneOrMore[Truth]


class StrategyForm(Form):
    """A strategy, with settings of its own where the file's do not suit it."""

    name: Annotated[Strategy, Named(LookupContext.strategy, _STRATEGY)] = key(
        ..., "A shipped strategy, a Python file relative to the config, or a function of a module or file."
    )
    clients: ClientEntries | None = key(
        None, "HTTP libraries for this strategy alone; one that it cannot use is an error."
    )
    workers: Workers | None = key(None, "Worker counts for this strategy alone.")
    keep_alive: KeepAlive | None = key(None, "Keep-alive for this strategy alone.")

    @field_validator("clients")
    @classmethod
    def _check_clients(
        cls, entries: tuple[tuple[Client, ...], ...], info: ValidationInfo
    ) -> tuple[tuple[Client, ...], ...]:
        if "name" in info.data:
            reasons = [client_mismatch(info.data["name"], clients[0]) for clients in entries]
            reject([FieldError((index,), reason) for index, reason in enumerate(reasons) if reason])
        return entries

    @field_validator("workers")
    @classmethod
    def _check_workers(cls, workers: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        strategy = info.data.get("name")
        if strategy is not None and not strategy.takes_workers and workers != (1,):
            raise ValueError(f"{strategy.name} takes no workers; remove the key")
        return workers

    def entry(self) -> StrategyEntry:
        """Return the entry as a plain value."""
        clients = None if self.clients is None else flatten_clients(self.clients)
        return StrategyEntry(self.name, clients, self.workers, self.keep_alive)


StrategyField: TypeAlias = Annotated[
    StrategyEntry, FromForm(StrategyForm, StrategyForm.entry), Shorthand(under_key("name"), _STRATEGY)
]


def check_entries(
    entries: Sequence[StrategyEntry],
    clients: Sequence[Client] | None,
    known: Iterable[Client],
    keep_alive: Sequence[bool] | None,
) -> list[FieldError]:
    """Find different files of one name, and strategies that no client of the config can serve.

    ``clients`` and ``keep_alive`` are ``None`` if the key is not valid; ``known`` are all clients there are.
    """
    known = tuple(known)
    by_name: dict[str, Strategy] = {}
    clients_by_name: dict[str, Client] = {}
    errors: list[FieldError] = []
    if all(entry.strategy.unavailable for entry in entries):
        reasons = (f"{entry.strategy.name} {entry.strategy.unavailable}" for entry in entries)
        errors += [FieldError((index, "name"), reason) for index, reason in enumerate(reasons)]
    for index, entry in enumerate(entries):
        name = entry.strategy.name
        if by_name.setdefault(name, entry.strategy) != entry.strategy:
            errors.append(
                FieldError((index, "name"), f"another strategy file is also named {name}.py; rename one")
            )
        errors += [
            FieldError((index,), f"another function is also the client {client.name}; rename one")
            for client in entry.clients or clients or ()
            if clients_by_name.setdefault(client.name, client) != client
        ]
        errors += [
            FieldError((index, "clients"), f"{client.name} {reason}; add 'keep_alive: false' to its entry")
            for client in entry.clients or ()
            if (reason := unsupported_keep_alive(client, entry.keep_alive or keep_alive or ()))
        ]
        if entry.clients is None and clients is not None:
            asked = entry.keep_alive or keep_alive or (True, False)
            reason = no_usable_client(entry.strategy, clients, known, asked)
            errors += [FieldError((index,), reason)] if reason else []
    return errors
