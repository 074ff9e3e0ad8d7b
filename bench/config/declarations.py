"""Read what a strategy or client declares about itself: literals at the top level of its file."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, get_args

from bench.api.outcomes import FetchOutcome
from bench.config.opened_clients import Face
from bench.errors import UsageError
from bench.model.cases import Ability, Protocol
from bench.model.faults import KINDS

_ABILITIES: Final[Mapping[str, Ability]] = {
    "GREENLETS": "greenlets", "TRIO": "trio",
}  # fmt: skip
"""The ability that each declaration of a client file stands for."""
_USUAL: Final[frozenset[Ability]] = frozenset({"greenlets"})
BY_CLIENT: Final = "client"
"""Value of ``WORKERS`` of a strategy whose client limits its downloads."""
_FACES: Final[tuple[Face, ...]] = ("async", "sync")
_PROTOCOLS: Final = frozenset(get_args(Protocol))
_OUTCOMES: Final = frozenset(get_args(FetchOutcome))
_UNKNOWN: Final = object()


def declared_workers(tree: ast.Module, file: Path) -> bool | str:
    """Return whether a strategy takes workers, or ``BY_CLIENT``: its client limits them.

    Raises:
        UsageError: ``WORKERS`` is something else than that, or a number of the strategy's own.
    """
    workers = _last_literal(tree, "WORKERS")
    if workers is _UNKNOWN or (type(workers) is int and workers > 0):
        return True
    for known in (True, False, BY_CLIENT):
        if workers is known or workers == known == BY_CLIENT:
            return known
    raise UsageError(
        f"{file}: WORKERS is {workers!r:.40}",
        hint='write False for a strategy that takes no workers, or "client" if the client\'s limit of '
        "connections is what limits its downloads",
    )


def declared_face(tree: ast.Module, file: Path, default: Face | None) -> Face | None:
    """Return the kind of client that a strategy declares, or the default.

    Raises:
        UsageError: there is no such kind.
    """
    face = _last_literal(tree, "CLIENTS")
    if face is _UNKNOWN:
        return default
    if face is None:
        return None
    for known in _FACES:
        if face == known:
            return known
    raise UsageError(
        f"{file}: CLIENTS is {face!r:.40}",
        hint='write "sync" for job.client(), "async" for job.async_client(), or None for neither; '
        "the config names the libraries",
    )


def declared_options(tree: ast.Module) -> tuple[str, ...]:
    """Return the options of a strategy; whatever else has that name is the strategy's own."""
    options = _last_literal(tree, "OPTIONS")
    is_known = isinstance(options, tuple) and all(
        isinstance(each, str) and each.isidentifier() for each in options
    )
    return options if is_known and isinstance(options, tuple) else ()


def declared_cluster(tree: ast.Module) -> bool:
    """Return whether a strategy downloads on the machines of a cluster."""
    return _last_literal(tree, "CLUSTER") is True


def declared_python(tree: ast.Module) -> tuple[int, ...]:
    """Return the least version of Python that a strategy needs; empty: any."""
    version = _last_literal(tree, "NEEDS_PYTHON")
    is_version = isinstance(version, tuple) and all(type(part) is int for part in version)
    return version if is_version and isinstance(version, tuple) else ()


def declared_abilities(tree: ast.Module) -> frozenset[Ability]:
    """Return what a client can do, beside getting a URL: the usual abilities, unless it declares others."""
    declared = {ability: _last_literal(tree, name) for name, ability in _ABILITIES.items()}
    return frozenset(
        ability
        for ability, value in declared.items()
        if (ability in _USUAL if value is _UNKNOWN else bool(value))
    )


def declared_keep_alive(tree: ast.Module, file: Path) -> bool:
    """Return whether a client can use a connection more than once, as it can unless it declares otherwise.

    Raises:
        UsageError: ``KEEP_ALIVE`` is no truth value.
    """
    keeps_alive = _last_literal(tree, "KEEP_ALIVE")
    if keeps_alive is _UNKNOWN:
        return True
    if isinstance(keeps_alive, bool):
        return keeps_alive
    raise UsageError(
        f"{file}: KEEP_ALIVE is {keeps_alive!r:.40}",
        hint="write False for a client that cannot keep connections alive",
    )


def declared_protocols(tree: ast.Module, file: Path, default: frozenset[Protocol]) -> frozenset[Protocol]:
    """Return what a client speaks beside plain HTTP/1.1, if another file reads its settings; or the default.

    Raises:
        UsageError: ``SPEAKS`` is not a literal of protocols.
    """
    written = next(_assigned(tree, "SPEAKS"), None)
    if written is None:
        return default
    try:
        speaks = frozenset(ast.literal_eval(written))
        is_known = speaks <= _PROTOCOLS
    except (ValueError, TypeError):
        is_known = False
    if not is_known:
        raise UsageError(f"{file}: SPEAKS is not a literal of protocols", hint='write ("tls", "http2")')
    return speaks


def declared_limits(tree: ast.Module, file: Path, faces: frozenset[Face]) -> frozenset[Face]:
    """Return the faces of a client whose library limits its own connections.

    Raises:
        UsageError: ``CONNECTION_LIMIT`` is neither a truth value nor a face of the client.
    """
    limit = _last_literal(tree, "CONNECTION_LIMIT")
    if limit is _UNKNOWN or limit is False:
        return frozenset()
    if limit is True:
        return faces
    if limit not in faces:
        raise UsageError(
            f"{file}: CONNECTION_LIMIT is {limit!r:.40}",
            hint='write True if the library limits its connections, or "async" if only in an event loop',
        )
    return frozenset({limit})


def declared_deviations(tree: ast.Module, file: Path) -> Mapping[str, FetchOutcome]:
    """Return ``DEVIATIONS`` of a client: outcomes by kinds of faults.

    Raises:
        UsageError: it is not a literal that maps faults to outcomes.
    """
    try:
        deviations = dict(ast.literal_eval(next(_assigned(tree, "DEVIATIONS"), ast.Dict([], []))))
        is_known = deviations.keys() <= KINDS.keys() and _OUTCOMES.issuperset(deviations.values())
    except (ValueError, TypeError):
        is_known = False
    if not is_known:
        raise UsageError(
            f"{file}: DEVIATIONS is not a literal that maps faults to outcomes",
            hint='write, for instance, {"surplus_bytes": "ok"}; `list faults` has them all',
        )
    return deviations


def declared_environment(tree: ast.Module, file: Path) -> tuple[str, ...]:
    """Return ``OWN_ENVIRONMENT`` of a client: the libraries that cannot be installed beside those of others.

    Raises:
        UsageError: it is no tuple of requirements.
    """
    if not any(_assigned(tree, "OWN_ENVIRONMENT")):
        return ()
    requirements = _last_literal(tree, "OWN_ENVIRONMENT")
    if (
        isinstance(requirements, tuple)
        and requirements
        and all(isinstance(each, str) for each in requirements)
    ):
        return requirements
    raise UsageError(
        f"{file}: OWN_ENVIRONMENT is no tuple of requirements", hint=f'write, for instance, ("{file.stem}",)'
    )


def _last_literal(tree: ast.Module, name: str) -> Any:
    """Return what a file assigns to a name last; ``_UNKNOWN`` if that is nothing, or no literal."""
    found: Any = _UNKNOWN
    for value in _assigned(tree, name):
        try:
            found = ast.literal_eval(value)
        except ValueError:  # a value of the file's own
            continue
    return found


def _assigned(tree: ast.Module, name: str) -> Iterator[ast.expr]:
    """Yield the expressions that a file assigns to a name at its top level."""
    for node in tree.body:
        match node:
            case (
                ast.Assign(targets=[ast.Name(target)], value=value)
                | ast.AnnAssign(target=ast.Name(target), value=ast.expr() as value)
            ) if target == name:
                yield value
