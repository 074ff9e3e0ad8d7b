"""Read ``scheduler``: the cluster on whose machines strategies download, and how it is spoken to."""

import re
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import Annotated, Final, Self, TypeAlias

from pydantic import ValidationInfo, field_validator, model_validator

from bench.config.compatibility import StrategyEntry, fits
from bench.config.forms import Editor, FieldError, Form, FromForm, Named, Shorthand, Text, key, under_key
from bench.config.lookup import LookupContext
from bench.config.problems import quote_text
from bench.config.scalars import Truth
from bench.model.cases import Client
from bench.model.scheduler import EMBEDDED, Scheduler
from bench.model.text import join_and
from bench.system.addresses import is_loopback

VARIABLE: Final = "DASK_SCHEDULER_ADDRESS"
"""The environment variable that dask itself takes an address from."""
_EMBEDDED_WORD: Final = "embedded"
_ADDRESS: Final = re.compile(
    r"(?:tcp|tls)://(?:\[([0-9A-Fa-f:.]{2,45})\]|([0-9A-Za-z][0-9A-Za-z._-]{0,252})):([1-9][0-9]{0,4})"
)
"""An IPv6 address, or else a name or an IPv4 address, and the port; ids of cases have them, too."""
_LAST_PORT: Final = 65535
_ADDRESS_EDITOR: Final[Editor] = {
    "type": "string",
    "examples": [_EMBEDDED_WORD, "tcp://127.0.0.1:8786", "tls://10.0.0.1:8786"],
}
_FILE_EDITOR: Final[Editor] = {"type": "string", "examples": ["cluster.pem"]}


def parse_scheduler(text: str) -> str:
    """Read the address of a scheduler; ``embedded`` is the cluster that each trial starts."""
    if text == _EMBEDDED_WORD:
        return EMBEDDED
    found = _ADDRESS.fullmatch(text)
    if found is None or not _is_ipv6(found[1]) or int(found[3]) > _LAST_PORT:
        raise ValueError(
            f"must be '{_EMBEDDED_WORD}', or scheme, host and port such as tls://10.0.0.1:8786, "
            f"not {quote_text(text)}"
        )
    return text


def _is_ipv6(host: str | None) -> bool:
    """Tell whether what is in brackets is an address, if there is any."""
    try:
        return host is None or isinstance(ip_address(host), IPv6Address)
    except ValueError:
        return False


class SchedulerForm(Form):
    """The scheduler of a cluster, with the files that its encryption takes."""

    address: Annotated[str, Text(parse_scheduler, _ADDRESS_EDITOR)] = key(
        ...,
        "embedded: a cluster that each trial starts on this machine; or the address of a scheduler. tls:// "
        "needs the three PEM files, and tcp:// to another machine `insecure: true`.",
    )
    authority: Annotated[Path, Named(LookupContext.existing_file, _FILE_EDITOR)] | None = key(
        None, "A PEM file of the certificate authority of the cluster."
    )
    certificate: Annotated[Path, Named(LookupContext.existing_file, _FILE_EDITOR)] | None = key(
        None, "A PEM file of the certificate that is shown to the scheduler."
    )
    private_key: Annotated[Path, Named(LookupContext.existing_file, _FILE_EDITOR)] | None = key(
        None, "A PEM file of the key of that certificate."
    )
    insecure: Truth = key(
        "false", "Allow a tcp:// address of another machine, in a network that you trust.", default=False
    )

    @field_validator("authority", "certificate", "private_key")
    @classmethod
    def _check_file(cls, file: Path, info: ValidationInfo) -> Path:
        if not info.data.get("address", "tls:").startswith("tls:"):
            raise ValueError("is for tls:// addresses; remove the key")
        return file

    @field_validator("insecure")
    @classmethod
    def _check_insecure(cls, insecure: bool, info: ValidationInfo) -> bool:  # noqa: FBT001  pydantic calls it
        if insecure and not info.data.get("address", "tcp:").startswith("tcp:"):
            raise ValueError("is for tcp:// addresses; remove the key")
        return insecure

    @model_validator(mode="after")
    def _check_encryption(self) -> Self:
        if self.address.startswith("tls:"):
            names = ("authority", "certificate", "private_key")
            if missing := [name for name in names if getattr(self, name) is None]:
                raise ValueError(f"has a tls:// address, and needs {join_and(missing)}")
        elif not self.insecure and not is_here(self.address):
            raise ValueError(
                "has a tcp:// address of another machine: whoever can change what is sent can run code "
                "there; use tls://, or 'insecure: true' in a network that you trust"
            )
        return self

    def scheduler(self) -> Scheduler:
        """Return the scheduler as a plain value."""
        files = (self.authority, self.certificate, self.private_key)
        return Scheduler(self.address, *("" if file is None else str(file.absolute()) for file in files))


SchedulerField: TypeAlias = Annotated[
    Scheduler,
    FromForm(SchedulerForm, SchedulerForm.scheduler),
    Shorthand(under_key("address"), _ADDRESS_EDITOR),
]


def repeated_addresses(schedulers: Sequence[Scheduler]) -> list[FieldError]:
    """Return an error for each scheduler with the host and port of one before it: cases are named by them."""
    places = [each.place for each in schedulers]
    return [
        FieldError((index,), "has the address of another scheduler; remove one")
        for index, place in enumerate(places)
        if place in places[:index]
    ]


def find_unfit_clients(
    schedulers: Sequence[Scheduler], entries: Sequence[StrategyEntry], clients: Sequence[Client]
) -> Iterator[FieldError]:
    """Yield an error for each client of a strategy for clusters that other machines have not.

    Args:
        schedulers: all of a config.
        entries: the strategies.
        clients: those of the entries that name none.
    """
    elsewhere = next((each.address for each in schedulers if each.address != EMBEDDED), None)
    if elsewhere is None:
        return
    for index, entry in enumerate(entries):
        if not entry.strategy.uses_cluster:
            continue
        steps = ("strategies", index) if entry.clients is None else ("strategies", index, "clients")
        for client in entry.clients or clients:
            if fits(entry.strategy, client) and (client.is_function or client.requirements):
                what = "is a function of yours" if client.is_function else "has an environment of its own"
                yield FieldError(
                    steps,
                    f"{client.name} {what}, which is on this machine only, and not on those of {elsewhere}; "
                    f"use another client, or 'scheduler: {_EMBEDDED_WORD}'",
                )


def default_schedulers(environment: Mapping[str, str]) -> tuple[Scheduler, ...]:
    """Return the scheduler of a config that names none: that of ``VARIABLE``, or the embedded one.

    Raises:
        ValueError: the variable has no address, or one that is refused.
    """
    if not (text := environment.get(VARIABLE, "")):
        return (Scheduler(),)
    try:
        address = parse_scheduler(text)
    except ValueError as error:
        raise ValueError(f"{VARIABLE} {error}") from error
    if needs_settings(address):
        raise ValueError(
            f"{VARIABLE} is {quote_text(text)}; name it as 'scheduler' in the config, with its "
            "certificates or 'insecure: true'"
        )
    return (Scheduler(address),)


def needs_settings(address: str) -> bool:
    """Tell whether an address alone does not do: it needs certificates, or 'insecure: true'."""
    return address.startswith("tls:") or not is_here(address)


def is_here(address: str) -> bool:
    """Tell whether an address leads to this machine; no name is resolved but ``localhost``."""
    found = _ADDRESS.fullmatch(address)
    if found is None:  # the embedded cluster
        return True
    host = found[1] or found[2].lower()
    try:
        return host == "localhost" or is_loopback(host)
    except ValueError:  # a name
        return False
