"""Find the clients that a strategy opens in its text.

They are a hint for its plan, which a warm-up may contradict. Only a client of the job counts, not an
attribute ``client`` of something else. The job is the parameter of ``download_many``, a name that is
annotated with ``Job``, and whatever a job is assigned or handed to within the file.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final, Literal, TypeAlias

Face: TypeAlias = Literal["sync", "async"]

_FACES: Final[dict[str, Face]] = {"client": "sync", "async_client": "async"}
_JOB: Final = "Job"

_Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_Scope: TypeAlias = ast.Module | ast.ClassDef | _Function


def opened_clients(tree: ast.Module, entry: str) -> frozenset[Face]:
    """Return the kinds of clients that a strategy seems to open.

    Args:
        tree: its file.
        entry: name of the function whose first parameter is the job.
    """
    search = _Search(tree)
    for function in search.functions[entry]:
        search.mark_parameter(function, 0)
    search.follow()
    return frozenset(search.opened())


class _Search:
    """Follows the job through the assignments and calls of a file, until there is nothing new.

    Attributes:
        functions: the functions and methods of the file, by name; a class has the name of its ``__init__``.
        jobs: names that are the job, by scope.
        holders: names of containers that hold the job, by scope.
        attributes: names of attributes that are the job, of any object.
    """

    def __init__(self, tree: ast.Module) -> None:
        self._tree = tree
        self._parents: dict[_Scope, _Scope] = {}
        self._nodes = tuple(self._walk(tree, tree))
        self._types = self._find_job_types()
        self.functions: dict[str, list[_Function]] = defaultdict(list)
        self.jobs: dict[_Scope, set[str]] = defaultdict(set)
        self.holders: dict[_Scope, set[str]] = defaultdict(set)
        self.attributes: set[str] = set()
        for node, scope in self._nodes:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                is_init = node.name == "__init__" and isinstance(scope, ast.ClassDef)
                self.functions[
                    scope.name if is_init and isinstance(scope, ast.ClassDef) else node.name
                ].append(node)

    def follow(self) -> None:
        """Mark names until no new one is found."""
        size = -1
        while size != (size := self._size()):
            for node, scope in self._nodes:
                self._follow_node(node, scope)

    def opened(self) -> Iterator[Face]:
        """Yield the kind of each access to a client of the job."""
        for node, scope in self._nodes:
            match node:
                case ast.Attribute(value=value, attr=name) if name in _FACES and self._is_job(value, scope):
                    yield _FACES[name]
                case ast.Call(func=ast.Name("getattr"), args=[value, ast.Constant(name), *_]) if (
                    name in _FACES and self._is_job(value, scope)
                ):
                    yield _FACES[name]

    def mark_parameter(self, function: _Function, place: int, *, holds: bool = False) -> None:
        """Mark the positional parameter of a function as the job, or as a container of it."""
        arguments = function.args
        parameters = [*arguments.posonlyargs, *arguments.args]
        if place < len(parameters):
            (self.holders if holds else self.jobs)[function].add(parameters[place].arg)
        elif arguments.vararg is not None:
            self.holders[function].add(arguments.vararg.arg)

    def _walk(self, node: ast.AST, scope: _Scope) -> Iterator[tuple[ast.AST, _Scope]]:
        """Yield all nodes with the scope that they are in."""
        waiting: list[tuple[ast.AST, _Scope]] = [(node, scope)]
        while waiting:
            node, scope = waiting.pop()
            yield node, scope
            inner = scope
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                self._parents[node] = scope
                inner = node
            waiting += [(child, inner) for child in ast.iter_child_nodes(node)]

    def _find_job_types(self) -> frozenset[str]:
        """Return the names of the class ``Job`` in this file."""
        names = {
            alias.asname or alias.name
            for node, _ in self._nodes
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("bench.")
            for alias in node.names
            if alias.name == _JOB
        }
        own = {node.name for node, _ in self._nodes if isinstance(node, ast.ClassDef)}
        return frozenset(names - own) or frozenset({_JOB} - own)

    def _size(self) -> int:
        named = (*self.jobs.values(), *self.holders.values())
        return len(self.attributes) + sum(map(len, named))

    def _follow_node(self, node: ast.AST, scope: _Scope) -> None:
        match node:
            case ast.arg(arg=name, annotation=ast.expr() as annotation) if self._is_job_type(annotation):
                self.jobs[scope].add(name)
            case ast.AnnAssign(target=ast.Name(name), annotation=annotation) if self._is_job_type(annotation):
                self.jobs[scope].add(name)
                if isinstance(scope, ast.ClassDef):  # a field of a dataclass
                    self.attributes.add(name)
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    self._assign(target, value, scope)
            case ast.AnnAssign(target=target, value=ast.expr() as value) | ast.NamedExpr(target, value):
                self._assign(target, value, scope)
            case ast.For(target=target, iter=value) | ast.comprehension(target=target, iter=value):
                if self._holds_job(value, scope):
                    self._unpack(target, scope)
            case ast.Call():
                self._follow_call(node, scope)

    def _assign(self, target: ast.expr, value: ast.expr, scope: _Scope) -> None:
        match target, value:
            case ((ast.Tuple(targets) | ast.List(targets)), (ast.Tuple(values) | ast.List(values))):
                for each, part in zip(targets, values, strict=False):
                    self._assign(each, part, scope)
            case ((ast.Tuple() | ast.List()), _) if self._holds_job(value, scope):
                self._unpack(target, scope)
            case ast.Name(name), _ if self._is_job(value, scope):
                self._mark(name, scope, self.jobs)
            case ast.Name(name), _ if self._holds_job(value, scope):
                self._mark(name, scope, self.holders)
            case ast.Attribute(attr=name), _ if self._is_job(value, scope):
                self.attributes.add(name)
            case ast.Subscript(value=ast.Name(name)), _ if self._is_job(value, scope):
                self.holders[scope].add(name)
                self.holders[self._tree].add(name)  # the container may be of the module

    def _unpack(self, target: ast.expr, scope: _Scope) -> None:
        """Mark the names that a container of the job is unpacked to.

        Of several names, only those are marked that name a job elsewhere.
        """
        known = {"job"}.union(*self.jobs.values())
        names = {node.id for node in ast.walk(target) if isinstance(node, ast.Name)}
        for name in names & known if isinstance(target, ast.Tuple | ast.List) else names:
            self._mark(name, scope, self.jobs)

    def _mark(self, name: str, scope: _Scope, marked: dict[_Scope, set[str]]) -> None:
        """Mark a name in its scope, and in the module if the scope says that it is global."""
        if name in marked[scope]:
            return
        marked[scope].add(name)
        if any(isinstance(node, ast.Global) and name in node.names for node in ast.walk(scope)):
            marked[self._tree].add(name)

    def _follow_call(self, call: ast.Call, scope: _Scope) -> None:
        """Mark the parameters of the file's functions that a call hands the job to.

        A call may run a function itself, or hand it to a pool, a thread or ``partial``, with the arguments
        after it or in the tuples ``args`` and ``initargs``.
        """
        for function, shift, values in self._runs(call):
            self._hand_over(function, values, shift, scope)
            for keyword in call.keywords:
                if keyword.arg in _parameter_names(function) and self._is_job(keyword.value, scope):
                    self.jobs[function].add(keyword.arg or "")

    def _runs(self, call: ast.Call) -> Iterator[tuple[_Function, int, Sequence[ast.expr]]]:
        """Yield the functions that a call may run, with the parameters to skip and the arguments."""
        for function, shift in self._functions_of(call.func):
            yield function, shift, call.args
        every = [*call.args, *(keyword.value for keyword in call.keywords)]
        tuples = [each.elts for each in every if isinstance(each, ast.Tuple)]
        for place, each in enumerate(every, 1):
            for function, shift in self._functions_of(each):
                for values in (call.args[place:], *tuples):
                    yield function, shift, values

    def _hand_over(self, function: _Function, values: Sequence[ast.expr], shift: int, scope: _Scope) -> None:
        for place, value in enumerate(values):
            if self._is_job(value, scope):
                self.mark_parameter(function, place + shift)
            elif self._holds_job(value, scope):  # a task of a pool: each call gets one of many
                self.mark_parameter(function, place + shift, holds=True)
                if not isinstance(value, ast.ListComp | ast.GeneratorExp):
                    self.mark_parameter(function, place + shift)

    def _functions_of(self, value: ast.expr) -> Iterator[tuple[_Function, int]]:
        """Yield the functions that an expression may name, with the parameters before the first argument."""
        match value:
            case ast.Lambda():
                yield value, 0
            case ast.Name(name):
                for function in self.functions.get(name, ()):
                    yield function, int(getattr(function, "name", "") == "__init__")
            case ast.Attribute(attr=name):
                for function in self.functions.get(name, ()):
                    yield (
                        function,
                        int(isinstance(self._parents[function], ast.ClassDef) and not _is_static(function)),
                    )

    def _is_job(self, value: ast.expr, scope: _Scope) -> bool:
        parts: Sequence[ast.expr] = ()
        match value:
            case ast.Name(name):
                return self._is_marked(name, scope, self.jobs)
            case ast.Attribute(attr=name):
                return name in self.attributes
            case ast.Subscript(value=container):
                return self._holds_job(container, scope)
            case ast.Call(func=ast.Name(name)):
                return name in self._types
            case ast.NamedExpr(value=part) | ast.Call(func=ast.Attribute(value=part, attr="_replace")):
                parts = (part,)
            case ast.IfExp(body=one, orelse=other):
                parts = (one, other)
            case ast.BoolOp(values=parts):
                pass
        return any(self._is_job(part, scope) for part in parts)

    def _holds_job(self, value: ast.expr, scope: _Scope) -> bool:
        """Tell whether an expression is a container that holds the job."""
        parts: Sequence[ast.expr | None]
        match value:
            case ast.Name(name):
                return self._is_marked(name, scope, self.holders)
            case ast.Tuple(parts) | ast.List(parts) | ast.Set(parts) | ast.Dict(values=parts):
                pass
            case ast.ListComp(elt=element) | ast.GeneratorExp(elt=element) | ast.Starred(element):
                parts = (element,)
            case ast.BinOp(left=ast.List() | ast.Tuple() as repeated):
                parts = (repeated,)
            case ast.Call(func=ast.Name() | ast.Attribute(value=ast.Name()), args=arguments):
                if isinstance(value.func, ast.Attribute) and self._is_job(value.func.value, scope):
                    return False  # a method of the job
                if not _makes_container(value.func):
                    return False
                parts = arguments
            case _:
                return False
        return any(
            part is not None and (self._is_job(part, scope) or self._holds_job(part, scope)) for part in parts
        )

    def _is_marked(self, name: str, scope: _Scope, marked: dict[_Scope, set[str]]) -> bool:
        """Return whether a name is marked in its scope or those around it.

        The search ends at a function that has the name as a parameter.
        """
        within: _Scope | None = scope
        while within is not None:
            if name in marked[within]:
                return True
            if isinstance(within, _Function) and name in _parameter_names(within):
                return False
            within = self._parents.get(within)
        return False

    def _is_job_type(self, annotation: ast.expr) -> bool:
        """Tell whether an annotation names the class of jobs, as text, too, and in unions."""
        words = set(re.findall(r"[\w.]+", ast.unparse(annotation)))
        qualified = any(word.startswith("bench.") and word.endswith(f".{_JOB}") for word in words)
        return qualified or not self._types.isdisjoint(words)


def _makes_container(function: ast.expr) -> bool:
    names = {"repeat", "zip", "list", "tuple", "dict", "product", "SimpleNamespace"}
    return getattr(function, "id", getattr(function, "attr", "")) in names


def _parameter_names(function: _Function) -> set[str]:
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    every += [each for each in (arguments.vararg, arguments.kwarg) if each is not None]
    return {each.arg for each in every}


def _is_static(function: _Function) -> bool:
    """Tell whether a method takes no object or class first."""
    decorators = getattr(function, "decorator_list", ())
    return any(isinstance(each, ast.Name) and each.id == "staticmethod" for each in decorators)
