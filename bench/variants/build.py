"""Build a variant: copy its tree, make its environment, and check that its workers can be started."""

from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

from packaging.utils import canonicalize_name

from bench.errors import UsageError
from bench.model.cases import NO_CLIENT, Strategy
from bench.model.comparison import BuiltVariant, Variant
from bench.model.text import one_line
from bench.system.paths import is_shipped, module_folders, project_path
from bench.variants.dependencies import find_project, read_declaration
from bench.variants.git import work_tree_top
from bench.variants.harness import cached_harness, has_same_protocol, named_strategies
from bench.variants.interpreter import find_interpreter
from bench.variants.probe import FROM_TREE, compile_folders, probe_variant
from bench.variants.requirements import distribution_name
from bench.variants.run_command import replace_urls
from bench.variants.tree import Tree, make_tree
from bench.variants.virtualenv import make_virtualenv


def build_variant(
    variant: Variant,
    clients: Collection[str],
    strategies: Mapping[str, Strategy],
    say: Callable[[str], None],
    progress: Callable[[str], None],
) -> BuiltVariant:
    """Make the tree and the environment of a variant, and check that its workers can be started.

    Args:
        variant: the variant to build.
        clients: names of the measured clients.
        strategies: the measured strategies by name. One that the tree lacks is left out of the result.
        say: prints a line that the user should know.
        progress: prints a line about a step that takes a while.

    Raises:
        UsageError: there is no such revision, folder, repository or requirement, or the tree hides a library
            that the variant requires.
        SetupError: something is missing on this machine, cannot be installed, or cannot be imported.
    """
    used_clients = sorted(set(clients) - {NO_CLIENT})
    interpreter = find_interpreter(variant.python)
    tree = make_tree(variant, say)
    label = one_line(variant.label)
    own_path = _import_path(tree, label, say)
    path = [*own_path, *map(Path, project_path(_outside_repository(strategies)))]
    client_files = [path[0] / "strategies" / "clients" / f"{name}.py" for name in used_clients]
    files = _strategy_files(tree.folder, strategies)
    own = [files[name] for name, each in strategies.items() if name in files and not is_shipped(each.file)]
    project = find_project(tree.folder, [file for file in own if file.is_relative_to(tree.folder)])
    declaration = read_declaration(tree.folder, project, interpreter)
    python = make_virtualenv(
        variant, tree, declaration, interpreter=interpreter, clients=client_files, progress=progress
    )
    compile_folders(python, own_path)  # other folders are the user's, and are not written to
    libraries = probe_variant(python, path, used_clients, label)
    _refuse_hidden_libraries(variant, libraries, label)
    return BuiltVariant(
        python=str(python),
        import_path=tuple(map(str, path)),
        strategies=files,
        tree=tree.folder,
        about={
            "label": label,
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
        },
    )


def counterpart_strategy(file: Path, top: Path, tree: Path) -> Path | None:
    """Return the file of a tree that corresponds to one below ``top``; None if the tree lacks it.

    A file from elsewhere corresponds to itself.
    """
    if not file.is_relative_to(top):
        return file
    counterpart = tree / file.relative_to(top)
    return counterpart if counterpart.is_file() else None


def _import_path(tree: Tree, label: str, say: Callable[[str], None]) -> list[Path]:
    """Return the folders that a worker of this tree imports from, the one of ``bench`` first."""
    if has_same_protocol(tree.folder):
        return [tree.folder]
    say(f"note: {label} is measured by this flagbench's own worker and clients; it has none that fit")
    return [cached_harness(), *module_folders(tree.folder)]


def _refuse_hidden_libraries(variant: Variant, libraries: Mapping[str, str], label: str) -> None:
    """Refuse to measure a required library that the tree has as well: the tree's would be imported."""
    hidden = {canonicalize_name(name) for name, version in libraries.items() if version == FROM_TREE}
    for requirement in variant.requirements:
        if (name := distribution_name(requirement)) in hidden:
            raise UsageError(
                f"the tree of {label} has its own {name}, which hides {one_line(replace_urls(requirement))}",
                hint="give the command in another folder, or name another tree with path=FOLDER",
            )


def _outside_repository(strategies: Mapping[str, Strategy]) -> Iterator[Path]:
    """Yield the strategy files outside of the repository, which are the same for both variants."""
    top = work_tree_top()
    yield from (each.file for each in strategies.values() if not each.file.is_relative_to(top))


def _strategy_files(tree: Path, strategies: Mapping[str, Strategy]) -> dict[str, Path]:
    """Return the file of each strategy that this tree has: shipped ones, and the user's own."""
    files = named_strategies(tree)
    top = work_tree_top()
    for name, strategy in strategies.items():
        if is_shipped(strategy.file):
            continue
        files.pop(name, None)
        counterpart = counterpart_strategy(strategy.file, top, tree)
        if counterpart is not None:
            files[name] = counterpart
    return files
