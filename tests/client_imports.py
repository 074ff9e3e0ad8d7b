"""The clients that this process can import: those with an environment of their own only there."""

from collections.abc import Mapping
from importlib.util import find_spec

from bench.config.catalog import find_clients
from bench.model.cases import Client


def importable_clients() -> Mapping[str, Client]:
    """Return the shipped clients by name, without those of other environments."""
    return {
        name: each
        for name, each in find_clients().items()
        if not each.missing and (not each.requirements or find_spec(each.distribution))
    }
