"""One entry of a config's ``strategies``, and the settings that it may override."""

from collections.abc import Iterable, Sequence
from typing import Annotated, Final, TypeAlias

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from bench.config.compatibility import mismatch, no_usable_client
from bench.config.lookup import LookupContext
from bench.config.pydantic_types import FieldError, Form, Named, Shorthand, key_of, one_or_more, reject, some
from bench.config.scalars import Truth, whole
from bench.model.cases import Client, Strategy

_CLIENT: Final = {"type": "string", "examples": ["requests", "httpx", "urllib3", "aiohttp"]}
_STRATEGY: Final = {"type": "string", "examples": ["threadpool_map", "asyncio_gather", "mine.py"]}

Workers: TypeAlias = Annotated[
    tuple[Annotated[int, whole(1, 10_000)], ...], AfterValidator(some), Shorthand(one_or_more)
]
Clients: TypeAlias = Annotated[
    tuple[Annotated[Client, Named(LookupContext.client, _CLIENT)], ...],
    AfterValidator(some),
    Shorthand(one_or_more),
]
KeepAlive: TypeAlias = Annotated[tuple[Truth, ...], AfterValidator(some), Shorthand(one_or_more)]


class StrategyForm(Form):
    """A strategy, with settings of its own where the file's do not suit it."""

    name: Annotated[Strategy, Named(LookupContext.strategy, _STRATEGY)] = Field(
        description="A strategy that ships, or the path of a .py file, counted from this config's folder."
    )
    clients: Clients | None = Field(default=None, description="HTTP libraries for this strategy alone.")
    workers: Workers | None = Field(default=None, description="Worker counts for this strategy alone.")
    keep_alive: KeepAlive | None = Field(default=None, description="Keep-alive for this strategy alone.")

    @field_validator("clients")
    @classmethod
    def _fit(cls, clients: tuple[Client, ...], info: ValidationInfo) -> tuple[Client, ...]:
        if "name" in info.data:
            reasons = [mismatch(info.data["name"], client) for client in clients]
            reject([FieldError((index,), reason) for index, reason in enumerate(reasons) if reason])
        return clients

    @field_validator("workers")
    @classmethod
    def _are_taken(cls, workers: tuple[int, ...], info: ValidationInfo) -> tuple[int, ...]:
        strategy = info.data.get("name")
        if strategy is not None and not strategy.takes_workers and workers != (1,):
            raise ValueError(f"{strategy.name} takes no workers; leave the key out")
        return workers


def clashes(
    forms: Sequence[StrategyForm], clients: Sequence[Client] | None, offered: Iterable[Client]
) -> list[FieldError]:
    """Find entries that share a name, and entries that none of the file's clients can serve.

    ``clients`` is ``None`` where the file's own are at fault; ``offered`` are all there are.
    """
    known = tuple(offered)
    named: dict[str, Strategy] = {}
    faults: list[FieldError] = []
    for index, form in enumerate(forms):
        name = form.name.name
        if named.setdefault(name, form.name) != form.name:
            faults.append(FieldError((index, "name"), f"another file is called {name}.py too; rename one"))
        if (
            form.clients is None
            and clients is not None
            and (reason := no_usable_client(form.name, clients, known))
        ):
            faults.append(FieldError((index,), reason))
    return faults


StrategyField: TypeAlias = Annotated[StrategyForm, Shorthand(key_of("name"), _STRATEGY)]
