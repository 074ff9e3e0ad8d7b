"""Build the environment of a client that is measured in another version, or must not share ours."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from bench.config.catalog import MODULES_OF_OPTIONS
from bench.config.imported_modules import imported_modules
from bench.errors import SetupError
from bench.model.cases import Client, Strategy
from bench.model.comparison import ClientEnvironment, Variant
from bench.model.text import one_line
from bench.system.paths import is_shipped, strategy_path
from bench.variants.dependencies import Declaration
from bench.variants.harness import cached_harness
from bench.variants.interpreter import find_interpreter
from bench.variants.probe import FROM_TREE, Probe, compile_folders, probe_variant
from bench.variants.virtualenv import make_virtualenv, modules_behind


def build_client_environment(
    client: Client, strategies: Mapping[str, Strategy], progress: Callable[[str], None]
) -> ClientEnvironment:
    """Make the environment of a client, and check that its workers import what the client requires.

    It has the Python of this process, the client's requirements, and the libraries that our own environment
    has of those that client and strategies import. Workers run a copy of our code: beside the original there
    may be other versions of these libraries.

    Args:
        client: a client with requirements.
        strategies: the strategies that are measured with it, by name.
        progress: prints a line about a step that takes a while.

    Raises:
        SetupError: uv is missing, a requirement cannot be installed, or another library would be imported.
    """
    harness, interpreter = cached_harness(), find_interpreter("")
    own = [each.file for each in strategies.values() if not is_shipped(each.file)]
    folders = tuple(dict.fromkeys(folder for file in own for folder in strategy_path(file)))
    files = [each.file for each in strategies.values()]
    options = (MODULES_OF_OPTIONS.get(each.option) for each in strategies.values())
    imported = {*imported_modules(files, map(Path, folders)), *filter(None, options)}
    theirs = from_index(sorted(imported))
    python = make_virtualenv(
        Variant(requirements=client.requirements),
        None,
        Declaration(Path()),
        interpreter=interpreter,
        modules=sorted({*modules_behind([client.file]), *theirs}),
        progress=progress,
    )
    probe = Probe(client.name, [client.module], tuple(theirs), folders)
    environment = check_environment(client, python, harness, probe)
    return replace(environment, import_path=(str(harness),))


def check_environment(client: Client, python: Path, import_path: Path, probe: Probe) -> ClientEnvironment:
    """Compile the environment of a client, and import the client once.

    Raises:
        SetupError: it cannot be imported, or in another version than the client requires.
    """
    compile_folders(python, [import_path])
    libraries = probe_variant(python, import_path, probe)
    refuse_other_versions(client, libraries)
    return ClientEnvironment(str(python), libraries, client.requirements)


def from_index(modules: Collection[str]) -> list[str]:
    """Return the modules that are installed here from an index, as the same ones can be installed elsewhere.

    A package that was installed from a folder or an address may have the name of a stranger's in the index.
    """
    owners = metadata.packages_distributions()
    return [
        module
        for module in modules
        if module in owners
        and not any(metadata.distribution(owner).read_text("direct_url.json") for owner in owners[module])
    ]


def refuse_other_versions(client: Client, libraries: Mapping[str, str]) -> None:
    """Refuse an environment whose workers import other versions than the client requires.

    Raises:
        SetupError: a library is not one of the environment, or has another version.
    """
    imported = {canonicalize_name(name): version for name, version in libraries.items()}
    for requirement in map(Requirement, client.requirements):
        name = canonicalize_name(requirement.name)
        if name not in imported and name != canonicalize_name(client.distribution):
            continue  # the client does not import it by itself
        version = imported.get(name, FROM_TREE)
        if version == FROM_TREE or not requirement.specifier.contains(version, prereleases=True):
            found = "from another folder" if version == FROM_TREE else one_line(version)
            raise SetupError(
                f"the workers of {client.name} would import {name} {found}",
                hint="rename a folder of this name beside your strategy, or delete the cache of variants",
            )
