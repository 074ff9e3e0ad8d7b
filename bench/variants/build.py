"""From a variant to the side that its workers come from."""

from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

from bench.errors import UsageError
from bench.model.cases import NO_CLIENT, Strategy
from bench.model.comparison import BuiltVariant, Variant
from bench.model.text import one_line
from bench.system.paths import is_shipped, module_folders, project_path
from bench.variants.environment import environment_for
from bench.variants.harness import our_harness, speaks_as_we_do, strategies_for
from bench.variants.interpreter import Interpreter, interpreter_for
from bench.variants.probe import OF_THE_TREE, precompile, probe_variant
from bench.variants.requirements import comparable, name_of
from bench.variants.run_command import without_addresses
from bench.variants.tree import Tree, make_tree, working_folder


def build_variant(
    variant: Variant,
    clients: Collection[str],
    strategies: Mapping[str, Strategy],
    say: Callable[[str], None],
) -> BuiltVariant:
    """Make the tree and the environment of a variant, and see that its workers can be started.

    Args:
        variant: what is asked for.
        clients: the names of those that are measured.
        strategies: those that are measured, by name. One that the tree lacks is left out of the side.
        say: is told what the user should know, one sentence each.

    Raises:
        UsageError: there is no such revision, folder, repository or requirement, or the tree hides what the
            variant asks for.
        EnvironmentFault: something is missing on this machine, cannot be installed, or cannot be imported.
    """
    used = sorted(set(clients) - {NO_CLIENT})
    interpreter = interpreter_for(variant.python)
    tree = make_tree(variant, say)
    label = one_line(variant.label)
    kept = _import_path(tree, label, say)
    path = [*kept, *map(Path, project_path(_foreign(strategies)))]
    files = [path[0] / "strategies" / "clients" / f"{name}.py" for name in used]
    python = environment_for(variant, tree, interpreter, files, say)
    precompile(python, kept)  # what lies elsewhere is the user's, and is not written to
    libraries = probe_variant(python, path, used, label)
    _refuse_hidden(variant, libraries, label)
    return BuiltVariant(
        python=str(python),
        import_path=tuple(map(str, path)),
        strategies=_strategies(tree.folder, strategies),
        tree=tree.folder,
        about=_about(variant, tree, interpreter, libraries),
    )


def _import_path(tree: Tree, label: str, say: Callable[[str], None]) -> list[Path]:
    """Return where a worker of this tree finds things, the folder of ``bench`` and ``strategies`` first."""
    if speaks_as_we_do(tree.folder):
        return [tree.folder]
    say(f"note: {label} is measured by this flagbench's own worker and clients; it has none that fit")
    return [our_harness(), *module_folders(tree.folder)]


def _refuse_hidden(variant: Variant, libraries: Mapping[str, str], label: str) -> None:
    """Refuse a variant that asks for a library which its tree has, too: the tree's would be measured."""
    hidden = {comparable(name) for name, version in libraries.items() if version == OF_THE_TREE}
    for requirement in variant.requirements:
        if name_of(requirement) in hidden:
            raise UsageError(
                f"the tree of {label} has its own {name_of(requirement)}, which hides "
                f"{one_line(without_addresses(requirement))}",
                hint="give the command in another folder, or name another tree with path=FOLDER",
            )


def _foreign(strategies: Mapping[str, Strategy]) -> Iterator[Path]:
    """Yield the strategies that lie outside of the repository, and are the same for both sides."""
    top = working_folder()
    yield from (each.file for each in strategies.values() if not each.file.is_relative_to(top))


def _strategies(tree: Path, asked: Mapping[str, Strategy]) -> dict[str, Path]:
    """Return the file of each strategy that this tree has: of those that ship, and of the user's own."""
    found = strategies_for(tree)
    top = working_folder()
    for name, strategy in asked.items():
        if is_shipped(strategy.file):
            continue
        found.pop(name, None)
        file = counterpart_strategy(strategy.file, top, tree)
        if file is not None:
            found[name] = file
    return found


def counterpart_strategy(file: Path, top: Path, tree: Path) -> Path | None:
    """Return the file of a tree that stands for one of the repository at ``top``; ``None`` if there is none.

    A file from elsewhere stands for itself.
    """
    if not file.is_relative_to(top):
        return file
    its = tree / file.relative_to(top)
    return its if its.is_file() else None


def _about(
    variant: Variant, tree: Tree, interpreter: Interpreter, libraries: Mapping[str, str]
) -> dict[str, object]:
    return {
        "label": one_line(variant.label),
        "revision": one_line(variant.rev),
        "commit": tree.commit,
        "dirty": tree.dirty,
        "tree": tree.id,
        "python": interpreter.version,
        "libraries": dict(libraries),
        "requirements": [one_line(without_addresses(each)) for each in variant.requirements],
    }
