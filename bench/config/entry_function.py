"""Check by its text that ``download_many`` can be called with one job."""

import ast
from typing import Final

from bench.model.function_call import ENTRY

SIGNATURE: Final = "def download_many(job: Job) -> list[Fetch]"


def find_signature_problem(tree: ast.Module) -> str | None:
    """Return why a strategy's ``download_many`` cannot be called with one ``Job``, or None.

    What a decorator or a later assignment makes of it is unknown, and no problem.
    """
    bound = [node for node in tree.body if ENTRY in _bound_names(node)]
    if not any(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) for node in bound):
        return f"has no function {ENTRY}"
    last = bound[-1]
    if isinstance(last, ast.ClassDef):
        return f"has a class {ENTRY} (line {last.lineno}), which must be a function"
    if not isinstance(last, ast.FunctionDef | ast.AsyncFunctionDef) or last.decorator_list:
        return None
    if problem := _find_problem(last):
        return f"has a function {ENTRY} (line {last.lineno}) {problem}"
    return None


def _find_problem(function: ast.FunctionDef | ast.AsyncFunctionDef) -> str | None:
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    required = positional[: len(positional) - len(arguments.defaults)]
    if not positional and arguments.vararg is None:
        return "that takes no positional argument, and is called with one, the job"
    if len(required) > 1:
        names = ", ".join(each.arg for each in required)
        return f"that needs {len(required)} arguments ({names}), and is called with one, the job"
    needed = [
        each.arg for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if default is None
    ]  # fmt: skip
    if needed:
        return f"that needs the keyword {' and '.join(needed)}, and is called with one argument, the job"
    return None


def _bound_names(node: ast.stmt) -> set[str]:
    """Return the names that a statement at the top level of a file binds."""
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case ast.Assign(targets=targets):
            return {each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)}
        case ast.AnnAssign(target=ast.Name(name), value=ast.expr()):
            return {name}
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            return {alias.asname or alias.name for alias in aliases}
    return set()
