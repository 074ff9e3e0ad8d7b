"""Read an entry of ``clients``: a client as it is installed, or in versions with their own environments."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated, Final, Self, TypeAlias

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version
from pydantic import AfterValidator, ConfigDict, model_validator

from bench.config.forms import (
    IS_DUPLICATE,
    Editor,
    FieldError,
    Form,
    FromForm,
    Named,
    OneOrMore,
    Shorthand,
    Text,
    key,
    reject,
    under_key,
)
from bench.config.lookup import LookupContext
from bench.config.problems import quote_text
from bench.model.cases import Client

_CLIENT: Final[Editor] = {"type": "string", "examples": ["requests", "httpx", "urllib3", "aiohttp"]}
_VERSION: Final[Editor] = {"type": ["string", "number"], "minimum": 0, "examples": ["0.27.2", "0.28.1"]}
_REQUIREMENT: Final[Editor] = {"type": "string", "examples": ["httpx==0.28.1", "httpx[http2]>=0.28"]}
_LONGEST: Final = 100


def parse_version(text: str) -> str:
    """Read the exact version of a library, such as ``0.28.1``, in its normal spelling."""
    try:
        return str(Version(text if len(text) <= _LONGEST else ""))
    except InvalidVersion:
        raise ValueError(f"must be a version such as 0.28.1, not {quote_text(text)}") from None


def parse_named_requirement(text: str) -> str:
    """Read a requirement by the name of a distribution, in its normal spelling.

    Addresses, paths and options are refused: case ids have the requirement in them, and results are stored.
    """
    try:
        requirement = Requirement(text if len(text) <= _LONGEST else "")
    except InvalidRequirement:
        requirement = None
    if requirement is None or requirement.url is not None or requirement.marker is not None:
        raise ValueError(f"must be a requirement such as httpx==0.28.1, not {quote_text(text)}")
    return str(requirement)


_VersionField: TypeAlias = Annotated[str, Text(parse_version, _VERSION)]
_RequirementField: TypeAlias = Annotated[str, Text(parse_named_requirement, _REQUIREMENT)]


class ClientForm(Form):
    """A client, as it is installed here unless a version or requirements are given."""

    model_config = ConfigDict(json_schema_extra={"not": {"required": ["version", "requirements"]}})

    name: Annotated[Client, Named(LookupContext.client, _CLIENT)] = key(
        ..., "A client of `list clients`, or a function of yours that downloads one URL."
    )
    version: OneOrMore[_VersionField] | None = key(
        None, "Versions of its library; each makes cases of its own, and has an environment of its own."
    )
    requirements: OneOrMore[_RequirementField] | None = key(
        None,
        "All libraries of one environment of its own, that of the client among them. Not together with "
        "`version`.",
    )

    @model_validator(mode="after")
    def _check_package(self) -> Self:
        given = "version" if self.version is not None else "requirements"
        if self.version is not None and self.requirements is not None:
            reject([FieldError(("requirements",), "cannot be combined with 'version'; keep one of them")])
        if (self.version or self.requirements) and not self.name.distribution:
            is_ours = self.name.call is None
            origin = "of the standard library" if is_ours else "a function of yours or of a package"
            what = f"{self.name.name} is {origin}, which has no versions; remove the key"
            reject([FieldError((given,), what)])
        package = canonicalize_name(self.name.distribution)
        if self.requirements and package not in {
            canonicalize_name(Requirement(each).name) for each in self.requirements
        }:
            what = f"must name {self.name.distribution} itself, such as {self.name.distribution}==1.2.3"
            reject([FieldError(("requirements",), what)])
        return self

    def clients(self) -> tuple[Client, ...]:
        """Return the client once for each version."""
        if self.version is not None:
            package = self.name.distribution
            return tuple(in_environment(self.name, (f"{package}=={each}",)) for each in self.version)
        if self.requirements is not None:
            return (in_environment(self.name, self.requirements),)
        return (self.name,)


def in_environment(client: Client, requirements: tuple[str, ...]) -> Client:
    """Return a client that is measured in an environment of its own, with that in its name."""
    name = "+".join(requirements)
    return replace(client, name=name, missing=(), install="", requirements=requirements)


def _refuse_repeated(entries: tuple[tuple[Client, ...], ...]) -> tuple[tuple[Client, ...], ...]:
    """Raise an error if two entries name a client in the same version."""
    names: set[str] = set()
    errors = []
    for index, clients in enumerate(entries):
        own = {client.name for client in clients}
        errors += [FieldError((index,), IS_DUPLICATE)] if len(own) < len(clients) or own & names else []
        names |= own
    reject(errors)
    return entries


def flatten_clients(entries: Iterable[Iterable[Client]]) -> tuple[Client, ...]:
    """Return the clients of all entries in their order."""
    return tuple(client for clients in entries for client in clients)


_ClientField: TypeAlias = Annotated[
    tuple[Client, ...], FromForm(ClientForm, ClientForm.clients), Shorthand(under_key("name"), _CLIENT)
]
ClientEntries: TypeAlias = Annotated[OneOrMore[_ClientField], AfterValidator(_refuse_repeated)]
"""The clients of each entry of a list, so that a problem can be shown at its entry."""
Clients: TypeAlias = Annotated[tuple[Client, ...], FromForm(ClientEntries, flatten_clients)]
