"""Build a variant: copy its tree, make its environment, and check that its workers can be started."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from bench.config.imported_modules import imported_modules
from bench.errors import UsageError
from bench.model.cases import NO_CLIENT, Client, Strategy
from bench.model.comparison import BuiltVariant, ClientEnvironment, Variant
from bench.model.text import one_line
from bench.system.paths import is_shipped, module_folders, strategy_path
from bench.variants.client_environment import check_environment
from bench.variants.dependencies import Declaration, find_project, read_declaration
from bench.variants.git import folder_in_work_tree, work_tree_top
from bench.variants.harness import cached_harness, has_same_protocol, named_strategies
from bench.variants.interpreter import Interpreter, find_interpreter
from bench.variants.probe import FROM_TREE, Probe, compile_folders, probe_variant
from bench.variants.requirements import distribution_name
from bench.variants.run_command import replace_urls
from bench.variants.tree import Tree, make_tree
from bench.variants.virtualenv import make_virtualenv, modules_behind


@dataclass(frozen=True, slots=True)
class _VariantFiles:
    """The files that the workers of a variant import.

    Attributes:
        path: folder of ``bench`` and ``strategies``.
        modules: folders of a tree's own modules.
        origins: folders of the user whose files the tree has, the likeliest first.
        strategies: the file of each strategy that the tree has, by name.
        own_clients: the file of each client that is a function of the user's and that the tree has.
        own: the measured files that are the user's.
    """

    tree: Tree
    path: Path
    modules: tuple[Path, ...]
    origins: tuple[Path, ...]
    strategies: Mapping[str, Path]
    own_clients: Mapping[str, Path]
    own: tuple[Path, ...]


def build_variant(
    variant: Variant,
    clients: Mapping[str, Client | None],
    strategies: Mapping[str, Strategy],
    say: Callable[[str], None],
    progress: Callable[[str], None],
) -> BuiltVariant:
    """Make the tree and the environment of a variant, and check that its workers can be started.

    Args:
        variant: the variant to build.
        clients: the measured clients by name; None for those of ``strategies/clients`` that are imported from
            the environment of the variant.
        strategies: the measured strategies by name. One that the tree lacks is left out of the result, as
            is a client that is a function of the user's.
        say: prints a line that the user should know.
        progress: prints a line about a step that takes a while.

    Raises:
        UsageError: there is no such revision, folder, repository or requirement, or the tree hides a library
            that the variant requires.
        SetupError: something is missing on this machine, cannot be installed, or cannot be imported.
    """
    used_clients = sorted(name for name, own in clients.items() if own is None and name != NO_CLIENT)
    own_clients = {name: each for name, each in clients.items() if each is not None and each.call is not None}
    separate = {name: each for name, each in clients.items() if each is not None and each.requirements}
    interpreter = find_interpreter(variant.python)
    files = _find_files(variant, strategies, own_clients, say)
    tree = files.tree.folder
    client_files = [files.path / "strategies" / "clients" / f"{name}.py" for name in used_clients]
    inside = [file for file in files.own if file.is_relative_to(tree)]
    declaration = read_declaration(tree, find_project(tree, inside), interpreter, inside)
    modules = modules_behind(client_files)
    python = make_virtualenv(
        variant, files.tree, declaration, interpreter=interpreter, modules=modules, progress=progress
    )
    compile_folders(python, [files.path, *files.modules])  # others are the user's, and are not written to
    libraries = probe_variant(python, files.path, _plan_probe(variant, used_clients, files))
    _refuse_hidden_libraries(variant, libraries)
    environments: dict[str, ClientEnvironment] = {}
    for name, client in separate.items():
        both = replace(variant, requirements=(*variant.requirements, *client.requirements))
        python_of_client = make_virtualenv(
            both,
            files.tree,
            declaration,
            interpreter=interpreter,
            modules=modules_behind([files.path / "strategies" / "clients" / client.file.name]),
            progress=progress,
        )
        probe = _plan_probe(both, [client.module], files)
        environments[name] = check_environment(client, python_of_client, files.path, probe)
    about = _describe(variant, files.tree, interpreter, declaration, libraries)
    if environments:
        about["environments"] = {name: each.about for name, each in environments.items()}
    return BuiltVariant(
        python=str(python),
        import_path=(str(files.path),),
        strategies=files.strategies,
        tree=tree,
        about=about,
        module_folders=tuple(map(str, files.modules)),
        origins=files.origins,
        clients=files.own_clients,
        environments=environments,
    )


def _describe(
    variant: Variant,
    tree: Tree,
    interpreter: Interpreter,
    declaration: Declaration,
    libraries: Mapping[str, str],
) -> dict[str, Any]:
    """Return the facts about a variant that are stored with its run, ready for JSON."""
    return {
        "label": one_line(variant.label),
        "revision": one_line(variant.rev),
        "commit": tree.commit,
        "dirty": tree.dirty,
        "tree": tree.id,
        "python": interpreter.version,
        "libraries": dict(libraries),
        "dependencies": {
            "read": list(declaration.read),
            "unread_locks": list(declaration.unread_locks),
            "unread": dict(declaration.unread),
        },
        "requirements": [one_line(replace_urls(requirement)) for requirement in variant.requirements],
    }


def find_origins(variant: Variant) -> tuple[Path, ...]:
    """Return the folders of the user whose files the tree of a variant has, the likeliest first.

    A ``path`` may be the folder itself, the same folder of another checkout or copy of the repository, or
    a copy of the current folder.
    """
    top = work_tree_top()
    if variant.path is None:
        return (top,)
    folder = variant.path.expanduser().resolve()
    prefix = folder_in_work_tree(folder)
    same = () if prefix is None else (top / prefix,)
    return tuple(dict.fromkeys((folder, *same, top, Path.cwd().resolve())))


def find_counterpart(file: Path, origins: Sequence[Path], tree: Path) -> Path | None:
    """Return the file of a tree that corresponds to one of its origins; None if the tree lacks it.

    A file from elsewhere corresponds to itself.
    """
    around = [origin for origin in origins if file.is_relative_to(origin)]
    found = (tree / file.relative_to(origin) for origin in around)
    return next((counterpart for counterpart in found if counterpart.is_file()), None if around else file)


def _find_files(
    variant: Variant,
    strategies: Mapping[str, Strategy],
    own_clients: Mapping[str, Client],
    say: Callable[[str], None],
) -> _VariantFiles:
    """Make the tree of a variant, and find the files that its workers import."""
    tree = make_tree(variant, say)
    path, modules = _import_path(tree, one_line(variant.label), say)
    origins = find_origins(variant)
    found = _strategy_files(tree.folder, strategies, origins)
    own = [found[name] for name, each in strategies.items() if name in found and not is_shipped(each.file)]
    counterparts = {
        name: find_counterpart(each.file, origins, tree.folder) for name, each in own_clients.items()
    }
    clients = {name: file for name, file in counterparts.items() if file is not None}
    own_files = tuple(dict.fromkeys((*own, *clients.values())))
    return _VariantFiles(tree, path, modules, origins, found, clients, own_files)


def _plan_probe(variant: Variant, clients: Sequence[str], files: _VariantFiles) -> Probe:
    """Return the probe of a variant with these clients and the strategies of the user."""
    import_path = [str(files.path)]
    folders = [folder for file in files.own for folder in strategy_path(file, import_path, files.tree.folder)]
    folders = list(dict.fromkeys((*folders, *map(str, files.modules))))
    modules = tuple(imported_modules(files.own, map(Path, folders)))
    return Probe(one_line(variant.label), clients, modules, tuple(folders))


def _import_path(tree: Tree, label: str, say: Callable[[str], None]) -> tuple[Path, tuple[Path, ...]]:
    """Return the folder of ``bench`` and ``strategies``, and those of a tree's own modules."""
    if has_same_protocol(tree.folder):
        return tree.folder, ()
    say(f"note: {label} is measured by this flagbench's own worker and clients; it has none that fit")
    return cached_harness(), module_folders(tree.folder)


def _refuse_hidden_libraries(variant: Variant, libraries: Mapping[str, str]) -> None:
    """Refuse to measure a required library that the tree has as well: the tree's would be imported."""
    hidden = {canonicalize_name(name) for name, version in libraries.items() if version == FROM_TREE}
    for requirement in variant.requirements:
        if (name := distribution_name(requirement)) in hidden:
            raise UsageError(
                f"the tree of {one_line(variant.label)} has its own {name}, which hides "
                f"{one_line(replace_urls(requirement))}",
                hint="give the command in another folder, or name another tree with path=FOLDER",
            )


def _strategy_files(
    tree: Path, strategies: Mapping[str, Strategy], origins: Sequence[Path]
) -> dict[str, Path]:
    """Return the file of each strategy that this tree has: shipped ones, and the user's own."""
    files = named_strategies(tree)
    files |= {
        name: files[plain]
        for name, strategy in strategies.items()
        if (plain := strategy.plain_name) in files and is_shipped(strategy.file)
    }
    for name, strategy in strategies.items():
        if is_shipped(strategy.file):
            continue
        files.pop(name, None)
        counterpart = find_counterpart(strategy.file, origins, tree)
        if counterpart is not None:
            files[name] = counterpart
    return files
