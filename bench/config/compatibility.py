"""Which clients a strategy can work with, and why not with the others."""

from collections.abc import Iterable

from bench.model.cases import Client, Strategy


def fits(strategy: Strategy, client: Client) -> bool:
    """Tell whether a client has the face that a strategy opens."""
    return strategy.face in client.faces


def mismatch(strategy: Strategy, client: Client) -> str:
    """Say why a strategy cannot use a client that was named for it; an empty string if it can."""
    if strategy.face is None:
        return f"{strategy.name} uses no client; leave the key out"
    if not fits(strategy, client):
        return f"{strategy.name} needs {_a_client(strategy.face)}, which {client.name} is not"
    return missing_dependency(client)


def missing_dependency(client: Client) -> str:
    """Say what a client lacks on this machine, and the command that installs it; else nothing."""
    if not client.missing:
        return ""
    return f"{client.name} needs {', '.join(client.missing)}, which is not installed: {client.install}"


def no_usable_client(strategy: Strategy, clients: Iterable[Client], known: Iterable[Client]) -> str:
    """Say why none of the file's clients can serve a strategy; an empty string if one can."""
    if strategy.face is None:
        return ""
    fitting = [client for client in clients if fits(strategy, client)]
    if any(not client.missing for client in fitting):
        return ""
    if fitting:
        return f"{strategy.name} would have no case: {'; '.join(map(missing_dependency, fitting))}"
    others = " or ".join(client.name for client in known if fits(strategy, client))
    needed = f"{_a_client(strategy.face)}{f' such as {others}' if others else ''}"
    return f"{strategy.name} would have no case: it needs {needed} in 'clients'"


def _a_client(face: str) -> str:
    return "an asynchronous client" if face == "async" else "a synchronous client"
